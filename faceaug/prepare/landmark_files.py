"""Landmarks that come in files: a CSV list of five points a photo, or a text file of 5, 68 or 106 points for each."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import numpy as np

from faceaug.arrays import FloatArray
from faceaug.errors import DatasetDamaged, DatasetNotFound
from faceaug.files import content_of

_FIVE: dict[int, tuple[tuple[int, ...], ...]] = {
    5: ((0,), (1,), (2,), (3,), (4,)),
    68: (tuple(range(36, 42)), tuple(range(42, 48)), (30,), (48,), (54,)),
    106: ((104,), (105,), (54,), (84,), (90,)),
}
"""Points whose mean is the left eye, the right eye, the nose tip and the mouth corners."""


def five_points(points: FloatArray) -> FloatArray | None:
    """Eyes, nose tip and mouth corners ``(5, 2)`` of ``(N, 2)`` landmarks: 5, 68 (iBUG) or 106 (LaPa); None for other N."""
    rows = _FIVE.get(len(points))
    return None if rows is None else np.stack([points[list(row)].mean(axis=0) for row in rows])


class LandmarkFiles:
    """Landmarks of photos, in pixels as the files store them: not turned by EXIF.

    Args:
        path: a CSV file whose rows are a photo's name and x, y of five points (the viewer's left eye and mouth corner first), or
            a folder with a text file for each photo, of its stem: 5, 68 or 106 lines of x and y; other lines are passed over.

    Raises:
        DatasetNotFound: no such file or folder.
        DatasetDamaged: the list has a row that is not a name and ten numbers, or a name twice.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        if not path.exists():
            raise DatasetNotFound(f"{path}: no such landmarks file or folder; name a CSV list or a folder of text files")
        self._files = {file.stem: file for file in sorted(path.rglob("*")) if file.is_file()} if path.is_dir() else {}
        self._rows = {} if path.is_dir() else _read_list(path)

    def about(self) -> str:
        """A hash of the files, for the identity of what is made with them."""
        return content_of(sorted(self._files.values()) or [self.path])

    def of(self, name: str) -> FloatArray | None:
        """Five points ``(5, 2)`` of a photo by its path below the folder of photos; None where the files have none.

        Raises:
            DatasetDamaged: its file has another number of points.
        """
        stem = Path(name).stem
        for key in (name, Path(name).name, stem):
            if key in self._rows:
                return self._rows[key]
        return _read_points(self._files[stem]) if stem in self._files else None


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8"
        raise DatasetDamaged(f"{path}: cannot be read ({reason}); write it anew as UTF-8 text") from error


def _numbers(words: list[str]) -> list[float] | None:
    try:
        return [float(word) for word in words]
    except ValueError:
        return None


def _read_list(path: Path) -> dict[str, FloatArray]:
    found: dict[str, FloatArray] = {}
    try:
        rows = list(csv.reader(_text(path).splitlines()))
    except csv.Error as error:
        raise DatasetDamaged(f"{path}: is no CSV ({error}); mend the quotes in it") from error
    for number, row in enumerate(rows, 1):
        cells = [cell.strip() for cell in row]
        values = _numbers(cells[1:])
        if not any(cells) or (number == 1 and values is None):
            continue
        if values is None or len(values) != 10:
            raise DatasetDamaged(f"{path}: line {number} is not a name and ten numbers (x1,y1 to x5,y5); mend or remove it")
        if cells[0] in found:
            raise DatasetDamaged(f"{path}: line {number} has {cells[0]} for the second time; remove one")
        found[cells[0]] = np.array(values, dtype=np.float64).reshape(5, 2)
    return found


def _read_points(path: Path) -> FloatArray:
    lines = (_numbers(re.split(r"[\s,;]+", line.strip())) for line in _text(path).splitlines())
    points = np.array([line for line in lines if line is not None and len(line) == 2], dtype=np.float64).reshape(-1, 2)
    five = five_points(points)
    if five is None:
        known = ", ".join(map(str, _FIVE))
        raise DatasetDamaged(f"{path}: has {len(points)} points; known are {known}, an x and a y on each line")
    return five
