"""Pictures for people: grids with captions, written as PNG."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from faceaug.arrays import ByteArray

_MARGIN = 2


def grid(rows: Sequence[tuple[str, Sequence[ByteArray]]], *, cell: int = 96) -> ByteArray:
    """Rows of pictures with a caption to the left of each.

    Args:
        rows: caption and ``(H, W, 3)`` uint8 RGB pictures of any size.
        cell: side of a shown picture in pixels; small ones are enlarged smoothly, label maps and photos alike.

    Returns:
        ``(height, width, 3)`` uint8 RGB on white.
    """
    font, scale = cv2.FONT_HERSHEY_SIMPLEX, 0.42
    widest = max((cv2.getTextSize(caption, font, scale, 1)[0][0] for caption, _ in rows), default=0)
    left = widest + 14 if widest else _MARGIN
    columns = max((len(pictures) for _, pictures in rows), default=0)
    step = cell + _MARGIN
    canvas = np.full((len(rows) * step + _MARGIN, left + columns * step, 3), 255, dtype=np.uint8)
    for r, (caption, pictures) in enumerate(rows):
        top = r * step + _MARGIN
        cv2.putText(canvas, caption, (6, top + cell // 2 + 5), font, scale, (40, 40, 40), 1, cv2.LINE_AA)
        for c, picture in enumerate(pictures):
            enlarge = picture.shape[0] <= cell
            flag = cv2.INTER_CUBIC if enlarge else cv2.INTER_AREA
            canvas[top : top + cell, left + c * step : left + c * step + cell] = cv2.resize(
                picture, (cell, cell), interpolation=flag
            )
    return canvas


def sheet(cells: Sequence[tuple[str, ByteArray | None]], *, columns: int = 6, cell: int = 160) -> ByteArray:
    """Pictures side by side with a caption under each.

    Args:
        cells: caption, of one or more lines, and ``(H, W, 3)`` uint8 RGB of any shape, None for a picture that cannot be shown.
        columns: pictures in a row.
        cell: longer side of a shown picture in pixels.

    Returns:
        ``(height, width, 3)`` uint8 RGB on white.
    """
    font, scale, line = cv2.FONT_HERSHEY_SIMPLEX, 0.38, 18
    columns = max(min(columns, len(cells)), 1)
    rows = max(-(-len(cells) // columns), 1)
    sides = [_shrunk(picture, cell) for _, picture in cells]
    tall = max((side[1] for side in sides), default=cell)
    lines = max((caption.count("\n") + 1 for caption, _ in cells), default=1)
    across, down = cell + 3 * _MARGIN, tall + lines * line + 2 * _MARGIN
    canvas = np.full((rows * down + _MARGIN, columns * across + _MARGIN, 3), 255, dtype=np.uint8)
    for index, ((caption, picture), side) in enumerate(zip(cells, sides, strict=True)):
        top, left = index // columns * down + _MARGIN, index % columns * across + _MARGIN
        if picture is None:
            canvas[top : top + tall, left : left + cell] = 225
        else:
            interpolation = cv2.INTER_AREA if side[0] < picture.shape[1] else cv2.INTER_CUBIC
            canvas[top : top + side[1], left : left + side[0]] = cv2.resize(picture, side, interpolation=interpolation)
        for number, text in enumerate(caption.split("\n"), 1):
            place = (left, top + tall + number * line - 5)
            cv2.putText(canvas, _fitting(text, cell, font, scale), place, font, scale, (40, 40, 40), 1, cv2.LINE_AA)
    return canvas


def _shrunk(picture: ByteArray | None, cell: int) -> tuple[int, int]:
    """Width and height at which a picture is shown."""
    if picture is None:
        return cell, cell
    shrink = cell / max(picture.shape[:2])
    return max(round(picture.shape[1] * shrink), 1), max(round(picture.shape[0] * shrink), 1)


def _fitting(caption: str, width: int, font: int, scale: float) -> str:
    """A caption in the font's letters, cut where it is too long."""
    text = caption.encode("ascii", "replace").decode()
    while len(text) > 4 and cv2.getTextSize(text, font, scale, 1)[0][0] > width:
        text = text.removesuffix("...")[:-1] + "..."
    return text
