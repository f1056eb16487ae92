import json

import numpy as np
from PIL import Image
from sets import write_set

from faceaug.labels import CELEBAMASK_19
from faceaug.shards.reader import ShardReader


def test_info_and_verify(faceaug, tmp_path):
    write_set(tmp_path / "set", [3, 2])
    out = faceaug("shards", "info", "set").out
    for told in ("5 of 7 planned; dropped: 2 agreement too low", "8 px, 2 shards", "helen-11, 11 classes", "params, target_male"):
        assert told in out
    assert "licence:   MIT (drawn by faceaug)" in out
    assert faceaug("shards", "verify", "set").code == 0
    path = tmp_path / "set" / "shard-00001.h5"
    path.write_bytes(path.read_bytes() + b"x")
    outcome = faceaug("shards", "verify", "set")
    assert outcome.code == 1
    assert "1 of 2 shards are bad" in outcome.out
    index = json.loads((tmp_path / "set" / "complete.json").read_text())
    (tmp_path / "set" / "complete.json").write_text(json.dumps({**index, "agreement": {"mean": None, "p10": None}}))
    assert "agreement: not measured" in faceaug("shards", "info", "set").out


def test_preview(faceaug, tmp_path):
    write_set(tmp_path / "set", [3, 2])
    assert "preview: 5 faces, preview.png" in faceaug("shards", "preview", "set").out
    assert faceaug("shards", "preview", "set", "--rows", "0, 4", "--out", "some/faces.png").code == 0
    with Image.open(tmp_path / "some" / "faces.png") as picture:
        assert np.asarray(picture).ndim == 3
    for args, told in (
        (("--rows", "0,x"), "--rows '0,x': must be numbers with commas"),
        (("--rows", "9"), "--rows 9: set has rows 0 to 4"),
        (("--count", 0), "--count 0: must be 1 or more"),
    ):
        outcome = faceaug("shards", "preview", "set", *args)
        assert outcome.code == 2
        assert told in outcome.error


def test_merge_export_and_push(faceaug, tmp_path):
    write_set(tmp_path / "a", [3])
    write_set(tmp_path / "b", [2])
    write_set(tmp_path / "c", [2], scheme=CELEBAMASK_19)
    assert "merge: 5 faces of 2 sets in 2 shards, both" in faceaug("shards", "merge", "a", "b", "--out", "both").out
    assert len(ShardReader(tmp_path / "both")) == 5
    assert "label" in faceaug("shards", "merge", "a", "c", "--out", "none").error
    assert "export: 5 faces as folder, faces" in faceaug("shards", "export", "both", "--to", "folder", "--out", "faces").out
    assert len(list((tmp_path / "faces" / "images").iterdir())) == 5
    assert faceaug("shards", "export", "both", "--to", "folder", "--out", "faces").code == 2
    out = faceaug("push", "both", "me/faces", "--dry-run").out
    assert "push: would upload 7 files" in out
    assert "  shard-00001.h5" in out
    assert "must be OWNER/NAME" in faceaug("push", "both", "faces").error
