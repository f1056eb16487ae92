"""Lists of faces that a user leaves out of a set: a JSON file beside it, never in it; the set stays as it is."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from faceaug.errors import ConfigError
from faceaug.files import locked, read_json, write_json
from faceaug.shards.index import COMPLETE, set_hash
from faceaug.shards.reader import ShardReader

_WHAT = "rows left out of a set of generated faces, counted from 0"


@dataclass(frozen=True)
class Dropped:
    """The rows of a set that are left out.

    Attributes:
        name: of the set's folder, for people.
        hash: of the set, see :func:`faceaug.shards.index.set_hash`.
        faces: how many it holds.
        rows: ascending row numbers, each once.
    """

    name: str
    hash: str
    faces: int
    rows: tuple[int, ...] = ()

    def changed(self, *, drop: Collection[int] = (), keep: Collection[int] = ()) -> Dropped:
        """The list with rows added, then others taken away."""
        return replace(self, rows=tuple(sorted({*self.rows, *drop} - {*keep})))

    def check(self, rows: Collection[int], where: str) -> None:
        """Raise ConfigError where a row is not in the set; ``where`` begins the message."""
        wrong = next((row for row in sorted(rows) if not 0 <= row < self.faces), None)
        if wrong is not None:
            raise ConfigError(f"{where}: row {wrong} is not in {self.name}, which has rows 0 to {self.faces - 1}")


def nothing_dropped(reader: ShardReader) -> Dropped:
    """The empty list of a set.

    Raises:
        ShardDamaged: it is one shard, or not finished: there is no index.
    """
    return Dropped(reader.folder.resolve().name, set_hash(reader.folder), len(reader))


def read_dropped(path: Path) -> Dropped:
    """A list that :class:`DropFile` wrote.

    Raises:
        ConfigError: missing, no such list, or with rows that its set cannot have.
    """
    if not path.is_file():
        raise ConfigError(f"{path}: no such list of dropped rows; name the JSON file that `faceaug web` writes")
    advice = "write it again with `faceaug web`"
    found = read_json(path, "set", "hash", "faces", "rows", advice=advice, error=ConfigError)
    rows, faces = found["rows"], found["faces"]
    if not _whole(faces) or not isinstance(rows, list) or not all(map(_whole, rows)):
        raise ConfigError(f"{path}: damaged (faces and rows must be whole numbers); {advice}")
    listed = Dropped(str(found["set"]), str(found["hash"]), faces, tuple(sorted(set(rows))))
    listed.check(rows, str(path))
    return listed


def _whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


class DropFile:
    """The list of a set, in a folder of the user's; several processes may change it.

    Args:
        folder: where lists are kept; it is made when a row is dropped.
        reader: of the set.

    Attributes:
        path: the JSON file, named after the set and its hash.

    Raises:
        ConfigError: the folder is the set's, or in it, or its list is damaged.
        ShardDamaged: the set has no index.
    """

    def __init__(self, folder: Path, reader: ShardReader) -> None:
        if folder.resolve().is_relative_to(reader.folder.resolve()):
            raise ConfigError(f"--dropped {folder}: is in the set {reader.folder}, which is not changed; name another folder")
        if folder.exists() and not folder.is_dir():
            raise ConfigError(f"--dropped {folder}: is a file; name a folder for the lists")
        self._folder, self._empty = folder, nothing_dropped(reader)
        self.path = folder / f"{self._empty.name}-{self._empty.hash[:8]}.json"
        self.read()

    def read(self) -> Dropped:
        """The list as it is now, empty where there is none."""
        return read_dropped(self.path) if self.path.is_file() else self._empty

    def change(self, *, drop: Collection[int] = (), keep: Collection[int] = ()) -> Dropped:
        """Drop some rows, take others back, and write the list.

        Raises:
            ConfigError: a row that is not in the set.
            OutputError: the list cannot be written.
        """
        self._empty.check({*drop, *keep}, "drop")  # before a folder is made
        with locked(self._folder, ".lock", wait=True):
            after = self.read().changed(drop=drop, keep=keep)
            about = {"what": _WHAT, "set": after.name, "hash": after.hash, "faces": after.faces, "rows": list(after.rows)}
            write_json(self.path, about, option="--dropped")
        return after


def rows_without(readers: Sequence[ShardReader], lists: Sequence[Path]) -> list[tuple[int, ...]]:
    """Which rows of each set the lists leave out.

    Args:
        readers: of the sets.
        lists: files of :class:`DropFile`.

    Raises:
        ConfigError: a list that is none, or of a set that is not among these.
    """
    hashes = [set_hash(reader.folder) if (reader.folder / COMPLETE).is_file() else "" for reader in readers]
    found: list[set[int]] = [set() for _ in readers]
    for path in lists:
        listed = read_dropped(path)
        if listed.hash not in hashes:
            named = ", ".join(str(reader.folder) for reader in readers)
            raise ConfigError(
                f"{path}: lists rows of another set, {listed.name} ({listed.hash[:8]}), not of {named}; name that set"
            )
        for number, (reader, one) in enumerate(zip(readers, hashes, strict=True)):
            if one == listed.hash:
                replace(listed, faces=len(reader)).check(listed.rows, str(path))
                found[number].update(listed.rows)
    return [tuple(sorted(rows)) for rows in found]
