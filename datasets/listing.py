"""What lies in a dataset's folder and what its lists say: picture files by stem, names, tables of numbers, seeded splits."""

from __future__ import annotations

import csv
import hashlib
import itertools
import os
from array import array
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from faceaug.arrays import FloatArray
from faceaug.errors import DatasetDamaged, DatasetNotFound
from faceaug.images import stem
from faceaug.progress import say

_said: set[str] = set()


def say_once(message: str) -> None:
    """Print a line that this process has not printed yet."""
    if message not in _said:
        _said.add(message)
        say(message)


class Index:
    """The picture files of one folder by stem; hidden files and links to nothing are left out.

    Args:
        folder: the folder; a missing one has no files.
        suffix: of the files in this layout, for the path of one that is not there.
    """

    def __init__(self, folder: Path, suffix: str = ".jpg") -> None:
        self.folder = folder
        self._suffix = suffix
        self._files: dict[str, str] = {}
        self._twice: dict[str, str] = {}
        for name in _pictures(folder):
            one = stem(name)
            if one in self._files:
                self._twice[one] = name
            else:
                self._files[one] = name

    @property
    def stems(self) -> tuple[str, ...]:
        """Sorted; numbers in their order."""
        return tuple(sorted(self._files, key=_natural))

    def __contains__(self, name: str) -> bool:
        return self._key(name) in self._files

    def _key(self, name: str) -> str:
        return name if name in self._files else stem(name)

    def path(self, name: str) -> Path:
        """The file of a name with or without extension; where there is none, the path that the layout has.

        Raises:
            DatasetDamaged: two files have this stem.
        """
        one = self._key(name)
        if one in self._twice:
            raise DatasetDamaged(
                f"{self.folder / self._files[one]}: {self._twice[one]} is there too, and both have this name; delete one"
            )
        return self.folder / self._files.get(one, one + self._suffix)

    def near(self, name: str) -> str:
        """`` (A.jpg is there)`` for a file that was probably meant, else nothing."""
        wanted = stem(name).lower()
        for entry in _entries(self.folder):
            if stem(entry.name).lower() == wanted or Path(entry.name).stem.lower() == wanted:
                broken = entry.is_symlink() and not entry.is_file()
                return f" ({entry.name} is {'a link to nothing' if broken else 'there'})"
        return ""


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return [entry for entry in entries if not entry.name.startswith(".")]
    except OSError:
        return []


def _pictures(folder: Path) -> list[str]:
    """The names of a folder's picture files, sorted."""
    return sorted(entry.name for entry in _entries(folder) if stem(entry.name) != entry.name and entry.is_file())


def _natural(name: str) -> tuple[int, int, str]:
    return (0, int(name), name) if name.isascii() and name.isdigit() else (1, 0, name)


def read_lines(path: Path, hint: str) -> list[str]:
    """The lines of a UTF-8 text file; a byte order mark is dropped.

    Args:
        path: the file.
        hint: what it is, for the message.

    Raises:
        DatasetNotFound: it cannot be read.
        DatasetDamaged: it is no UTF-8 text.
    """
    try:
        return path.read_bytes().decode("utf-8-sig").splitlines()
    except OSError as error:
        raise DatasetNotFound(f"{path}: cannot be read ({error.strerror}); {hint}") from error
    except UnicodeDecodeError as error:
        raise DatasetDamaged(f"{path}: is no UTF-8 text (byte {error.start} does not fit); save it as UTF-8") from error


def read_names(path: Path, hint: str) -> list[str]:
    """The names of a split list, one a line, without picture extensions; of ``<number> , <name>`` lines the last part.

    Raises:
        DatasetNotFound, DatasetDamaged: as :func:`read_lines`; or no names. One that comes twice counts once, and is told.
    """
    lines = [line.split(",")[-1].strip() for line in read_lines(path, hint)]
    names = [stem(Path(line).name) for line in lines if line]
    if not names:
        raise DatasetDamaged(f"{path}: lists no faces; copy the dataset again")
    once = list(dict.fromkeys(names))
    tell_repeats(names, path)
    return once


def tell_repeats(names: Sequence[str], path: Path) -> None:
    """Say which names a list has more than once; each counts once."""
    repeated = [name for name, count in Counter(names).items() if count > 1]
    if repeated:
        say_once(f"{path}: {len(repeated)} names come twice, {repeated[0]} for one; each counts once")


def read_rows(path: Path, hint: str) -> Iterator[tuple[int, list[str]]]:
    """Line number and cells of each line that is not empty; parted by commas in CSV files, else by white space.

    Raises:
        DatasetNotFound, DatasetDamaged: as :func:`read_lines`.
    """
    lines = read_lines(path, hint)
    if path.suffix.lower() == ".csv":
        cells: Iterable[list[str]] = _csv_rows(lines, path)
    else:
        cells = (line.split() for line in lines)
    return ((number, row) for number, row in enumerate(cells, 1) if any(row))


def _csv_rows(lines: list[str], path: Path) -> Iterator[list[str]]:
    try:
        yield from ([cell.strip() for cell in row] for row in csv.reader(lines))
    except csv.Error as error:  # a quote that is not closed makes one cell of the rest
        raise DatasetDamaged(f"{path}: is no CSV ({error}); mend the quotes in it") from error


@dataclass(frozen=True)
class Table:
    """Numbers by name.

    Attributes:
        path: the file.
        header: the names of the columns; empty where the file has none.
        names: one a row, as in the file.
        values: ``(N, C)`` float64.
    """

    path: Path
    header: tuple[str, ...]
    names: tuple[str, ...]
    values: FloatArray

    def __post_init__(self) -> None:
        object.__setattr__(self, "_row", {stem(name): row for row, name in enumerate(self.names)})

    def get(self, name: str) -> FloatArray | None:
        """The ``(C,)`` numbers of a name with or without extension; None where there is no such row."""
        rows: dict[str, int] = self._row  # type: ignore[attr-defined]
        row = rows.get(stem(name))
        return None if row is None else self.values[row]


def read_table(path: Path, hint: str, columns: int | None = None) -> Table:
    """A list of names with numbers, with or without lines of headers (told from rows by what is in them).

    Args:
        path: ``.csv``, or cells parted by white space.
        hint: what it is, for the message.
        columns: how many numbers a row has; else as many as the first row.

    Raises:
        DatasetNotFound, DatasetDamaged: as :func:`read_lines`; or no rows, or a row that is none. Of a name that comes
            twice the last row counts, and it is told.
    """
    rows = read_rows(path, hint)
    first = list(itertools.islice(rows, 3))
    start = next((at for at, (_, row) in enumerate(first) if len(row) > 1 and _numbers(row[1:]) is not None), len(first[:2]))
    header = tuple(first[start - 1][1]) if start else ()
    if not first[start:]:
        raise DatasetDamaged(f"{path}: holds no rows; copy the list again")
    columns = len(first[start][1]) - 1 if columns is None else columns
    names, values = [], array("d")
    for number, row in itertools.chain(first[start:], rows):
        found = _numbers(row[1:])
        if found is None or len(found) != columns:
            raise DatasetDamaged(f"{path}: line {number} is not a name and {columns} numbers; copy the list again")
        names.append(row[0])
        values.extend(found)
    tell_repeats([stem(name) for name in names], path)
    last = {stem(name): row for row, name in enumerate(names)}
    kept = list(last.values())
    header = header[-columns:] if len(header) in (columns, columns + 1) else ()
    return Table(path, header, tuple(names[row] for row in kept), np.array(values).reshape(-1, columns)[kept])


def _numbers(cells: Sequence[str]) -> list[float] | None:
    """Numbers of a row's cells; empty cells are NaN."""
    try:
        return [float(cell) if cell else np.nan for cell in cells]
    except ValueError:
        return None


def read_points(path: Path) -> FloatArray:
    """``(K, 2)`` x, y of a text file with the landmarks of one face, with or without their count before them.

    Raises:
        DatasetNotFound, DatasetDamaged: as :func:`read_lines`; or it holds something else.
    """
    cells = " ".join(read_lines(path, "copy the dataset again")).replace(",", " ").split()
    values = _numbers(cells)
    if values and len(values) % 2 and len(values) // 2 == values[0]:
        values = values[1:]
    if not values or len(values) % 2:
        raise DatasetDamaged(f"{path}: holds no x and y of landmarks; copy the dataset again")
    return np.array(values).reshape(-1, 2)


def seeded_split(keys: Sequence[str], shares: tuple[float, float, float] = (0.8, 0.1, 0.1)) -> list[str]:
    """``train``, ``tuning`` or ``testing`` for each key, by its hash: a key's split does not hang on which others there are.

    Few keys that leave a split empty are parted by the order of their hashes instead.

    Args:
        keys: what must not be parted, for example a person; equal keys get one split.
        shares: of the three splits.
    """
    place = {key: int(hashlib.sha256(key.encode()).hexdigest()[:12], 16) / 16**12 for key in keys}
    ends = np.cumsum(shares)
    found = {key: SPLITS[int(np.searchsorted(ends[:2], value, side="right"))] for key, value in place.items()}
    wanted = sum(share > 0 for share in shares)
    if len(place) >= wanted > len(set(found.values())):
        order = sorted(place, key=place.__getitem__)
        tuning, testing = (max(round(share * len(order)), share > 0) for share in shares[1:])
        first = len(order) - tuning - testing
        found = {key: SPLITS[(at >= first) + (at >= first + tuning)] for at, key in enumerate(order)}
    return [found[key] for key in keys]


SPLITS = ("train", "tuning", "testing")
"""The splits of a labelled set."""
