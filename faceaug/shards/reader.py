"""Reading shards: checked when opened, rows by number over all shards of a set."""

from __future__ import annotations

import bisect
import contextlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import numpy.typing as npt

from faceaug.arrays import ByteArray
from faceaug.config import from_dict
from faceaug.errors import ConfigError, ShardDamaged
from faceaug.files import read_json
from faceaug.labels import HELEN_11, Scheme
from faceaug.shards.writer import COLUMNS, FORMAT, VERSION

COMPLETE = "complete.json"
"""Written last: a folder that has it is a whole set."""


class ShardReader:
    """Random access to the faces of a set.

    File handles are opened on first use in each process, so readers can be pickled and forked freely.

    Args:
        folder: a folder of shards, or one shard file.
        partial: accept a folder whose generation is not finished.

    Raises:
        ShardDamaged: missing, unfinished, truncated, or not of this format.
    """

    def __init__(self, folder: str | Path, *, partial: bool = False) -> None:
        self.folder = Path(folder)
        self.paths = self._find(partial)
        self.config: dict[str, Any] = {}
        self.size = 0
        self.scheme = HELEN_11
        self._ends: list[int] = []
        for path in self.paths:
            self._check(path)
        if not self._ends[-1]:
            raise ShardDamaged(f"{self.folder}: its shards hold no faces; generate with weaker filters")
        self._files: dict[Path, h5py.File] = {}
        self._process = os.getpid()

    def _find(self, partial: bool) -> list[Path]:
        if self.folder.is_file():
            return [self.folder]
        if not self.folder.is_dir():
            raise ShardDamaged(f"{self.folder}: no such folder of shards; run `faceaug generate` first, or name another")
        complete = self.folder / COMPLETE
        found = sorted(self.folder.glob("shard-*.h5"))
        if complete.is_file():
            advice = "copy the set again, or delete this file and run the same `faceaug generate` command"
            known = read_json(complete, "shards", advice=advice, error=ShardDamaged)
            listed = [self.folder / shard["file"] for shard in known["shards"]]
            missing = [path for path in listed if path not in found]
            if missing:
                raise ShardDamaged(f"{missing[0]}: {len(missing)} of {len(listed)} shards are missing; copy the set again")
            return listed
        if not partial or not found:
            raise ShardDamaged(f"{self.folder}: holds no finished set; run the same `faceaug generate` command to its end")
        return found

    def _check(self, path: Path) -> None:
        with _told(path), _opened(path) as file:
            attributes = dict(file.attrs)
            shapes = {name: file[name].shape for name in ("image", "label", *COLUMNS) if name in file}
        for key, accepted in (("format", (FORMAT,)), ("version", (2, VERSION))):
            if attributes.get(key) not in accepted:
                raise ShardDamaged(f"{path}: {key} is {attributes.get(key)!r}, needed {accepted[-1]!r}; generate the set anew")
        scheme = self._scheme_of(path, attributes)
        if self._ends and scheme != self.scheme:
            raise ShardDamaged(f"{path}: its labels are of {scheme.name}, those of the shard before it of {self.scheme.name}")
        self.scheme = scheme
        if set(shapes) != {"image", "label", *COLUMNS} or len({shape[0] for shape in shapes.values()}) != 1:
            raise ShardDamaged(f"{path}: datasets are missing or differ in length; delete it and generate again")
        rows = int(shapes["image"][0])
        self._ends.append(rows + (self._ends[-1] if self._ends else 0))
        self.size = int(shapes["image"][1]) if rows else self.size
        self.config = json.loads(attributes["config"])

    @staticmethod
    def _scheme_of(path: Path, attributes: dict[str, Any]) -> Scheme:
        if attributes["version"] == 2:  # Helen's classes were all that there was
            return HELEN_11
        try:
            return from_dict(Scheme, json.loads(attributes["scheme"]), where=str(path))
        except (KeyError, ValueError, ConfigError) as error:
            raise ShardDamaged(f"{path}: names no label scheme ({error}); generate the set anew") from error

    def __len__(self) -> int:
        return self._ends[-1]

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_files": {}}

    def _open(self, path: Path) -> h5py.File:
        if self._process != os.getpid():  # forked: the parent's handles must not be shared
            self._files, self._process = {}, os.getpid()
        if path not in self._files:
            self._files[path] = _opened(path)
        return self._files[path]

    def _locate(self, index: int) -> tuple[Path, int]:
        if not 0 <= index < len(self):
            raise IndexError(index)
        shard = bisect.bisect_right(self._ends, index)
        return self.paths[shard], index - (self._ends[shard - 1] if shard else 0)

    def face(self, index: int) -> tuple[ByteArray, ByteArray]:
        """Image ``(S, S, 3)`` uint8 RGB and labels ``(S, S)`` uint8 of one row.

        Raises:
            ShardDamaged: the row cannot be read; so for the other methods.
        """
        path, row = self._locate(index)
        with _told(path):
            file = self._open(path)
            return file["image"][row], file["label"][row]

    def about(self, index: int) -> dict[str, Any]:
        """All values of :data:`~faceaug.shards.writer.COLUMNS` of one row."""
        path, row = self._locate(index)
        with _told(path):
            file = self._open(path)
            return {name: file[name].asstr()[row] if name in ("target", "source", "params") else file[name][row].item() for name in COLUMNS}

    def column(self, name: str) -> npt.NDArray[Any]:
        """One column over all rows: one of :data:`~faceaug.shards.writer.COLUMNS`, ``image`` or ``label``."""
        text, found = name in ("target", "source", "params"), []
        for path in self.paths:
            with _told(path):
                column = self._open(path)[name]
                found += [column.asstr()[:] if text else column[:]] if column.shape[0] else []
        return np.concatenate(found)

    def close(self) -> None:
        """Close this process's file handles."""
        for file in self._files.values():
            file.close()
        self._files = {}


def _opened(path: Path) -> h5py.File:
    """Open a shard without locking it, which not every disk can; where this process has it open with a lock, like that."""
    try:
        return h5py.File(path, "r", locking=False)
    except OSError as error:
        if "locking flag" not in str(error):
            raise
        return h5py.File(path, "r")


@contextlib.contextmanager
def _told(path: Path) -> Iterator[None]:
    """Raise HDF5's errors as :class:`~faceaug.errors.ShardDamaged`; only a file that is surely damaged is to be deleted."""
    try:
        yield
    except (OSError, RuntimeError, KeyError) as error:  # on damaged bytes HDF5 raises any of these
        if isinstance(error, OSError) and error.errno:  # the system says no: nothing is wrong with the file
            raise ShardDamaged(f"{path}: cannot be read ({os.strerror(error.errno)})") from error
        reason = " ".join(str(error).split())
        if any(sign in reason for sign in ("truncated file", "file signature not found")):
            raise ShardDamaged(f"{path}: not a whole HDF5 file ({reason}); delete it and generate again") from error
        raise ShardDamaged(f"{path}: cannot be read ({reason}); copy it again, or generate the set anew") from error
