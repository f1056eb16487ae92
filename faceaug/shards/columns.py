"""What a shard holds: one table of its datasets, from which writing, reading and the description of a set follow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import h5py
import numpy as np
import numpy.typing as npt

TEXT = "str"
"""Kind of a column of UTF-8 strings."""


@dataclass(frozen=True)
class Column:
    """A dataset of a shard.

    Attributes:
        name: of the dataset.
        kind: numpy's name of its numbers, or :data:`TEXT`.
        required: every shard of the present version has it.
        about: what it holds, a sentence for people.
    """

    name: str
    kind: str
    required: bool
    about: str

    @property
    def missing(self) -> Any:
        """What rows have that know nothing: NaN, -1, 0 of unsigned numbers, no text (``params``: no entries)."""
        return "{}" if self.name == "params" else missing(self.kind)


def missing(kind: str) -> Any:
    """The value that stands for unknown in columns of a kind."""
    if kind == TEXT:
        return ""
    return {"f": np.nan, "u": 0, "b": False}.get(np.dtype(kind).kind, -1)


PIXELS: dict[str, Column] = {
    column.name: column
    for column in (
        Column("image", "uint8", True, "n, S, S, 3: RGB of the generated face"),
        Column("label", "uint8", True, "n, S, S: the face's label map in the scheme of the shard; 255 is unknown"),
    )
}
"""Datasets with one picture a row."""

COLUMNS: dict[str, Column] = {
    column.name: column
    for column in (
        Column("target", TEXT, True, "name of the photo whose mask and background were used"),
        Column("source", TEXT, True, "name of the photo whose skin was used"),
        Column("row", "int64", True, "number of the row in the plan, before filters"),
        Column("seed", "uint64", True, "what was drawn for this row, was drawn with this seed"),
        Column(
            "agreement",
            "float32",
            True,
            "mean F1 of a parser's prediction for the face with its target's map, over the foreground classes in either, 0..1; "
            "NaN where it was not measured",
        ),
        Column("params", TEXT, True, "JSON object: what was done for this row"),
        Column("target_male", "int8", False, "1 male, 0 female, -1 unknown"),
        Column("source_male", "int8", False, "1 male, 0 female, -1 unknown"),
        Column("source_mirrored", "int8", False, "1 where the source photo was mirrored, 0 where not, -1 unknown"),
        Column("mask_read", "int8", False, "1 where a parser predicted the mask, 0 where a person drew it, -1 unknown"),
        Column("unknown", "float32", False, "share of the pixels that filters made 255, 0..1; NaN unknown"),
        Column("ita", "float32", False, "individual typology angle of the skin's colour in degrees; NaN unknown"),
    )
}
"""Datasets with one value a row. A shard may hold more of a user's own."""


def kind_of(values: npt.NDArray[Any]) -> str:
    """The kind of a column's values in memory or in a file."""
    is_text = values.dtype.kind in "OSU" or h5py.check_string_dtype(values.dtype) is not None
    return TEXT if is_text else str(values.dtype)


def encoded(name: str, values: Sequence[Any] | npt.NDArray[Any], rows: int) -> npt.NDArray[Any]:
    """A column as it is stored: numbers of its kind, or strings of one length, that of the longest.

    Strings of variable length lie on a heap of their own, which is neither compressed nor laid out by the values alone.

    Raises:
        ValueError: not ``rows`` values, or a text with a zero character, which HDF5 would cut.
    """
    array = np.asarray(values)
    kind = COLUMNS[name].kind if name in COLUMNS else kind_of(array)
    if len(array) != rows:
        raise ValueError(f"column {name}: has {len(array)} values for {rows} rows")
    if kind != TEXT:
        return array.astype(kind)
    texts = [str(value).encode() for value in values]
    if any(b"\0" in text for text in texts):
        raise ValueError(f"column {name}: a text has a zero character")
    length = max([1, *map(len, texts)])
    return np.array(texts, dtype=h5py.string_dtype("utf-8", length))
