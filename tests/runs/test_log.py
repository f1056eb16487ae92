import pytest

from faceaug.errors import DatasetDamaged
from faceaug.runs.log import JsonLog, read_log


def test_a_resumed_log_drops_what_its_checkpoint_has_not_seen(tmp_path):
    path = tmp_path / "log.jsonl"
    log = JsonLog(path)
    for images in (10, 20, 30):
        log.add(images=images)
    JsonLog(path, keep=lambda row: row["images"] <= 20).add(images=30, again=True)
    assert read_log(path) == [{"images": 10}, {"images": 20}, {"images": 30, "again": True}]


def test_a_line_cut_by_a_kill_is_left_out_but_damage_is_told(tmp_path):
    path = tmp_path / "log.jsonl"
    path.write_text('{"a": 1}\n{"a": ')
    assert read_log(path) == [{"a": 1}]
    path.write_text('{"a": \n{"a": 1}\n')
    with pytest.raises(DatasetDamaged, match="line 1"):
        read_log(path)


@pytest.mark.parametrize("line", [b"\xff\xfe", b"[1]", b"3"])
def test_a_line_that_is_no_object_is_told(tmp_path, line):
    path = tmp_path / "log.jsonl"
    path.write_bytes(line + b'\n{"a": 1}\n')
    with pytest.raises(DatasetDamaged, match=r"log\.jsonl: line 1 is no JSON object"):
        read_log(path)
