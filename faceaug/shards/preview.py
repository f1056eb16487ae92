"""A look into a set: faces with their masks, and what is known of each."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from faceaug.arrays import ByteArray
from faceaug.errors import ConfigError
from faceaug.pictures import sheet
from faceaug.shards.reader import ShardReader


def evenly(reader: ShardReader, count: int) -> list[int]:
    """Up to ``count`` row numbers, evenly over a set."""
    return [int(row) for row in np.unique(np.linspace(0, len(reader) - 1, count).round())]


def preview(reader: ShardReader, rows: Sequence[int], *, columns: int = 4, side: int = 110) -> ByteArray:
    """Faces of a set, each as image, image under its mask's colours, and mask, with row, target, source and agreement.

    Args:
        reader: of the set.
        rows: row numbers.
        columns: faces in a line.
        side: of each picture in pixels.

    Returns:
        ``(height, width, 3)`` uint8 RGB on white.

    Raises:
        ConfigError: a row is not in the set.
        ShardDamaged: a row cannot be read.
    """
    wrong = [row for row in rows if not 0 <= row < len(reader)]
    if wrong:
        raise ConfigError(f"--rows {wrong[0]}: {reader.folder} has rows 0 to {len(reader) - 1}")
    cells = []
    for row in rows:
        (image, labels), about = reader.face(row), reader.about(row)
        colours = reader.scheme.colour(labels)
        over = ((image.astype(np.uint16) + colours) // 2).astype(np.uint8)
        fit = "not measured" if np.isnan(about["agreement"]) else f"{about['agreement']:.3f}"
        caption = f"row {row}, agreement {fit}\n{about['target']} < {about['source']}"
        cells.append((caption, np.concatenate([image, over, colours], axis=1)))
    return sheet(cells, columns=columns, cell=3 * side)
