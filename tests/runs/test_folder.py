import os
from pathlib import Path

import pytest
import torch

from faceaug.errors import CheckpointMismatch, OutputError
from faceaug.runs.checkpoint import content_hash, save_weights
from faceaug.runs.folder import claim, find, finished, latest, own_parser, own_teachers, run_folder


def test_same_settings_same_folder(tmp_path):
    assert run_folder(tmp_path, "gan", "tiny", {"a": 1}) == run_folder(tmp_path, "gan", "tiny", {"a": 1})
    assert run_folder(tmp_path, "gan", "tiny", {"a": 1}) != run_folder(tmp_path, "gan", "tiny", {"a": 2})


def test_the_newest_finished_run_is_found(tmp_path):
    with pytest.raises(CheckpointMismatch, match="run `faceaug train-gan` first"):
        find(tmp_path, "gan", "train-gan")
    for age, name in ((20, "old"), (10, "new"), (0, "unfinished")):
        folder = tmp_path / "gan" / name
        folder.mkdir(parents=True)
        if name != "unfinished":
            path = folder / "weights.safetensors"
            path.write_text("")
            os.utime(path, (1e9 - age, 1e9 - age))
    assert latest(tmp_path, "gan").parent.name == "new"


def test_a_generators_parser_is_found_again_after_a_move(tmp_path):
    weights = tmp_path / "runs" / "parser" / "a" / "weights.safetensors"
    weights.parent.mkdir(parents=True)
    tensors, shape = {"a": torch.ones(2)}, {"size": 64}
    save_weights(weights, tensors, kind="parser", config={"parser": shape})
    record = {"parser": str(weights), "parser_hash": content_hash(tensors, shape)}
    assert own_parser(record, tmp_path / "runs") == weights
    moved = (tmp_path / "runs").rename(tmp_path / "elsewhere")
    assert own_parser(record, moved) == moved / "parser" / "a" / "weights.safetensors"
    # Other weights in that place are not the generator's parser: the missing file is named.
    (moved / "parser" / "a" / "weights.safetensors").write_text("others")
    assert own_parser(record, moved) == weights


def test_a_generators_teachers_are_all_there_or_none(tmp_path):
    record = {"teachers": {}}
    for seed in range(2):
        weights = tmp_path / "runs" / "parser" / str(seed) / "weights.safetensors"
        weights.parent.mkdir(parents=True)
        tensors, shape = {"a": torch.full((2,), float(seed))}, {"size": 128}
        save_weights(weights, tensors, kind="parser", config={"parser": shape})
        record["teachers"][content_hash(tensors, shape)] = str(weights)
    assert own_teachers(record, tmp_path / "runs") == [Path(path) for path in record["teachers"].values()]
    moved = (tmp_path / "runs").rename(tmp_path / "elsewhere")
    assert own_teachers(record, moved) == [moved / "parser" / str(seed) / "weights.safetensors" for seed in range(2)]
    weights = moved / "parser" / "1" / "weights.safetensors"
    weights.unlink()
    assert own_teachers(record, moved) == own_teachers({}, moved) == []


def test_a_folder_is_one_runs_alone(tmp_path):
    config = {"a": {"b": 1, "c": (1, 2)}, "data": {"sha256": "x", "count": 3}, "file": "here"}
    claim(tmp_path / "run", config)
    written = (tmp_path / "run" / "config.json").stat()
    claim(tmp_path / "run", config)
    assert (tmp_path / "run" / "config.json").stat().st_ino == written.st_ino  # a finished run is only read
    claim(tmp_path / "run", {"other": 1})  # nothing was made in it: a refused option may be mended
    claim(tmp_path / "run", {**config, "file": "there"})
    (tmp_path / "run" / "checkpoint.pt").touch()
    claim(tmp_path / "run", {**config, "file": "here"}, movable=("file",))
    claim(tmp_path / "run", {**config, "file": "there"}, movable=("file",))
    for changed, told in (
        ({"a": {"b": 2, "c": [1, 2]}}, r"\(a\.b\)"),
        ({"data": {"sha256": "y", "count": 4}}, r"\(data\)"),
        ({"file": "here"}, r"\(file\)"),
        ({"new": 1}, r"\(new\)"),
    ):
        with pytest.raises(CheckpointMismatch, match=f"run: made with other settings {told}; use another --out"):
            claim(tmp_path / "run", {**config, "file": "there", **changed})
    (tmp_path / "run" / "config.json").write_text("{")
    with pytest.raises(CheckpointMismatch, match=r"config\.json: damaged"):
        claim(tmp_path / "run", config)


def test_finished_means_that_the_weights_load(tmp_path, trained):
    assert finished(tmp_path, "parser") is None
    (tmp_path / "weights.safetensors").write_bytes(b"")
    with pytest.raises(CheckpointMismatch, match="not a whole safetensors file"):
        finished(tmp_path, "parser")
    assert finished(trained.parser.parent, "parser") == trained.parser


def test_a_finished_run_on_a_read_only_disk_is_only_read(tmp_path, monkeypatch):
    claim(tmp_path / "run", {"a": 1})

    def read_only(*_, **__):
        raise OutputError("read only")

    monkeypatch.setattr("faceaug.runs.folder.ensure_folder", read_only)
    claim(tmp_path / "run", {"a": 1})
    with pytest.raises(OutputError):
        claim(tmp_path / "other", {"a": 1})
