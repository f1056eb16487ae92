"""Groups of faces to score apart: who wears glasses, whose mouth is open, who is light or dark."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from faceaug.errors import DatasetDamaged, DatasetNotFound
from faceaug.images import stem
from faceaug.progress import say

_MEMBER, _NO_MEMBER = ("1", "1.0"), ("0", "0.0", "-1", "-1.0", "")

Groups = dict[str, npt.NDArray[np.bool_]]

_TONES = (("dark", -np.inf, 10.0), ("medium", 10.0, 41.0), ("light", 41.0, np.inf))
"""Ranges of the individual typology angle of the skin, degrees."""


def read_groups(path: Path, names: Sequence[str]) -> Groups:
    """Groups by a traits file: a column ``name``, and columns of 0 and 1 that each are a group.

    A column ``ita`` holds the individual typology angle of the skin in degrees and gives three groups. 1.0 and 0.0 are 1 and 0,
    and so is CelebA's -1 a 0; a column with other values is left out, and said to be. So are groups without a face.

    Args:
        path: CSV with a header.
        names: of the faces, with or without extension.

    Returns:
        ``(N,)`` bool by group; faces that are not listed are in none.

    Raises:
        DatasetNotFound: the file cannot be read.
        DatasetDamaged: it has no column ``name``, lists none of the faces, or has no groups.
    """
    try:
        with open(path, newline="", encoding="utf-8-sig") as handle:
            rows = list(csv.DictReader(handle, restkey="", restval=""))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DatasetNotFound(f"{path}: cannot be read ({error}); it has a column name and columns of 0 and 1") from error
    if not rows or "name" not in rows[0]:
        raise DatasetDamaged(f"{path}: has no column name; name the column of the faces so")
    of = {stem(row["name"]): row for row in rows}
    listed = [of.get(stem(name)) for name in names]
    if not any(listed):
        raise DatasetDamaged(f"{path}: lists none of {len(names)} faces, {names[0]} for one; its names are the photos'")
    found: Groups = {}
    left = []
    for column in rows[0]:
        values = [str(row.get(column) or "").strip() if row else "" for row in listed]
        if column == "ita":
            angles = np.array([_angle(value, path) for value in values])
            found |= {f"skin {tone}": (angles > low) & (angles <= high) for tone, low, high in _TONES}
        elif column in ("", "name"):
            continue
        elif set(values) <= {*_MEMBER, *_NO_MEMBER}:
            found[column] = np.array([value in _MEMBER for value in values])
        else:
            left.append(column)
    groups = {name: rows_of for name, rows_of in found.items() if rows_of.any()}
    if left:
        say(f"{path}: left out, neither 0 nor 1 alone: {', '.join(left)}")
    if not groups:
        raise DatasetDamaged(f"{path}: has no groups of these faces; give it columns of 0 and 1, or ita")
    return groups


def _angle(value: str, path: Path) -> float:
    try:
        return float(value) if value else np.nan
    except ValueError as error:
        raise DatasetDamaged(f"{path}: column ita has {value!r}, which is no number; mend it or leave it empty") from error
