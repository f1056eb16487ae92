"""Whether a label map can be a face's: parts where they belong, each in one piece."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from faceaug.arrays import ByteArray
from faceaug.labels import (
    BACKGROUND,
    HAIR,
    IGNORE,
    LEFT_BROW,
    LEFT_EYE,
    LOWER_LIP,
    NOSE,
    RIGHT_BROW,
    RIGHT_EYE,
    SKIN,
    UPPER_LIP,
    fill_ignored,
)
from faceaug.shapes.target import among

_WHOLE = 0.7
"""Share of the pixels of an eye or the nose that its largest piece has. Brows and lips are thin: at 64 px people's own label maps
have them in pieces."""

_LARGEST_CHANGE = 4.0
"""Of an inner part's area, in either direction."""

_SMALLEST = 3
"""Pixels below which an inner part of a face of 64 px is no shape any more."""

_ORDER = (
    ("a brow lies below its eye", LEFT_BROW, LEFT_EYE, 0),
    ("a brow lies below its eye", RIGHT_BROW, RIGHT_EYE, 0),
    ("an eye lies below the nose", LEFT_EYE, NOSE, 0),
    ("an eye lies below the nose", RIGHT_EYE, NOSE, 0),
    ("the upper lip lies below the lower one", UPPER_LIP, LOWER_LIP, 0),
    ("the nose lies below the mouth", NOSE, LOWER_LIP, 0),
    ("left and right are exchanged", LEFT_EYE, RIGHT_EYE, 1),
    ("left and right are exchanged", LEFT_BROW, RIGHT_BROW, 1),
)
"""Reason, the part that comes first, the other one, axis (0 down, 1 across)."""


def implausible(parts: ByteArray, before: ByteArray | None = None) -> str:
    """Why an anatomy can be no face's, or nothing.

    Args:
        parts: ``(S, S)`` uint8 anatomy, or 255.
        before: the anatomy that it was made from, whose parts it must still have.

    Returns:
        A reason in few words; empty where it is plausible.
    """
    parts = fill_ignored(parts[None])[0]
    face = ~among(parts, BACKGROUND, HAIR)
    if not face.any():
        return "there is no face"
    if _largest_piece(face) < 0.95:
        return "the face is in pieces"
    inner = [LEFT_BROW, RIGHT_BROW, LEFT_EYE, RIGHT_EYE, NOSE, UPPER_LIP, LOWER_LIP]
    middles: dict[int, npt.NDArray[np.float64]] = {}
    for part in inner:
        where = parts == part
        if where.any():
            middles[part] = np.argwhere(where).mean(0)
            if part in (LEFT_EYE, RIGHT_EYE, NOSE) and _largest_piece(where) < _WHOLE:
                return "a part is in pieces"
    for reason, first, second, axis in _ORDER:
        if first in middles and second in middles and middles[first][axis] >= middles[second][axis]:
            return reason
    return _lost(parts, fill_ignored(before[None])[0], inner) if before is not None else ""


def _lost(parts: ByteArray, before: ByteArray, inner: list[int]) -> str:
    """Whether parts of the face before have gone, or have changed beyond what they can be."""
    smallest = _SMALLEST * (parts.shape[0] / 64) ** 2
    for part in [*inner, SKIN]:
        had, has = (parts_of == part for parts_of in (before, parts))
        if had.sum() >= smallest and has.sum() < smallest:
            return "a part is gone"
        if had.sum() >= 4 * smallest and not 1 / _LARGEST_CHANGE <= has.sum() / had.sum() <= _LARGEST_CHANGE:
            return "a part has changed too much"
    return ""


def _largest_piece(where: npt.NDArray[np.bool_]) -> float:
    """Share of a region's pixels in its largest connected piece."""
    count, _, stats, _ = cv2.connectedComponentsWithStats(where.astype(np.uint8), connectivity=8)
    areas = stats[1:, cv2.CC_STAT_AREA]
    return float(areas.max() / areas.sum()) if count > 1 else 1.0


def without_islands(labels: ByteArray, *, smallest: float = 0.001, share: float = 0.1) -> ByteArray:
    """Label maps whose tiny pieces have the class of what is around them.

    Args:
        labels: ``(N, S, S)`` uint8 of any scheme, or 255.
        smallest: pieces below this share of the picture go, where their class has a larger one.
        share: so do pieces below this share of their class's largest piece.

    Returns:
        A copy; 255 stays.
    """
    found = np.array(labels)
    for row in found:
        gone = np.zeros(row.shape, dtype=bool)
        for label in np.unique(row[row != IGNORE]):
            count, pieces, stats, _ = cv2.connectedComponentsWithStats((row == label).astype(np.uint8), connectivity=8)
            areas = stats[1:, cv2.CC_STAT_AREA]
            if count <= 2:
                continue
            tiny = (areas < max(smallest * row.size, share * areas.max())) & (areas < areas.max())
            # Large classes fall into large pieces: background on both sides of a head is no island.
            tiny &= areas < 0.01 * row.size
            gone |= np.isin(pieces, np.flatnonzero(tiny) + 1)
        if gone.any():
            unknown = row == IGNORE
            row[gone] = IGNORE
            row[:] = fill_ignored(row[None])[0]
            row[unknown] = IGNORE
    return found
