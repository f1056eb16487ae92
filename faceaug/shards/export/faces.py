"""The faces of a set that are exported, one by one."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from faceaug.arrays import ByteArray, IntArray
from faceaug.errors import ConfigError
from faceaug.labels import IGNORE, Remap
from faceaug.progress import Progress
from faceaug.shards.columns import COLUMNS, TEXT
from faceaug.shards.reader import ShardReader


@dataclass(frozen=True)
class Exported:
    """A face.

    Attributes:
        number: counted from 0 over the exported faces.
        row: its number in the set.
        image: ``(S, S, 3)`` uint8 RGB.
        labels: ``(S, S)`` uint8 of the export's scheme, or 255.
        values: of its columns: NaN is None, arrays and ``params`` are JSON texts.
    """

    number: int
    row: int
    image: ByteArray
    labels: ByteArray
    values: dict[str, Any]

    @property
    def name(self) -> str:
        """What its files are called; the number is the row's, whatever was left out."""
        return f"face_{self.row:06d}"


class Faces:
    """The faces of a set that are exported.

    Args:
        reader: of the set.
        min_agreement: leave out faces that agree less with their masks; above 0 also those whose agreement was not measured.
        remap: to the labels of the export's scheme.

    Raises:
        ConfigError: no face is left.
    """

    def __init__(self, reader: ShardReader, *, min_agreement: float = 0.0, remap: Remap | None = None) -> None:
        self.reader, self.remap = reader, remap
        fits = reader.column("agreement")
        self.rows: IntArray = np.flatnonzero(fits >= min_agreement) if min_agreement > 0 else np.arange(len(reader))
        if not len(self.rows):
            raise ConfigError(f"--min-agreement {min_agreement}: no face of {reader.folder} reaches it; lower it")
        self.columns = reader.columns
        self.unknown = 0
        """Pixels without a label, of the faces so far."""

    def __len__(self) -> int:
        return len(self.rows)

    def kind(self, column: str) -> str:
        """Kind of a column, see :class:`faceaug.shards.columns.Column`."""
        if column in COLUMNS:
            return COLUMNS[column].kind
        values = self.reader.rows(column, self.rows[:1])
        return TEXT if values.dtype.kind == "O" or values.ndim > 1 else str(values.dtype)

    def __iter__(self) -> Iterator[Exported]:
        """All of them, with progress; columns are read shard by shard."""
        with Progress("export", len(self), unit="faces") as progress:
            number = 0
            for start, stop in self.reader.spans:
                rows = self.rows[(self.rows >= start) & (self.rows < stop)]
                columns = {name: self.reader.rows(name, rows) for name in self.columns}
                for at, row in enumerate(rows.tolist()):
                    image, labels = self.reader.face(row)
                    labels = labels if self.remap is None else self.remap(labels)
                    self.unknown += int((labels == IGNORE).sum())
                    values = {name: _plain(column[at]) for name, column in columns.items()}
                    yield Exported(number, row, image, labels, values)
                    number += 1
                    progress.update(number)


def _plain(value: Any) -> Any:
    """A value as tables have it: unknown numbers are None, arrays JSON."""
    if isinstance(value, np.ndarray):
        return json.dumps([None if isinstance(one, float) and not np.isfinite(one) else one for one in value.ravel().tolist()])
    found = value.item() if isinstance(value, np.generic) else value
    return None if isinstance(found, float) and not np.isfinite(found) else found
