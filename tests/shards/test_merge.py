import json

import h5py
import numpy as np
import pytest
from sets import PROVENANCE, write_old_shard, write_set

from faceaug.errors import ConfigError, ShardDamaged
from faceaug.files import write_json
from faceaug.labels import CELEBAMASK_19
from faceaug.shards.index import read_index
from faceaug.shards.merge import merge
from faceaug.shards.reader import ShardReader
from faceaug.shards.verify import verify


def test_a_merged_set_has_all_faces_and_where_they_came_from(tmp_path):
    first, second = write_set(tmp_path / "a", [3, 0, 2]), write_set(tmp_path / "b", [4], seed=9)
    with h5py.File(tmp_path / "b" / "shard-00000.h5", "r+") as file:
        file["note"] = ["w", "x", "y", "z"]
    summary = merge([tmp_path / "a", tmp_path / "b"], tmp_path / "both")
    reader = ShardReader(tmp_path / "both")
    assert summary == read_index(tmp_path / "both")
    assert len(reader) == summary["faces"] == 9
    assert (reader.column("image") == np.concatenate([one[0] for one in first + second])).all()
    assert (reader.column("label") == np.concatenate([one[1] for one in first + second])).all()
    about = reader.about(6)
    assert about["params"] == {"skin": 1, "merged_from": {"set": "b", "row": 1}}
    assert (about["row"], about["note"]) == (7 + 1, "x")
    assert reader.column("note").tolist() == ["", "", "", "", "", "w", "x", "y", "z"]
    assert reader.config["targets"] == {"title": "drawn targets", "count": 14}
    assert (summary["planned"], summary["dropped"]) == (7 + 6, {"agreement too low": 4})
    assert summary["provenance"] == PROVENANCE
    assert summary["agreement"]["mean"] == pytest.approx(float(reader.column("agreement").mean()), abs=1e-4)
    assert verify(tmp_path / "both") == []
    assert {"README.md", "croissant.json", "faces.png", "config.json"} <= {path.name for path in (tmp_path / "both").iterdir()}
    merge([tmp_path / "a", tmp_path / "b"], tmp_path / "again")
    for name in ("shard-00000.h5", "shard-00002.h5", "complete.json"):
        assert (tmp_path / "both" / name).read_bytes() == (tmp_path / "again" / name).read_bytes()


def test_older_sets_become_the_present_version(tmp_path):
    write_set(tmp_path / "new", [2])
    images, _, _ = write_old_shard(tmp_path / "old" / "shard-00000.h5", 1, 3)
    rest = {"faces": 3, "planned": 3, "dropped": {}, "agreement": {"mean": 0.5, "p10": 0.2}}
    write_json(tmp_path / "old" / "complete.json", {"shards": [{"file": "shard-00000.h5", "rows": 3}], **rest})
    merge([tmp_path / "old", tmp_path / "new"], tmp_path / "both")
    reader = ShardReader(tmp_path / "both")
    assert (reader.rows("image", [0, 1, 2]) == images).all()
    assert reader.column("source_mirrored").tolist()[:3] == [-1, -1, -1]
    with h5py.File(reader.paths[0], locking=False) as file:
        assert file.attrs["version"] == 4


def test_sets_that_do_not_fit_are_refused(tmp_path):
    write_set(tmp_path / "a", [2])
    write_set(tmp_path / "large", [2], size=16)
    write_set(tmp_path / "other", [2], scheme=CELEBAMASK_19)
    (tmp_path / "there").mkdir()
    a = tmp_path / "a"
    for folders, out, told in (
        ([a, tmp_path / "large"], "out", r"large: its faces are 16 px, those of .*a 8 px"),
        ([a, tmp_path / "other"], "out", r"other: its labels are of celebamask-19, those of .*a of helen-11"),
        ([a], "out", "1 sets are named"),
        ([a, a], "out", "each once"),
        ([a, tmp_path / "large"], "there", "--out .*there: is there already"),
    ):
        with pytest.raises(ConfigError, match=told):
            merge(folders, tmp_path / out)
    assert not (tmp_path / "out").exists()


def test_a_damaged_set_leaves_nothing(tmp_path):
    write_set(tmp_path / "a", [2])
    write_set(tmp_path / "b", [2, 2])
    broken = tmp_path / "b" / "shard-00001.h5"
    broken.write_bytes(broken.read_bytes()[:900])
    with pytest.raises(ShardDamaged, match=r"b/shard-00001\.h5"):
        merge([tmp_path / "a", tmp_path / "b"], tmp_path / "both")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "b"]


def test_agreements_that_were_not_measured_are_left_out(tmp_path):
    write_set(tmp_path / "a", [2])
    write_set(tmp_path / "b", [2], seed=4)
    for name in "ab":
        with h5py.File(tmp_path / name / "shard-00000.h5", "r+") as file:
            file["agreement"][:] = [np.nan, 0.25 if name == "a" else np.nan]
    assert merge([tmp_path / "a", tmp_path / "b"], tmp_path / "both")["agreement"] == {"mean": 0.25, "p10": 0.25}
    assert "NaN" not in json.dumps(read_index(tmp_path / "both"))
