import json
import shutil
import sys

import numpy as np
import pytest
import torch
from small import PARSER, noise_faces

import faceaug
from faceaug.errors import CheckpointMismatch, ConfigError, OutputError
from faceaug.export.hub import FILES, from_pretrained, save_pretrained
from faceaug.gan.inference import load_generator
from faceaug.parser.network import build_parser
from faceaug.parser.predict import load_parser, predict_labels
from faceaug.runs.checkpoint import MODEL, load_weights, save_weights
from faceaug.tensors import to_float


@pytest.fixture
def parser(trained, tmp_path):
    return save_pretrained(trained.parser.parent, tmp_path / "parser")


def test_a_parser_comes_back_bit_for_bit(trained, parser, compute):
    assert sorted(path.name for path in parser.iterdir()) == sorted(FILES)
    photos = noise_faces(3).images
    before, after = load_parser(trained.parser, compute), from_pretrained(parser, device="cpu", precision="fp32")
    assert after.hash == before.hash
    assert after.record == before.record
    assert torch.equal(after.network(to_float(photos)), before.network(to_float(photos)))
    assert np.array_equal(predict_labels(after, photos), predict_labels(before, photos))
    # Commands take the folder as they take a run's.
    assert load_parser(parser, compute).hash == before.hash


def test_a_generator_comes_back_bit_for_bit(trained, compute, tmp_path):
    tensors, record = load_weights(trained.gan, kind="gan")
    taught = {**record, "teachers": {"f" * 64: str(trained.parser)}}
    save_weights(tmp_path / "weights.safetensors", tensors, kind="gan", config=taught)
    folder = save_pretrained(tmp_path / "weights.safetensors", tmp_path / "gan")
    faces = noise_faces(3)
    before, after = load_generator(trained.gan, compute), from_pretrained(str(folder), device="cpu", precision="fp32")
    assert after.hash == before.hash
    look, again = (model.encode(faces.images, faces.labels) for model in (before, after))
    assert torch.equal(look.codes, again.codes)
    assert np.array_equal(before.generate(look, faces.images, faces.labels), after.generate(again, faces.images, faces.labels))
    # Its record names the files of its parsers, which are nobody else's affair.
    assert str(trained.parser) == before.record["parser"]
    assert after.record["teachers"] == {"f" * 64: ""}
    assert all(str(trained.parser).encode() not in (folder / name).read_bytes() for name in FILES)


def test_config_json_tells_what_it_is(trained, parser, tmp_path):
    about = json.loads((parser / "config.json").read_text())
    report = json.loads((trained.parser.parent / "report.json").read_text())
    assert about["faceaug"] == faceaug.__version__
    assert about["kind"] == "parser"
    assert about["score"] == report["best"]
    assert about["config"] == load_weights(trained.parser, kind="parser")[1]
    copied = save_pretrained(parser, tmp_path / "copy")
    assert json.loads((copied / "config.json").read_text()) == about
    alone = shutil.copy(trained.parser, tmp_path / "alone.safetensors")
    assert json.loads((save_pretrained(alone, tmp_path / "b") / "config.json").read_text())["score"] is None


def test_nothing_is_written_over_or_left_half(trained, parser, tmp_path, monkeypatch):
    with pytest.raises(ConfigError, match="parser: is there already"):
        save_pretrained(trained.parser, parser)
    other = tmp_path / "other"
    other.mkdir()
    damaged = other / "weights.safetensors"
    damaged.write_bytes(trained.parser.read_bytes()[:-100])
    with pytest.raises(CheckpointMismatch, match="not a whole safetensors file"):
        save_pretrained(other, tmp_path / "new")
    save_weights(damaged, {"a": torch.zeros(1)}, kind="looks", config={})
    with pytest.raises(CheckpointMismatch, match="holds looks, no model"):
        save_pretrained(other, tmp_path / "new")
    tensors = build_parser(PARSER, weights=False).state_dict()
    record = load_weights(trained.parser, kind="parser")[1]
    save_weights(damaged, {name: tensors[name] for name in list(tensors)[1:]}, kind="parser", config=record)
    with pytest.raises(CheckpointMismatch, match="do not fit the network"):
        save_pretrained(other, tmp_path / "new")

    def fail(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("faceaug.export.hub.write_text", fail)
    with pytest.raises(OutputError, match="No space left"):
        save_pretrained(trained.parser, tmp_path / "new")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["other", "parser"]


def test_folders_that_are_not_what_they_say(parser, trained):
    path, config = parser / MODEL, parser / "config.json"
    whole, told = path.read_bytes(), config.read_text()
    path.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    with pytest.raises(CheckpointMismatch, match=r"model\.safetensors is not the model that config\.json describes"):
        from_pretrained(parser)
    path.write_bytes(whole[:-1])
    with pytest.raises(CheckpointMismatch, match="not a whole safetensors file"):
        from_pretrained(parser)
    path.write_bytes(whole)
    config.write_text(told.replace('"size": 64', '"size": 128'))
    with pytest.raises(CheckpointMismatch, match="is not the model"):
        from_pretrained(parser)
    config.write_text(told[:-5])
    with pytest.raises(CheckpointMismatch, match=r"config\.json: damaged"):
        from_pretrained(parser)
    config.unlink()
    with pytest.raises(CheckpointMismatch, match=r"holds no saved model \(no config\.json\)"):
        from_pretrained(parser)
    config.write_text(told)
    path.unlink()
    with pytest.raises(CheckpointMismatch, match=r"model\.safetensors: no such weights file"):
        from_pretrained(parser)


def test_only_a_named_repository_is_looked_for_on_the_hub(parser, tmp_path, monkeypatch):
    asked = []

    def download(repository, **named):
        asked.append((repository, named))
        return str(parser)

    monkeypatch.setattr("huggingface_hub.snapshot_download", download)
    monkeypatch.chdir(tmp_path)
    from_pretrained("parser")
    shutil.copytree(parser, tmp_path / "me" / "parser")
    from_pretrained("me/parser")
    for name in (tmp_path / "none", "none", "a/b/c", "./a", parser.relative_to(tmp_path) / "x"):
        with pytest.raises(CheckpointMismatch, match="no such folder; name one that save_pretrained wrote, or OWNER/NAME"):
            from_pretrained(name)
    assert asked == []
    assert from_pretrained("you/parser", revision="v1").hash == from_pretrained(parser).hash
    assert asked == [("you/parser", {"revision": "v1", "allow_patterns": list(FILES)})]

    def refuse(*_, **__):
        raise RuntimeError("401 Unauthorized:\n no such repository")

    monkeypatch.setattr("huggingface_hub.snapshot_download", refuse)
    with pytest.raises(CheckpointMismatch, match=r"^you/parser: cannot be downloaded \(401 Unauthorized: no such"):
        from_pretrained("you/parser")


def test_models_in_the_package_are_not_looked_for_elsewhere(tmp_path, monkeypatch):
    monkeypatch.setattr("huggingface_hub.snapshot_download", lambda *_, **__: pytest.fail("asked the hub"))
    monkeypatch.chdir(tmp_path)
    assert from_pretrained("drawn/parser").config.size == 64
    with pytest.raises(CheckpointMismatch, match=r"drawn: which of the two; name drawn/parser or drawn/gan"):
        from_pretrained("drawn")
    with pytest.raises(CheckpointMismatch, match=r"holds no saved model \(no config.json\)"):
        from_pretrained(tmp_path)
    (tmp_path / "log.jsonl").touch()
    with pytest.raises(CheckpointMismatch, match="a run, no saved model; write one with faceaug export-model"):
        from_pretrained(tmp_path)


def test_without_the_hubs_library_only_folders_are_read(parser, monkeypatch):
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(CheckpointMismatch, match=r"you/parser: no folder, and .* pip install 'faceaug\[push\]'"):
        from_pretrained("you/parser")
    assert from_pretrained(parser).config.size == 64
