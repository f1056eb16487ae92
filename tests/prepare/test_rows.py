import numpy as np
import pytest

from faceaug.errors import DatasetDamaged
from faceaug.prepare.rows import ChangedRows, Rows, StoredRows, row_hashes


@pytest.fixture
def array():
    return np.random.default_rng(0).integers(0, 256, (9, 4, 4, 3), dtype=np.uint8)


@pytest.fixture
def stored(array, tmp_path):
    (tmp_path / "rows").write_bytes(array.tobytes())
    return StoredRows(tmp_path / "rows", array.shape)


INDICES = (
    3, -1, np.int64(2), slice(None), slice(2, 7), slice(8, 1, -3), slice(4, 4), [5, 0, 5], np.array([8, 7, 6, 0, 1, 2]),
    np.arange(9) % 2 == 0, np.zeros(9, dtype=bool),
)  # fmt: skip


@pytest.mark.parametrize("index", INDICES, ids=str)
def test_rows_are_indexed_as_arrays_are(array, stored, index):
    joined = Rows(array[:4], StoredRows(stored._path, array.shape), chosen=np.array([0, 1, 2, 3, 8, 9, 10, 11, 12]))
    whole = np.concatenate([array[:4], array])[[0, 1, 2, 3, 8, 9, 10, 11, 12]]
    for lazy, wanted in ((stored, array), (joined, whole)):
        assert lazy.shape == wanted.shape
        assert lazy.dtype == np.uint8
        assert lazy[index].shape == wanted[index].shape
        assert (lazy[index] == wanted[index]).all()
        assert (np.asarray(lazy) == wanted).all()
        assert ((lazy == 3) == (wanted == 3)).all()


def test_what_is_not_there_is_an_error(stored, tmp_path):
    with pytest.raises(IndexError):
        stored[9]
    with pytest.raises(ValueError, match="does not have 10 rows"):
        StoredRows(stored._path, (10, 4, 4, 3))


def test_a_file_that_was_cut_is_an_error(stored):
    stored._path.write_bytes(stored._path.read_bytes()[:100])
    with pytest.raises(DatasetDamaged, match=r"rows: cannot be read \(shorter than it was\); delete its folder"):
        _ = stored[:]
    stored._path.unlink()
    with pytest.raises(DatasetDamaged, match=r"rows: cannot be read \(No such file or directory\)"):
        _ = stored[0]


def test_hashes_are_of_what_rows_hold_wherever_they_lie(array, stored):
    hashes = row_hashes(array)
    assert len({found.tobytes() for found in hashes}) == 9
    assert (row_hashes(stored) == hashes).all()
    assert (row_hashes(Rows(stored, array, chosen=np.array([10, 3])), np.array([1, 0])) == hashes[[3, 1]]).all()
    known = StoredRows(stored._path, array.shape, hashes)
    known._path.write_bytes(bytes(array.nbytes))  # they are not computed again
    assert (row_hashes(known, np.array([4])) == hashes[[4]]).all()


def test_rows_are_changed_when_they_are_read():
    array = np.arange(24, dtype=np.uint8).reshape(6, 2, 2)
    seen = []

    def change(rows):
        seen.append(len(rows))
        return 255 - rows

    changed = ChangedRows(array, change)
    assert not seen
    assert (changed[[4, 1]] == 255 - array[[4, 1]]).all()
    assert (changed[2] == 255 - array[2]).all()
    assert seen == [2, 1]
    assert (Rows(changed, chosen=np.array([3, 3, 0]))[:] == 255 - array[[3, 3, 0]]).all()
    assert (row_hashes(changed) == row_hashes(255 - array)).all()
