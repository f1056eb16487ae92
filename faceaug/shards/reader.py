"""Reading shards: rows by number over all shards of a set, each shard checked when it is first opened."""

from __future__ import annotations

import bisect
import contextlib
import functools
import itertools
import json
import os
import weakref
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import numpy.typing as npt

from faceaug.arrays import ByteArray, IntArray
from faceaug.errors import ConfigError, ShardDamaged
from faceaug.files import read_json
from faceaug.labels import Scheme
from faceaug.shards.columns import COLUMNS, PIXELS, TEXT, kind_of, missing
from faceaug.shards.formats import ShardFacts, facts_of, parse_scheme
from faceaug.shards.index import COMPLETE as COMPLETE

OPEN_FILES = 128
"""Shards that a process keeps open, at most; systems allow 256 files and more."""

_ADVICE = "copy the set again, or delete this file and run the same `faceaug generate` command"


class ShardReader:
    """Random access to the faces of a set.

    Of a finished set the index says how many faces each shard holds, so opening takes no longer with many shards. A shard is
    opened and checked when a face of it is first read, in each process for itself: readers can be pickled and forked freely.

    Args:
        folder: a folder of shards, or one shard file.
        partial: accept a folder whose generation is not finished.

    Attributes:
        paths: the shards.
        size: side of the faces in pixels.

    Raises:
        ShardDamaged: missing, unfinished, truncated, or not of this format.
    """

    def __init__(self, folder: str | Path, *, partial: bool = False) -> None:
        self.folder = Path(folder)
        self._process = os.getpid()
        self._shard = self._cache()
        self._facts: dict[int, ShardFacts] = {}
        self.size = 0
        self._scheme: Scheme | None = None
        index = self._index()
        self.paths = self._find(index, partial)
        self._rows = self._lengths(index)
        self._ends: list[int] = np.cumsum(self._rows).tolist()
        if not self._ends[-1]:
            raise ShardDamaged(f"{self.folder}: its shards hold no faces; generate with weaker filters")
        if self._scheme is None:  # an index of an older version
            self._first_facts()

    def _index(self) -> dict[str, Any] | None:
        path = self.folder / COMPLETE
        return read_json(path, "shards", advice=_ADVICE, error=ShardDamaged) if path.is_file() else None

    def _find(self, index: dict[str, Any] | None, partial: bool) -> list[Path]:
        if self.folder.is_file():
            return [self.folder]
        if not self.folder.is_dir():
            raise ShardDamaged(f"{self.folder}: no such folder of shards; run `faceaug generate` first, or name another")
        there = {entry.name for entry in os.scandir(self.folder)}
        if index is None:
            found = sorted(name for name in there if name.startswith("shard-") and name.endswith(".h5"))
            if not partial or not found:
                raise ShardDamaged(f"{self.folder}: holds no finished set; run the same `faceaug generate` command to its end")
            return [self.folder / name for name in found]
        try:
            listed = [str(shard["file"]) for shard in index["shards"]]
        except (KeyError, TypeError) as error:
            raise ShardDamaged(f"{self.folder / COMPLETE}: damaged (a shard without a file); {_ADVICE}") from error
        lacking = [name for name in listed if name not in there]
        if lacking:
            missing_one = self.folder / lacking[0]
            raise ShardDamaged(f"{missing_one}: {len(lacking)} of {len(listed)} shards are missing; copy the set again")
        if not listed:
            raise ShardDamaged(f"{self.folder / COMPLETE}: lists no shards; {_ADVICE}")
        return [self.folder / name for name in listed]

    def _lengths(self, index: dict[str, Any] | None) -> list[int]:
        """Rows of each shard: as the index says, else as the files do; size and scheme likewise."""
        where = self.folder / COMPLETE
        if index is None:
            found = []
            for number, path in enumerate(self.paths):
                with _told(path), _opened(path) as file:
                    self._check(number, facts_of(file, path))
                found.append(self._facts[number].rows)
            return found
        rows = [shard.get("rows") for shard in index["shards"]]
        if not all(isinstance(count, int) and count >= 0 for count in rows):
            raise ShardDamaged(f"{where}: damaged (a shard without its number of rows); {_ADVICE}")
        if "scheme" in index:
            try:
                self.size, self._scheme = int(index["size"]), parse_scheme(index["scheme"], str(where))
            except (KeyError, TypeError, ValueError, ConfigError) as error:
                raise ShardDamaged(f"{where}: damaged ({error}); {_ADVICE}") from error
        return rows

    def _first_facts(self) -> ShardFacts:
        first = next(number for number, count in enumerate(self._rows) if count)
        self._open(first)
        return self._facts[first]

    @property
    def scheme(self) -> Scheme:
        """Of the labels."""
        assert self._scheme is not None  # set when the reader is made
        return self._scheme

    @cached_property
    def config(self) -> dict[str, Any]:
        """What the set was made from, as its first shard with faces says."""
        return self._first_facts().config

    @cached_property
    def generator(self) -> str:
        """Hash of the generator's weights, as its first shard with faces says."""
        return self._first_facts().generator

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns that any of its shards has, known ones first."""
        found: set[str] = set()
        for number, count in enumerate(self._rows):
            found.update(self._open(number).extra if count else ())
        return (*(name for name in COLUMNS if name in found or COLUMNS[name].required), *sorted(found - set(COLUMNS)))

    @property
    def spans(self) -> list[tuple[int, int]]:
        """First row, and the one behind the last, of each shard that holds any."""
        return [(stop - count, stop) for count, stop in zip(self._rows, self._ends, strict=True) if count]

    def _check(self, number: int, facts: ShardFacts) -> None:
        """Remember what a shard says of itself.

        Raises:
            ShardDamaged: the index, or the shards before it, say something else.
        """
        path, rows = self.paths[number], getattr(self, "_rows", None)
        if rows is not None and facts.rows != rows[number]:
            raise ShardDamaged(f"{path}: holds {facts.rows} faces, the set's index says {rows[number]}; copy the set again")
        size, scheme = self.size or facts.size, self._scheme or facts.scheme
        if facts.scheme != scheme:
            raise ShardDamaged(f"{path}: its labels are of {facts.scheme.name}, those of the set of {scheme.name}")
        if facts.rows and facts.size != size:
            raise ShardDamaged(f"{path}: its faces are {facts.size} px, those of the set {size} px; copy the set again")
        self.size, self._scheme = size, scheme
        self._facts[number] = facts

    def __len__(self) -> int:
        return self._ends[-1]

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name != "_shard"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._shard = self._cache()

    def _cache(self) -> Callable[[int], _Shard]:
        this = weakref.ref(self)  # a reader that is given up closes its files at once

        def load(number: int) -> _Shard:
            reader = this()
            assert reader is not None  # it is what calls
            return reader._load(number)

        # One that is pushed out closes when the last thread that reads from it lets it go.
        return functools.lru_cache(maxsize=OPEN_FILES)(load)

    def _load(self, number: int) -> _Shard:
        path = self.paths[number]
        with _told(path):
            file = _opened(path)
            if number not in self._facts:
                self._check(number, facts_of(file, path))
            return _Shard(file)

    def _open(self, number: int) -> _Shard:
        if self._process != os.getpid():  # forked: the parent's handles must not be shared
            self._shard, self._process = self._cache(), os.getpid()
        return self._shard(number)

    def _locate(self, index: int) -> tuple[int, int]:
        if not 0 <= index < self._ends[-1]:
            raise IndexError(index)
        shard = bisect.bisect_right(self._ends, index)
        return shard, int(index) - (self._ends[shard - 1] if shard else 0)

    def face(self, index: int) -> tuple[ByteArray, ByteArray]:
        """Image ``(S, S, 3)`` uint8 RGB and labels ``(S, S)`` uint8 of one row.

        Raises:
            ShardDamaged: the row cannot be read; so for the other methods.
        """
        number, row = self._locate(index)
        shard = self._open(number)
        try:
            return shard.image[row], shard.label[row]
        except (OSError, RuntimeError, KeyError) as error:
            raise _explained(self.paths[number], error) from error

    def about(self, index: int) -> dict[str, Any]:
        """All values of one row: :data:`~faceaug.shards.columns.COLUMNS` and the shard's own; ``params`` as a dictionary."""
        number, row = self._locate(index)
        path, shard = self.paths[number], self._open(number)
        found: dict[str, Any] = {}
        with _told(path):
            for name in dict.fromkeys([*COLUMNS, *shard.extra]):
                column = shard.get(name)
                value = COLUMNS[name].missing if column is None else column[row]
                found[name] = value.item() if isinstance(value, np.generic) else value
        try:
            found["params"] = json.loads(found["params"])
        except ValueError as error:
            raise ShardDamaged(f"{path}: params of row {row} are no JSON; copy it again, or generate the set anew") from error
        return found

    def column(self, name: str) -> npt.NDArray[Any]:
        """One column over all rows, or ``image`` or ``label``; rows of shards without it have what stands for unknown.

        Raises:
            KeyError: no shard has a column of that name, and this version knows none.
        """
        return self.rows(name, np.arange(len(self)))

    def rows(self, name: str, indices: Sequence[int] | IntArray) -> npt.NDArray[Any]:
        """A column at some rows, in the given order; files are read from their start to their end, each once.

        Args:
            name: as for :meth:`column`.
            indices: row numbers in any order; repeats are allowed.

        Raises:
            IndexError: a row that is not there.
            KeyError: as :meth:`column`.
        """
        wanted = np.asarray(indices, dtype=np.int64)
        unique, back = np.unique(wanted, return_inverse=True)
        if len(unique) and not (unique[0] >= 0 and unique[-1] < len(self)):
            raise IndexError(int(unique[0] if unique[0] < 0 else unique[-1]))
        parts: list[npt.NDArray[Any] | int] = []
        borders = np.searchsorted(unique, [0, *self._ends])
        for number, (start, stop) in enumerate(itertools.pairwise(borders)):
            if start < stop:
                before = self._ends[number - 1] if number else 0
                with _told(self.paths[number]):
                    column = self._open(number).get(name)
                    parts.append(int(stop - start) if column is None else _some(column, unique[start:stop] - before))
        found = _joined(parts, *self._like(name, parts))
        in_order = len(wanted) == len(unique) and bool((back == np.arange(len(back))).all())
        return found if in_order else found[back]

    def _like(self, name: str, parts: Sequence[npt.NDArray[Any] | int]) -> tuple[npt.NDArray[Any], Any]:
        """An array of a column's shape and type, and what stands for unknown in it."""
        found = next((part for part in parts if not isinstance(part, int)), None)
        if found is None:
            found = self._sample(name)
        unknown = COLUMNS[name].missing if name in COLUMNS else missing(kind_of(found))
        return found, unknown

    def _sample(self, name: str) -> npt.NDArray[Any]:
        """No rows of a column: as some shard has it, else as it is known."""
        for number, count in enumerate(self._rows):
            column = self._open(number).get(name) if count else None
            if column is not None:
                with _told(self.paths[number]):
                    return np.asarray(column[:0])
        kind = COLUMNS[name].kind
        return np.empty(0, dtype=object if kind == TEXT else kind)

    def close(self) -> None:
        """Close this process's files."""
        self._shard = self._cache()


class _Shard:
    """An open shard: its datasets by name, found once."""

    def __init__(self, file: h5py.File) -> None:
        self._file = file
        self.image, self.label = file["image"], file["label"]
        self._columns: dict[str, Any] = {}

    @cached_property
    def extra(self) -> tuple[str, ...]:
        """Names of all its columns."""
        rows = self.image.shape[0]
        return tuple(
            name
            for name, found in self._file.items()
            if name not in PIXELS and isinstance(found, h5py.Dataset) and found.shape[:1] == (rows,)
        )

    def get(self, name: str) -> Any:
        """A dataset, of text as one of str; None where it is not there."""
        if name not in self._columns:
            found = self._file.get(name)
            self._columns[name] = found.asstr() if found is not None and kind_of(found) == TEXT else found
        return self._columns[name]


def _some(column: Any, rows: IntArray) -> npt.NDArray[Any]:
    """Ascending rows of a dataset: runs of pictures as slices, since HDF5 is slow at lists; of small values, of all."""
    if not isinstance(column, h5py.Dataset) or column.ndim == 1:  # text, numbers
        return np.asarray(column[:])[rows]
    starts = np.flatnonzero(np.diff(rows, prepend=-2) != 1)
    found = np.empty((len(rows), *column.shape[1:]), dtype=column.dtype)
    for start, stop in zip(starts, [*starts[1:], len(rows)], strict=True):
        column.read_direct(found, np.s_[int(rows[start]) : int(rows[stop - 1]) + 1], np.s_[int(start) : int(stop)])
    return found


def _joined(parts: Sequence[npt.NDArray[Any] | int], like: npt.NDArray[Any], unknown: Any) -> npt.NDArray[Any]:
    """Parts of a column one behind the other; a number is that many rows of a shard that lacks it."""
    filled = [np.full((part, *like.shape[1:]), unknown, dtype=like.dtype) if isinstance(part, int) else part for part in parts]
    return filled[0] if len(filled) == 1 else np.concatenate([like[:0], *filled])


def check_shard(path: Path) -> ShardFacts:
    """Open one shard and see that it is one.

    Raises:
        ShardDamaged: it is not.
    """
    with _told(path), _opened(path) as file:
        return facts_of(file, path)


def _opened(path: Path) -> h5py.File:
    """Open a shard without locking it, which not every disk can; where this process has it open with a lock, like that."""
    # Chunks are one picture or small: a larger cache would only hold memory.
    try:
        return h5py.File(path, "r", locking=False, rdcc_nbytes=2**17)
    except OSError as error:
        if "locking flag" not in str(error):
            raise
        return h5py.File(path, "r", rdcc_nbytes=2**17)


@contextlib.contextmanager
def _told(path: Path) -> Iterator[None]:
    """Raise HDF5's errors as :class:`~faceaug.errors.ShardDamaged`."""
    try:
        yield
    except (OSError, RuntimeError, KeyError) as error:  # on damaged bytes HDF5 raises any of these
        raise _explained(path, error) from error


def _explained(path: Path, error: Exception) -> ShardDamaged:
    """What HDF5's error means; only a file that is surely damaged is to be deleted."""
    if isinstance(error, OSError) and error.errno:  # the system says no: nothing is wrong with the file
        return ShardDamaged(f"{path}: cannot be read ({os.strerror(error.errno)})")
    reason = " ".join(str(error).split())
    if any(sign in reason for sign in ("truncated file", "file signature not found")):
        return ShardDamaged(f"{path}: not a whole HDF5 file ({reason}); delete it and generate again")
    return ShardDamaged(f"{path}: cannot be read ({reason}); copy it again, or generate the set anew")
