import os

import pytest

from faceaug.errors import CheckpointMismatch
from faceaug.files import file_hash
from faceaug.training.runs import find, latest, own_parser, run_folder


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
    weights.write_text("these")
    record = {"parser": str(weights), "parser_hash": file_hash(weights)}
    assert own_parser(record, tmp_path / "runs") == weights
    moved = (tmp_path / "runs").rename(tmp_path / "elsewhere")
    assert own_parser(record, moved) == moved / "parser" / "a" / "weights.safetensors"
    # Other weights in that place are not the generator's parser: the missing file is named.
    (moved / "parser" / "a" / "weights.safetensors").write_text("others")
    assert own_parser(record, moved) == weights
