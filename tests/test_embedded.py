from pathlib import Path

import numpy as np
import pytest

from faceaug.edit.editor import Editor
from faceaug.embedded import FOLDER, KINDS, embedded, is_embedded, lasting
from faceaug.errors import CheckpointMismatch
from faceaug.export.hub import from_pretrained, read_about
from faceaug.gan.inference import load_generator
from faceaug.parser.metrics import confusion, scores
from faceaug.parser.predict import load_parser, predict_labels
from faceaug.runs.folder import own_parser


def test_both_are_small_and_whole():
    files = [path for kind in KINDS for path in (FOLDER / kind).iterdir()]
    assert sum(path.stat().st_size for path in files) < 8_000_000
    for kind in KINDS:
        about = read_about(FOLDER / kind)
        assert from_pretrained(FOLDER / kind, device="cpu").hash == about["hash"]
        assert "drawn faces" in (FOLDER / kind / "README.md").read_text()


def test_a_name_in_place_of_a_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert embedded(Path("drawn"), "gan") == embedded(Path("drawn/gan"), None) == FOLDER / "gan"
    assert not is_embedded(Path("runs/drawn"))
    assert (lasting(Path("drawn")), lasting(Path("runs/x"))) == ("drawn", str(tmp_path / "runs" / "x"))
    for name in ("drawn", "drawn/nothing"):
        with pytest.raises(CheckpointMismatch, match="name drawn/parser or drawn/gan"):
            embedded(Path(name), None)
    (tmp_path / "drawn").mkdir()
    assert not is_embedded(Path("drawn"))  # a user's own folder comes first


def test_the_parser_finds_drawn_faces_and_the_gan_knows_its_parser(faces, compute, tmp_path):
    parser, generator = load_parser(Path("drawn"), compute), load_generator(Path("drawn"), compute)
    assert generator.trained_on == "drawn faces"
    assert load_parser(own_parser(generator.record, tmp_path), compute).hash == parser.hash
    found = scores(confusion(predict_labels(parser, faces.images[:]), faces.labels[:], classes=11), faces.scheme)
    assert found["mean_f1"] > 0.85


def test_generated_faces_have_their_masks_and_the_look_of_their_sources(faces, compute):
    parser, generator = load_parser(Path("drawn"), compute), load_generator(Path("drawn"), compute)
    images, labels = faces.images[:8], faces.labels[:8]
    others = np.roll(np.arange(8), 1)
    generated = generator.generate(generator.encode(images[others], labels[others]), images, labels)
    found = scores(confusion(predict_labels(parser, generated), labels, classes=11), faces.scheme)
    assert found["mean_f1"] > 0.75
    skin = [labels == 1, labels[others] == 1]
    means = [np.stack([one[where].mean(0) for one, where in zip(of, masks, strict=True)]) for of, masks in (
        (generated, skin[0]), (images, skin[0]), (images[others], skin[1]))]  # fmt: skip
    to_target, to_source = (np.linalg.norm(means[0] - other, axis=1).mean() for other in means[1:])
    assert to_source < 0.5 * to_target


def test_an_editor_of_the_embedded_models(tmp_path):
    editor = Editor("drawn", device="cpu", runs=tmp_path)
    assert (editor.size, editor.generator.trained_on) == (64, "drawn faces")
