import pickle
import subprocess
import sys
import time

import h5py
import numpy as np
import pytest
from faceaug.datasets.synthetic import SyntheticFaces

from faceaug.errors import OutputError, ShardDamaged
from faceaug.files import write_json
from faceaug.labels import HELEN_11
from faceaug.shards.reader import ShardReader
from faceaug.shards.writer import COLUMNS, shard_name, write_shard


def _content(count, seed=0):
    rng = np.random.default_rng(seed)
    images = rng.integers(0, 256, (count, 8, 8, 3), dtype=np.uint8)
    labels = rng.integers(0, 11, (count, 8, 8), dtype=np.uint8)
    columns = {
        "target": [f"t{i}" for i in range(count)],
        "source": [f"sé{i}" for i in range(count)],
        "target_male": np.ones(count),
        "source_male": -np.ones(count),
        "source_mirrored": np.arange(count) % 2,
        "row": np.arange(count),
        "seed": np.full(count, 2**64 - 1, dtype=np.uint64),
        "agreement": rng.random(count),
    }
    return images, labels, columns


def _set(folder, counts):
    content = [_content(count, seed) for seed, count in enumerate(counts)]
    for number, (images, labels, columns) in enumerate(content):
        write_shard(
            folder / shard_name(number), images, labels, columns, number=number, scheme=HELEN_11, generator="g", config={"a": 1}
        )
    write_json(folder / "complete.json", {"shards": [{"file": shard_name(n), "rows": c} for n, c in enumerate(counts)]})
    return content


def test_round_trip_over_shards_and_empty_ones(tmp_path):
    content = _set(tmp_path, [3, 0, 2])
    reader = ShardReader(tmp_path)
    assert len(reader) == 5
    assert reader.config == {"a": 1}
    assert (reader.column("image") == np.concatenate([images for images, _, _ in content])).all()
    image, labels = reader.face(4)
    assert (image == content[2][0][1]).all()
    assert (labels == content[2][1][1]).all()
    about = reader.about(3)
    assert set(about) == set(COLUMNS)
    assert (about["target"], about["source"], about["source_male"], about["seed"]) == ("t0", "sé0", -1, 2**64 - 1)
    with pytest.raises(IndexError):
        reader.face(5)


def test_one_shard_alone_can_be_read(tmp_path):
    _set(tmp_path, [3, 2])
    assert len(ShardReader(tmp_path / shard_name(1))) == 2


def test_readers_travel_with_open_files(tmp_path):
    _set(tmp_path, [3])
    reader = ShardReader(tmp_path)
    first = reader.face(0)[0]
    again = pickle.loads(pickle.dumps(reader))
    assert (again.face(0)[0] == first).all()


def test_damage_is_named(tmp_path):
    _set(tmp_path, [3, 2])
    path = tmp_path / shard_name(1)
    whole = path.read_bytes()
    for length in (0, 100, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:length])
        with pytest.raises(ShardDamaged, match=r"shard-00001\.h5"):
            ShardReader(tmp_path)
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
    _set(tmp_path, [3])
    with h5py.File(path, "r+") as file:
        file.attrs["version"] = 99
    with pytest.raises(ShardDamaged, match="version is"):
        ShardReader(path)


def test_an_unfinished_set_is_refused_unless_asked_for(tmp_path):
    _set(tmp_path, [3])
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
    images, labels, columns = _content(1)
    with pytest.raises(OutputError, match="cannot be written"):
        write_shard(tmp_path / "file" / "s.h5", images, labels, columns, number=0, scheme=HELEN_11, generator="", config={})


def test_the_format_is_described_beside_the_code():
    from importlib.resources import files

    text = (files("faceaug.shards") / "FORMAT.md").read_text()
    assert all(f"`{name}`" in text for name in ("image", "label", *COLUMNS, "generator", "version"))


def test_a_shard_that_another_program_has_open_can_be_read(tmp_path):
    _set(tmp_path, [2])
    holding = "import h5py, sys; file = h5py.File(sys.argv[1], 'a'); print('open', flush=True); input()"
    command = [sys.executable, "-c", holding, str(tmp_path / shard_name(0))]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout.readline() == "open\n"
        assert len(ShardReader(tmp_path)) == 2
        other.communicate("\n")
    (tmp_path / shard_name(0)).unlink()
    (tmp_path / shard_name(0)).mkdir()
    with pytest.raises(ShardDamaged, match=r"cannot be read \(Is a directory\)$"):
        ShardReader(tmp_path)


def test_rotten_bytes_name_the_shard(tmp_path):
    _set(tmp_path, [3, 2])
    path = tmp_path / shard_name(1)
    images, labels, columns = _content(2)
    write_shard(path, 0 * images, labels, columns, number=1, scheme=HELEN_11, generator="", config={})
    whole = path.read_bytes()
    with h5py.File(path) as file:
        chunk = file["image"].id.get_chunk_info(0)
    path.write_bytes(whole[: chunk.byte_offset] + b"\xff" * chunk.size + whole[chunk.byte_offset + chunk.size :])
    faces = SyntheticFaces(tmp_path)
    for read in (lambda: faces[3], lambda: ShardReader(tmp_path).column("image")):
        with pytest.raises(ShardDamaged, match=r"shard-00001\.h5: cannot be read \(.*filter.*\); copy it again, or generate"):
            read()


def test_deletion_is_advised_only_for_a_shard_that_is_no_whole_one(tmp_path):
    _set(tmp_path, [2])
    path = tmp_path / shard_name(0)
    with h5py.File(path, "r+"):  # a notebook has it open with a lock
        assert len(ShardReader(tmp_path)) == 2
    whole = path.read_bytes()
    for content, told in (
        (whole[:-9], "delete it"),
        (b"", "delete it"),
        (whole[:700] + bytes(300) + whole[1000:], "copy it again"),
    ):
        path.write_bytes(content)
        with pytest.raises(ShardDamaged, match=told):
            ShardReader(tmp_path)


def test_a_damaged_list_of_shards_is_named(tmp_path):
    _set(tmp_path, [2])
    (tmp_path / "complete.json").write_text("")
    with pytest.raises(ShardDamaged, match=r"complete\.json: damaged .* delete this file and run the same"):
        ShardReader(tmp_path)
