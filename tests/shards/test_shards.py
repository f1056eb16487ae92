import json
import os
import pickle
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import h5py
import numpy as np
import pytest
from faceaug.datasets.synthetic import SyntheticFaces
from sets import CONFIG, content, write_old_shard, write_set

from faceaug.errors import OutputError, ShardDamaged
from faceaug.files import write_json
from faceaug.labels import CELEBAMASK_19, HELEN_11
from faceaug.shards import reader as module
from faceaug.shards.columns import COLUMNS
from faceaug.shards.reader import ShardReader
from faceaug.shards.writer import shard_name, write_shard


def test_round_trip_over_shards_and_empty_ones(tmp_path):
    made = write_set(tmp_path, [3, 0, 2])
    reader = ShardReader(tmp_path)
    assert len(reader) == 5
    assert reader.config == CONFIG
    assert (reader.column("image") == np.concatenate([images for images, _, _ in made])).all()
    image, labels = reader.face(4)
    assert (image == made[2][0][1]).all()
    assert (labels == made[2][1][1]).all()
    about = reader.about(3)
    assert set(about) == set(COLUMNS)
    assert about["params"] == {"skin": 0}
    assert about["mask_read"] == -1
    assert np.isnan(about["unknown"])
    assert (about["target"], about["source"], about["source_male"], about["seed"]) == ("t0", "sé0", -1, 2**64 - 1)
    with pytest.raises(IndexError):
        reader.face(5)


def test_one_shard_alone_can_be_read(tmp_path):
    write_set(tmp_path, [3, 2])
    assert len(ShardReader(tmp_path / shard_name(1))) == 2


def test_readers_travel_with_open_files(tmp_path):
    write_set(tmp_path, [3])
    reader = ShardReader(tmp_path)
    first = reader.face(0)[0]
    again = pickle.loads(pickle.dumps(reader))
    assert (again.face(0)[0] == first).all()


def test_damage_is_named(tmp_path):
    write_set(tmp_path, [3, 2])
    path = tmp_path / shard_name(1)
    whole = path.read_bytes()
    for length in (0, 100, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:length])
        reader = ShardReader(tmp_path)
        assert reader.face(2)[0].shape == (8, 8, 3)
        for read in (lambda reader=reader: reader.face(3), lambda reader=reader: reader.column("label")):
            with pytest.raises(ShardDamaged, match=r"shard-00001\.h5"):
                read()
    path.unlink()
    with pytest.raises(ShardDamaged, match="1 of 2 shards are missing"):
        ShardReader(tmp_path)
    with pytest.raises(ShardDamaged, match="no such folder"):
        ShardReader(tmp_path / "none")


def test_other_formats_are_refused(tmp_path):
    path = tmp_path / shard_name(0)
    with h5py.File(path, "w") as file:
        file["image"] = np.zeros(3)
    with pytest.raises(ShardDamaged, match="format is None"):
        ShardReader(path)
    write_set(tmp_path, [3])
    with h5py.File(path, "r+") as file:
        file.attrs["version"] = 99
    with pytest.raises(ShardDamaged, match="version is"):
        ShardReader(path)


def test_an_unfinished_set_is_refused_unless_asked_for(tmp_path):
    write_set(tmp_path, [3])
    (tmp_path / "complete.json").unlink()
    with pytest.raises(ShardDamaged, match="no finished set"):
        ShardReader(tmp_path)
    assert len(ShardReader(tmp_path, partial=True)) == 3


def test_a_kill_while_writing_leaves_no_shard(tmp_path):
    code = (
        "import sys, time, h5py, pathlib\nfrom faceaug.files import atomic_file\n"
        "with atomic_file(pathlib.Path(sys.argv[1])) as part, h5py.File(part, 'w') as file:\n"
        "    file['image'] = list(range(1000)); file.flush(); print('ready', flush=True); time.sleep(60)\n"
    )
    path = tmp_path / shard_name(0)
    process = subprocess.Popen([sys.executable, "-c", code, str(path)], stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "ready\n"
    process.kill()
    process.wait()
    process.stdout.close()
    time.sleep(0.1)
    assert not path.exists()
    assert not list(tmp_path.glob("shard-*"))


def test_unwritable(tmp_path):
    (tmp_path / "file").write_text("")
    images, labels, columns = content(1)
    with pytest.raises(OutputError, match="cannot be written"):
        write_shard(tmp_path / "file" / "s.h5", images, labels, columns, number=0, scheme=HELEN_11, generator="", config={})


def test_the_format_is_described_beside_the_code():
    from importlib.resources import files

    text = (files("faceaug.shards") / "FORMAT.md").read_text()
    assert all(f"`{name}`" in text for name in ("image", "label", *COLUMNS, "generator", "version"))


def test_a_shard_that_another_program_has_open_can_be_read(tmp_path):
    write_set(tmp_path, [2])
    holding = "import h5py, sys; file = h5py.File(sys.argv[1], 'a'); print('open', flush=True); input()"
    command = [sys.executable, "-c", holding, str(tmp_path / shard_name(0))]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout.readline() == "open\n"
        assert len(ShardReader(tmp_path)) == 2
        other.communicate("\n")
    (tmp_path / shard_name(0)).unlink()
    (tmp_path / shard_name(0)).mkdir()
    with pytest.raises(ShardDamaged, match=r"cannot be read \(Is a directory\)$"):
        ShardReader(tmp_path).face(0)


def test_rotten_bytes_name_the_shard(tmp_path):
    write_set(tmp_path, [3, 2])
    path = tmp_path / shard_name(1)
    images, labels, columns = content(2)
    write_shard(path, 0 * images, labels, columns, number=1, scheme=HELEN_11, generator="", config={})
    whole = path.read_bytes()
    with h5py.File(path) as file:
        chunk = file["image"].id.get_chunk_info(0)
    path.write_bytes(whole[: chunk.byte_offset] + b"\xa5" * chunk.size + whole[chunk.byte_offset + chunk.size :])
    faces = SyntheticFaces(tmp_path)
    for read in (lambda: faces[3], lambda: ShardReader(tmp_path).column("image")):
        with pytest.raises(ShardDamaged, match=r"shard-00001\.h5: cannot be read \(.*filter.*\); copy it again, or generate"):
            read()


def test_deletion_is_advised_only_for_a_shard_that_is_no_whole_one(tmp_path):
    write_set(tmp_path, [2])
    path = tmp_path / shard_name(0)
    with h5py.File(path, "r+"):  # a notebook has it open with a lock
        assert len(ShardReader(tmp_path)) == 2
    whole = path.read_bytes()
    for damaged, told in (
        (whole[:-9], "delete it"),
        (b"", "delete it"),
        (whole[:700] + bytes(300) + whole[1000:], "copy it again"),
    ):
        path.write_bytes(damaged)
        with pytest.raises(ShardDamaged, match=told):
            ShardReader(tmp_path).face(0)


def test_a_damaged_list_of_shards_is_named(tmp_path):
    write_set(tmp_path, [2])
    (tmp_path / "complete.json").write_text("")
    with pytest.raises(ShardDamaged, match=r"complete\.json: damaged .* delete this file and run the same"):
        ShardReader(tmp_path)


@pytest.mark.parametrize("facts", [True, False])
def test_rows_are_read_in_any_order(tmp_path, facts):
    made = write_set(tmp_path, [4, 0, 3, 5], facts=facts)
    reader = ShardReader(tmp_path)
    order = [11, 0, 5, 6, 0, 3, 4, 10]
    for name, values in {
        "image": np.concatenate([one[0] for one in made]),
        "label": np.concatenate([one[1] for one in made]),
        **{name: np.concatenate([one[2][name] for one in made]) for name in ("source", "seed", "params")},
    }.items():
        assert (reader.rows(name, order) == values[order]).all()
        assert (reader.column(name) == values).all()
        assert len(reader.rows(name, [])) == 0
    assert np.isnan(reader.rows("unknown", order)).all()
    assert (reader.rows("mask_read", order) == -1).all()
    with pytest.raises(IndexError):
        reader.rows("image", [3, 12])
    with pytest.raises(KeyError):
        reader.column("shoe size")


def test_the_same_content_gives_the_same_bytes_in_every_process(tmp_path):
    code = (
        "import sys, pathlib\nfrom sets import write_set\n"
        "litter = [bytes([i % 251]) * (37 * i) for i in range(1, int(sys.argv[2]))]; del litter\n"
        "write_set(pathlib.Path(sys.argv[1]), [0, 700], size=8)\n"
    )
    for name, litter in (("a", "2"), ("b", "900")):
        environment = {**os.environ, "PYTHONHASHSEED": litter, "PYTHONPATH": os.pathsep.join(sys.path)}
        subprocess.run([sys.executable, "-c", code, str(tmp_path / name), litter], check=True, env=environment)
        time.sleep(1.1)  # HDF5's times are in seconds
    for file in ("shard-00000.h5", "shard-00001.h5", "complete.json"):
        assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes()


@pytest.mark.parametrize("version", [1, 2, 3])
def test_older_versions_are_read_as_the_present_one(tmp_path, version):
    scheme = CELEBAMASK_19 if version == 3 else HELEN_11
    images, labels, columns = write_old_shard(tmp_path / shard_name(0), version, 4, scheme=scheme)
    write_json(tmp_path / "complete.json", {"shards": [{"file": shard_name(0), "rows": 4}]})
    reader = pickle.loads(pickle.dumps(ShardReader(tmp_path)))
    assert (len(reader), reader.size, reader.scheme, reader.config) == (4, 8, scheme, CONFIG)
    assert (reader.column("image") == images).all()
    assert (reader.face(2)[1] == labels[2]).all()
    about = reader.about(1)
    assert set(about) == set(COLUMNS)
    assert about["params"] == {}
    assert about["source_mirrored"] == (-1 if version == 1 else 1)
    for name, values in columns.items():
        assert (reader.column(name) == np.asarray(values, dtype=reader.column(name).dtype)).all()
    assert set(columns) <= set(reader.columns)
    assert len(ShardReader(tmp_path / shard_name(0))) == 4


def test_a_column_of_ones_own_is_kept(tmp_path):
    write_set(tmp_path, [2, 3])
    with h5py.File(tmp_path / shard_name(1), "r+") as file:
        file["shoe size"] = np.array([40.5, 41, 42])
        file["note"] = ["a", "b", "ü"]
        file["folder/of/something"] = 3
    reader = ShardReader(tmp_path)
    assert reader.columns[-2:] == ("note", "shoe size")
    assert reader.about(4)["note"] == "ü"
    assert np.array_equal(reader.column("shoe size"), [np.nan, np.nan, 40.5, 41, 42], equal_nan=True)
    assert list(reader.rows("note", [4, 0])) == ["ü", ""]
    images, labels, columns = content(2)
    path = tmp_path / "own" / shard_name(0)
    own = {**columns, "vector": np.eye(2), "word": ["one", "two"]}
    write_shard(path, images, labels, own, number=0, scheme=HELEN_11, generator="", config={})
    assert (ShardReader(path).column("vector") == np.eye(2)).all()
    assert ShardReader(path).about(1)["word"] == "two"


def test_what_a_shard_says_of_itself(tmp_path):
    write_set(tmp_path, [3])
    with h5py.File(tmp_path / shard_name(0)) as file:
        assert file.attrs["ai_generated"]
        assert file.attrs["digitalSourceType"].endswith("/trainedAlgorithmicMedia")
        for name, column in COLUMNS.items():
            if name in file:
                assert (file[name].attrs["type"], bool(file[name].attrs["required"])) == (column.kind, column.required)
                assert file[name].attrs["about"] == column.about


def test_columns_that_do_not_fit_are_the_callers_mistake(tmp_path):
    images, labels, columns = content(2)
    for wrong, told in (
        ({"params": None}, "columns lack params"),
        ({"row": [1]}, "column row: has 1 values for 2 rows"),
        ({"target": ["a\0b", "c"]}, "zero character"),
    ):
        given = {name: value for name, value in {**columns, **wrong}.items() if value is not None}
        with pytest.raises(ValueError, match=told):
            write_shard(tmp_path / "s.h5", images, labels, given, number=0, scheme=HELEN_11, generator="", config={})
    with pytest.raises(ValueError, match="are not"):
        write_shard(tmp_path / "s.h5", images, labels[1:], columns, number=0, scheme=HELEN_11, generator="", config={})
    assert not list(tmp_path.iterdir())


def test_shards_that_are_not_of_the_set_are_named(tmp_path):
    write_set(tmp_path, [2, 2])
    wrong = tmp_path / shard_name(1)
    for made, told in (
        (content(3), "holds 3 faces, the set's index says 2"),
        (content(2, size=16), "faces are 16 px, those of the set 8 px"),
    ):
        write_shard(wrong, *made, number=1, scheme=HELEN_11, generator="", config={})
        with pytest.raises(ShardDamaged, match=told):
            ShardReader(tmp_path).face(3)
    write_shard(wrong, *content(2), number=1, scheme=CELEBAMASK_19, generator="", config={})
    with pytest.raises(ShardDamaged, match="labels are of celebamask-19, those of the set of helen-11"):
        ShardReader(tmp_path).face(3)
    for broken in ({"shards": [{"file": shard_name(0)}]}, {"shards": [{"rows": 1}]}, {"shards": []}):
        write_json(tmp_path / "complete.json", broken)
        with pytest.raises(ShardDamaged, match=r"complete\.json: (damaged|lists no shards)"):
            ShardReader(tmp_path)


def test_files_are_opened_late_and_only_some_stay_open(tmp_path, monkeypatch):
    made = write_set(tmp_path, [1] * 12)
    opened = []
    open_one = module._opened
    monkeypatch.setattr(module, "_opened", lambda path: opened.append(path.name) or open_one(path))
    monkeypatch.setattr(module, "OPEN_FILES", 3)
    reader = ShardReader(tmp_path)
    assert opened == []
    for index in (0, 1, 2, 1, 0, 2):
        reader.face(index)
    assert len(opened) == 3
    for index in np.random.default_rng(0).integers(0, 12, 200):
        assert (reader.face(index)[0] == made[index][0][0]).all()
    assert reader._shard.cache_info().currsize <= 3


def test_threads_share_a_reader(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "OPEN_FILES", 2)
    made = write_set(tmp_path, [1] * 6)
    reader = ShardReader(tmp_path)
    order = np.random.default_rng(0).integers(0, 6, 300)
    with ThreadPoolExecutor(4) as pool:
        for index, (image, _) in zip(order, pool.map(reader.face, order), strict=True):
            assert (image == made[index][0][0]).all()


def test_opening_many_shards_and_reading_are_fast(tmp_path):
    """Opening does not depend on the number of shards, and reading has little beside HDF5's own work; bounds are wide."""
    write_set(tmp_path, [50], size=64)
    (tmp_path / "many").mkdir()
    index = json.loads((tmp_path / "complete.json").read_text())
    index["shards"] = [{**index["shards"][0], "file": shard_name(number), "rows": 500} for number in range(200)]
    for shard in index["shards"]:
        (tmp_path / "many" / shard["file"]).touch()
    write_json(tmp_path / "many" / "complete.json", index)

    def seconds(work):
        times = []
        for _ in range(5):
            began = time.perf_counter()
            work()
            times.append(time.perf_counter() - began)
        return min(times)

    assert len(ShardReader(tmp_path / "many")) == 100_000
    assert seconds(lambda: ShardReader(tmp_path / "many")) < 0.3
    reader = ShardReader(tmp_path)
    order = np.random.default_rng(0).integers(0, 50, 300).tolist()
    with h5py.File(tmp_path / shard_name(0), locking=False) as file:
        bare = seconds(lambda: [(file["image"][i], file["label"][i]) for i in order])
    assert seconds(lambda: [reader.face(i) for i in order]) < bare / 0.8


def test_a_reader_that_is_given_up_closes_its_files(tmp_path):
    write_set(tmp_path, [1, 1])
    before = h5py.h5f.get_obj_count(h5py.h5f.OBJ_ALL, h5py.h5f.OBJ_FILE)
    for closes in (True, False):
        reader = ShardReader(tmp_path)
        assert reader.about(1)["row"] == reader.column("row")[1]
        assert h5py.h5f.get_obj_count(h5py.h5f.OBJ_ALL, h5py.h5f.OBJ_FILE) == before + 2
        if closes:
            reader.close()
        else:
            del reader
        assert h5py.h5f.get_obj_count(h5py.h5f.OBJ_ALL, h5py.h5f.OBJ_FILE) == before
