import hashlib
import json
from dataclasses import replace

import h5py
import numpy as np
import pytest
from faceaug.datasets.celeba import CelebA

from faceaug.errors import CheckpointMismatch, ConfigError, NothingLeft
from faceaug.gan.inference import load_generator
from faceaug.generate import job
from faceaug.generate import run as module
from faceaug.generate.agreement import agreement
from faceaug.generate.config import GenerateConfig
from faceaug.generate.run import Inputs, generate
from faceaug.labels import IGNORE
from faceaug.parser.predict import load_parser, predict_against, predict_labels
from faceaug.prepare.faces import align
from faceaug.shards.reader import ShardReader
from faceaug.shards.verify import verify

CONFIG = GenerateConfig(per_mask=2, rows_per_shard=7, candidates=1)


@pytest.fixture(scope="module")
def ready(trained, drawn, faces, compute):
    generator, parser = load_generator(trained.gan, compute), load_parser(trained.parser, compute)
    photos = align(CelebA(drawn / "celeba"), size=64)
    sources = photos.with_labels(predict_labels(parser, photos.images))
    return Inputs(faces, sources, generator, parser, parser)


def _shards(run):
    return {path.name: path.read_bytes() for path in sorted(run.glob("shard-*.h5"))}


def _rows(run):
    reader = ShardReader(run)
    return [reader.column(name) for name in ("image", "label", "target", "source", "row", "seed", "agreement")]


def test_rows_are_what_they_say(ready, tmp_path):
    faces, photos, parser = ready.targets, ready.sources, ready.parser
    summary = generate(tmp_path, ready, config=CONFIG)
    assert summary["faces"] == summary["planned"] == 24
    assert [shard["rows"] for shard in summary["shards"]] == [7, 7, 7, 3]
    reader = ShardReader(tmp_path)
    read = predict_labels(parser, reader.column("image"))
    assert np.allclose(agreement(read, reader.column("label")), reader.column("agreement"), atol=1e-6)
    for index in range(24):
        about = reader.about(index)
        target, source = faces.names.index(about["target"]), photos.names.index(about["source"])
        assert (reader.face(index)[1] == faces.labels[target]).all()
        assert about["source_male"] == about["target_male"] == photos.male[source]
        assert about["row"] == index
    assert reader.config["generate"]["per_mask"] == 2
    assert 0 <= summary["gender_classifier"]["held_out_accuracy"] <= 1
    assert {"complete.json", "config.json", "report.html", "faces.png", "README.md"} <= {path.name for path in tmp_path.iterdir()}


def test_pixels_that_the_parser_doubts_become_unknown(ready, tmp_path):
    parser = ready.parser
    plain, strict = (
        generate(tmp_path / "a", ready, config=CONFIG),
        generate(tmp_path / "b", ready, config=replace(CONFIG, min_confidence=0.2)),
    )
    before, after = ShardReader(tmp_path / "a"), ShardReader(tmp_path / "b")
    assert (before.column("image") == after.column("image")).all()
    assert (before.column("agreement") == after.column("agreement")).all()
    labels, kept = before.column("label"), after.column("label")
    read, likely = predict_against(parser, before.column("image"), labels)
    assert (read == predict_labels(parser, before.column("image"))).all()
    assert (kept == np.where(likely < 0.2, IGNORE, labels)).all()
    assert plain["unknown_pixels"] == 0
    assert strict["unknown_pixels"] == pytest.approx(((kept == IGNORE) & (labels != IGNORE)).mean(), abs=1e-4)
    assert plain["unknown_pixels"] < strict["unknown_pixels"] < 1
    assert (likely[labels == IGNORE] == 1).all()
    with pytest.raises(ConfigError, match=r"--min-confidence 1.0: must be at least 0 and below 1"):
        GenerateConfig(min_confidence=1.0)


def test_the_batch_changes_nothing(ready, tmp_path):
    generate(tmp_path / "a", ready, config=replace(CONFIG, candidates=4), batch=1)
    generate(tmp_path / "b", ready, config=replace(CONFIG, candidates=4), batch=40)
    for first, second in zip(_rows(tmp_path / "a"), _rows(tmp_path / "b"), strict=True):
        assert (first == second).all()


def test_killed_and_resumed_is_as_uninterrupted(ready, tmp_path, monkeypatch):
    generate(tmp_path / "whole", ready, config=CONFIG)
    write = module.write_shard
    written = []

    def dies(path, *args, **kwargs):
        if len(written) == 2:
            raise KeyboardInterrupt
        written.append(path)
        return write(path, *args, **kwargs)

    monkeypatch.setattr(module, "write_shard", dies)
    with pytest.raises(KeyboardInterrupt):
        generate(tmp_path / "cut", ready, config=CONFIG)
    assert len(_shards(tmp_path / "cut")) == 2
    kept = _shards(tmp_path / "cut")
    monkeypatch.setattr(module, "write_shard", write)
    generate(tmp_path / "cut", ready, config=CONFIG)
    for first, second in zip(_rows(tmp_path / "whole"), _rows(tmp_path / "cut"), strict=True):
        assert (first == second).all()
    assert kept.items() <= _shards(tmp_path / "cut").items()  # finished shards were not made again
    complete = [json.loads((tmp_path / name / "complete.json").read_text()) for name in ("whole", "cut")]
    assert complete[0] == complete[1]


def test_sources_are_encoded_once(ready, tmp_path, monkeypatch):
    encoded = []
    encode = type(ready.generator).encode

    def counts(self, images, labels, scheme):
        encoded.extend(image.tobytes() for image in images)
        return encode(self, images, labels)

    monkeypatch.setattr(type(ready.generator), "encode", counts)
    generate(tmp_path, ready, config=GenerateConfig(candidates=1, per_mask=10, rows_per_shard=9))
    assert len(encoded) == len(set(encoded))


def test_filters_count_what_they_drop(ready, tmp_path, monkeypatch):
    # A parser that is hardly trained reads every face as background: let the agreement differ from mask to mask instead.
    monkeypatch.setattr(job, "agreement", lambda read, labels: (labels > 0).mean(axis=(1, 2), dtype=np.float32))
    everything = generate(tmp_path / "all", ready, config=GenerateConfig(candidates=1, per_mask=2, gender="any"))
    assert everything["gender_classifier"] is None
    values = ShardReader(tmp_path / "all").column("agreement")
    bar = float(np.median(values))
    some = generate(tmp_path / "some", ready, config=GenerateConfig(candidates=1, per_mask=2, gender="any", min_agreement=bar))
    assert some["dropped"] == {"agreement too low": int((values < bar).sum())}
    assert some["faces"] + some["dropped"]["agreement too low"] == 24
    papers = generate(tmp_path / "paper", ready, config=GenerateConfig(candidates=1, per_mask=2, gender="filter"))
    assert papers["faces"] + sum(papers["dropped"].values()) == 24


def test_nothing_left_is_an_error_and_no_set(ready, tmp_path):
    with pytest.raises(NothingLeft, match=r"dropped all 24 faces \(24 agreement too low\)"):
        generate(tmp_path / "run", ready, config=GenerateConfig(candidates=1, min_agreement=1.0))
    assert not (tmp_path / "run").exists()


def test_another_set_in_the_folder_is_refused(ready, tmp_path):
    generate(tmp_path, ready, config=CONFIG)
    with pytest.raises(CheckpointMismatch, match="other settings"):
        generate(tmp_path, ready, config=GenerateConfig(candidates=1, per_mask=3))


def test_attributes_of_a_shard(ready, tmp_path, trained):
    generate(tmp_path, ready, config=CONFIG)
    with h5py.File(tmp_path / "shard-00001.h5") as file:
        assert dict(file.attrs)["format"] == "faceaug-shard"
        assert dict(file.attrs)["labels"] == "helen-11"
        assert dict(file.attrs)["generator"] == ready.generator.hash
        assert file["image"].dtype == np.uint8
        assert file["image"].shape == (7, 64, 64, 3)


def test_damaged_records_of_a_set_are_named(ready, tmp_path):
    generate(tmp_path, ready, config=CONFIG)
    for name in ("complete.json", "prepared.json"):
        (tmp_path / name).write_text("{}")
        with pytest.raises(CheckpointMismatch, match=rf"{name}: damaged \(no .*\); delete"):
            generate(tmp_path, ready, config=CONFIG)
        (tmp_path / name).unlink()


def test_bad_shards_are_found_and_generated_again(ready, tmp_path):
    first = generate(tmp_path, ready, config=CONFIG)
    assert verify(tmp_path) == []
    whole = _shards(tmp_path)
    flipped = bytearray(whole["shard-00001.h5"])
    flipped[len(flipped) // 2] ^= 1
    (tmp_path / "shard-00001.h5").write_bytes(flipped)
    (tmp_path / "shard-00002.h5").write_bytes(whole["shard-00002.h5"][:1000])
    (tmp_path / "shard-00003.h5").unlink()
    assert [shard.path.name for shard in verify(tmp_path)] == ["shard-00001.h5", "shard-00002.h5", "shard-00003.h5"]
    kept = (tmp_path / "shard-00000.h5").stat().st_mtime_ns
    assert generate(tmp_path, ready, config=CONFIG) == first
    assert (tmp_path / "shard-00000.h5").stat().st_mtime_ns == kept
    assert {name: hashlib.sha256(data).hexdigest() for name, data in _shards(tmp_path).items()} == {
        shard["file"]: shard["sha256"] for shard in first["shards"]
    }
    assert verify(tmp_path) == []
    assert not (tmp_path / "parts").exists()
