import json
import sys

import pytest

from faceaug.errors import ConfigError
from faceaug.runs.curves import _numbers, draw_curves, write_tensorboard


def test_panels_are_drawn(tmp_path):
    draw_curves(tmp_path / "a.png", {"loss": {"one": ([0, 1], [2.0, 1.0])}, "empty": {}}, xlabel="images", title="t")
    assert (tmp_path / "a.png").read_bytes()[:4] == b"\x89PNG"


def test_numbers_of_nested_rows_have_paths():
    row = {"images": 8, "loss": 0.5, "tuning": {"mean_f1": 0.25, "f1": {"skin": 1}}, "note": "text"}
    assert dict(_numbers(row)) == {"loss": 0.5, "tuning/mean_f1": 0.25, "tuning/f1/skin": 1.0}


def test_without_tensorboard_it_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    with pytest.raises(ConfigError, match=r"pip install 'faceaug\[tensorboard\]'"):
        write_tensorboard(tmp_path)


def test_events_are_written(tmp_path):
    pytest.importorskip("tensorboard")
    (tmp_path / "log.jsonl").write_text(json.dumps({"images": 8, "loss": 0.5}) + "\n")
    assert list(write_tensorboard(tmp_path).glob("events*"))
