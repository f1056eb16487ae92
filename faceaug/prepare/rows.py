"""Rows of arrays that are larger than memory: read from their files when they are asked for, joined and chosen without a copy."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from faceaug.arrays import ByteArray, IntArray
from faceaug.errors import DatasetDamaged

_AT_ONCE = 2**22
"""Bytes of rows that are held at once where all are looked through."""


class LazyRows:
    """What rows that are read when asked for share: indexing as numpy does it along the first axis, and conversion to an array.

    A class of such rows says its ``shape`` and how it reads some of them; :mod:`faceaug.datasets.shard_rows` has another one.
    """

    shape: tuple[int, ...]
    dtype = np.dtype(np.uint8)

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return len(self.shape)

    @cached_property
    def _numbers(self) -> IntArray:
        return np.arange(len(self))

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, rows: Any) -> ByteArray:
        wanted = self._numbers[rows]
        found = self._read(np.atleast_1d(wanted))
        return found[0] if np.ndim(wanted) == 0 else found

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> ByteArray:
        return np.asarray(self[:], dtype=dtype)

    def __eq__(self, other: object) -> Any:
        return self[:] == other  # as of arrays: element by element

    __hash__ = object.__hash__

    def _read(self, rows: IntArray) -> ByteArray:
        """Rows ``(K,)`` of 0..N-1 in their order, ``(K, ...)`` uint8."""
        raise NotImplementedError

    def hashes(self, rows: IntArray) -> ByteArray:
        """SHA-256 of each of some rows: ``(K, 32)`` uint8."""
        return _computed(self, rows)


class StoredRows(LazyRows):
    """Rows of a file of bytes.

    Not a memory map: of a set that was looked through once, all pages of the map would count as the process's memory.

    Args:
        path: the file.
        shape: ``(N, ...)`` of its bytes.
        hashes: ``(N, 32)`` uint8: SHA-256 of each row, where they are known.

    Raises:
        ValueError: the file has another size, or there are too few hashes.
    """

    def __init__(self, path: Path, shape: tuple[int, ...], hashes: ByteArray | None = None) -> None:
        self._path, self.shape, self._hashes = path, shape, hashes
        self._bytes = int(np.prod(shape[1:]))
        if path.stat().st_size != shape[0] * self._bytes or (hashes is not None and hashes.shape != (shape[0], 32)):
            raise ValueError(f"{path}: does not have {shape[0]} rows")

    def _read(self, rows: IntArray) -> ByteArray:
        try:
            return self._read_file(rows)
        except OSError as error:  # it was there when the set was opened
            reason = error.strerror or str(error)
            raise DatasetDamaged(f"{self._path}: cannot be read ({reason}); delete its folder, and it is made again") from error

    def _read_file(self, rows: IntArray) -> ByteArray:
        found = np.empty((len(rows), *self.shape[1:]), dtype=np.uint8)
        flat = found.reshape(-1).data
        breaks = np.flatnonzero(np.diff(rows) != 1) + 1  # rows that follow one another are read at once
        with open(self._path, "rb", buffering=0) as file:
            for start, stop in zip([0, *breaks], [*breaks, len(rows)], strict=True):
                if start == stop:  # no rows at all
                    continue
                file.seek(int(rows[start]) * self._bytes)
                part = flat[start * self._bytes : stop * self._bytes]
                while part:
                    count = file.readinto(part)
                    if not count:
                        raise OSError("shorter than it was")
                    part = part[count:]
        return found

    def hashes(self, rows: IntArray) -> ByteArray:
        """See the base class."""
        return _computed(self, rows) if self._hashes is None else self._hashes[rows]


class Rows(LazyRows):
    """Rows of several arrays as one, all or some of them.

    Args:
        arrays: one after the other, of equal row shape: numpy's, or of the classes here.
        chosen: ``(N,)`` rows of them, in their order; all where None.
    """

    def __init__(self, *arrays: Any, chosen: IntArray | None = None) -> None:
        self._arrays = arrays
        self._ends = np.cumsum([len(array) for array in arrays])
        self._chosen = np.arange(int(self._ends[-1])) if chosen is None else chosen
        self.shape = (len(self._chosen), *arrays[0].shape[1:])

    def _read(self, rows: IntArray) -> ByteArray:
        return self._gather(rows, lambda array, some: array[some], self.shape[1:])

    def hashes(self, rows: IntArray) -> ByteArray:
        """See the base class."""
        return self._gather(rows, row_hashes, (32,))

    def _gather(self, rows: IntArray, function: Any, shape: tuple[int, ...]) -> ByteArray:
        flat = self._chosen[rows]
        found = np.empty((len(flat), *shape), dtype=np.uint8)
        which = np.searchsorted(self._ends, flat, side="right")
        for number, array in enumerate(self._arrays):
            here = which == number
            if here.any():
                found[here] = function(array, flat[here] - (self._ends[number] - len(array)))
        return found


class ChangedRows(LazyRows):
    """Rows of an array changed when they are read.

    Args:
        array: numpy's, or of the classes here.
        change: ``(K, ...)`` rows to as many of the same shape; each row by itself.
    """

    def __init__(self, array: Any, change: Callable[[ByteArray], ByteArray]) -> None:
        self._array, self._change = array, change
        self.shape = array.shape

    def _read(self, rows: IntArray) -> ByteArray:
        return self._change(self._array[rows])


def row_hashes(rows: Any, chosen: IntArray | None = None) -> ByteArray:
    """SHA-256 of each row of an array, or of some: ``(K, 32)`` uint8. Equal rows have equal hashes wherever they are kept."""
    chosen = np.arange(len(rows)) if chosen is None else chosen
    return rows.hashes(chosen) if isinstance(rows, LazyRows) else _computed(rows, chosen)


def row_hash(row: Any) -> bytes:
    """SHA-256 of one row."""
    return hashlib.sha256(np.ascontiguousarray(row).data).digest()


def _computed(rows: Any, chosen: IntArray) -> ByteArray:
    found = np.empty((len(chosen), 32), dtype=np.uint8)
    together = max(_AT_ONCE // max(int(np.prod(rows.shape[1:])), 1), 1)
    for start in range(0, len(chosen), together):
        for at, row in enumerate(rows[chosen[start : start + together]], start):
            found[at] = np.frombuffer(row_hash(row), dtype=np.uint8)
    return found
