import hashlib
import json
import shutil

import numpy as np
import pytest
from small import noise_faces, write_set

from faceaug.errors import ConfigError, ShardDamaged
from faceaug.shards.dropped import DropFile, read_dropped, rows_without
from faceaug.shards.index import set_hash
from faceaug.shards.merge import merge
from faceaug.shards.reader import ShardReader
from faceaug.shards.verify import file_hash


@pytest.fixture
def reader(tmp_path):
    return ShardReader(write_set(tmp_path / "set", noise_faces(10, 16)))


def _bytes(folder):
    return {path.name: hashlib.sha256(path.read_bytes()).digest() for path in folder.iterdir()}


def test_rows_are_dropped_and_taken_back_and_the_set_stays(tmp_path, reader):
    before = _bytes(reader.folder)
    file = DropFile(tmp_path / "lists", reader)
    assert file.read().rows == ()
    assert not file.path.parent.exists()  # nothing is made before a row is dropped
    assert file.change(drop=[7, 2, 7]).rows == (2, 7)
    assert file.change(drop=[0], keep=[7, 9]).rows == (0, 2)
    found = json.loads(file.path.read_text())
    assert found["rows"] == [0, 2]
    assert found["set"] == "set"
    assert DropFile(tmp_path / "lists", reader).read() == read_dropped(file.path)
    with pytest.raises(ConfigError, match=r"drop: row 10 is not in set, which has rows 0 to 9"):
        file.change(drop=[1, 10])
    assert file.read().rows == (0, 2)
    assert _bytes(reader.folder) == before


def test_two_hands_at_one_list(tmp_path, reader):
    one, other = DropFile(tmp_path / "lists", reader), DropFile(tmp_path / "lists", reader)
    one.change(drop=[1])
    other.change(drop=[2])
    assert one.read().rows == (1, 2)


def test_never_in_the_set(reader):
    for folder in (reader.folder, reader.folder / "lists", reader.folder / ".." / reader.folder.name):
        with pytest.raises(ConfigError, match=r"--dropped .*: is in the set .*, which is not changed; name another folder"):
            DropFile(folder, reader)


def test_a_single_shard_has_no_list(tmp_path, reader):
    with pytest.raises(ShardDamaged, match="holds no finished set"):
        DropFile(tmp_path / "lists", ShardReader(reader.paths[0]))


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"rows": [3, 10]}, r"row 10 is not in set, which has rows 0 to 9"),
        ({"rows": [3, -1]}, r"row -1 is not in set"),
        ({"rows": [3, 40], "faces": 50}, r"row 40 is not in set, which has rows 0 to 9"),
        ({"rows": [True]}, r"damaged \(faces and rows must be whole numbers\); write it again"),
        ({"rows": "3"}, r"damaged \(faces and rows must be whole numbers\)"),
        ({"rows": [1.5]}, r"damaged"),
        ({"hash": "0" * 64}, r"lists rows of another set, set \(00000000\), not of .*set; name that set"),
    ],
)
def test_lists_that_do_not_fit_are_one_line(tmp_path, reader, change, told):
    file = DropFile(tmp_path / "lists", reader)
    file.change(drop=[3])
    file.path.write_text(json.dumps({**json.loads(file.path.read_text()), **change}))
    with pytest.raises(ConfigError, match=told) as raised:
        rows_without([reader], [file.path])
    assert str(raised.value).startswith(str(file.path))
    assert "\n" not in str(raised.value)


def test_no_list_and_no_json_are_one_line(tmp_path, reader):
    with pytest.raises(ConfigError, match=r"none.json: no such list of dropped rows"):
        rows_without([reader], [tmp_path / "none.json"])
    (tmp_path / "a.json").write_text("{")
    with pytest.raises(ConfigError, match=r"a.json: damaged"):
        rows_without([reader], [tmp_path / "a.json"])


def test_a_set_is_known_again_where_it_was_copied_to_and_not_where_it_differs(tmp_path, reader):
    folder = merge([reader.folder, write_set(tmp_path / "more", noise_faces(3, 16))], tmp_path / "both") and tmp_path / "both"
    shutil.copytree(folder, tmp_path / "copy")
    index = tmp_path / "copy" / "complete.json"
    index.write_text(json.dumps({**json.loads(index.read_text()), "files": {"data_root": "elsewhere"}}))
    assert set_hash(folder) == set_hash(tmp_path / "copy") != set_hash(reader.folder)
    assert set_hash(reader.folder) == file_hash(reader.folder / "complete.json")  # shards without hashes
    file = DropFile(tmp_path / "lists", ShardReader(folder))
    file.change(drop=np.array([12]).tolist())
    assert rows_without([reader, ShardReader(tmp_path / "copy")], [file.path]) == [(), (12,)]
