"""Pictures of shards as arrays: rows are read when they are asked for, and none are kept."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np

from faceaug.arrays import ByteArray, IntArray
from faceaug.prepare.rows import LazyRows
from faceaug.shards.reader import ShardReader


class ShardRows(LazyRows):
    """The images or the labels of some rows of several sets, as one array.

    Args:
        readers: of the sets, all of one size.
        name: ``image`` or ``label``.
        chosen: ``(N,)`` rows of the sets one after the other; all where None.

    Raises:
        ShardDamaged: when rows are read, as :class:`faceaug.shards.reader.ShardReader`.
    """

    def __init__(self, readers: Sequence[ShardReader], name: Literal["image", "label"], chosen: IntArray | None = None) -> None:
        self._readers, self._name, self._chosen = readers, name, chosen
        self._ends = np.cumsum([len(reader) for reader in readers])
        count, size = int(self._ends[-1]) if chosen is None else len(chosen), readers[0].size
        self.shape = (count, size, size, 3) if name == "image" else (count, size, size)

    def _read(self, rows: IntArray) -> ByteArray:
        flat = rows if self._chosen is None else self._chosen[rows]
        found = np.empty((len(flat), *self.shape[1:]), dtype=np.uint8)
        which = np.searchsorted(self._ends, flat, side="right")
        for number, reader in enumerate(self._readers):
            here = which == number
            if here.any():
                found[here] = reader.rows(self._name, flat[here] - (self._ends[number] - len(reader)))
        return found
