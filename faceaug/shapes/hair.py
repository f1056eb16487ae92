"""Changes of the hair: another person's, from an aligned mask, laid under this face; a higher or lower hairline; its length."""

from __future__ import annotations

import cv2
import numpy as np

from faceaug.arrays import ByteArray
from faceaug.labels import BACKGROUND, HAIR, IGNORE, SKIN, fill_ignored
from faceaug.prepare.faces import LabelledFaces
from faceaug.shapes.operation import Params, rounded
from faceaug.shapes.target import Target, among


class Hair:
    """The hair of another face of the set.

    Args:
        faces: whose hair is drawn.
    """

    name, chance = "hair", 0.3

    def __init__(self, faces: LabelledFaces) -> None:
        self._faces = faces

    def draw(self, rng: np.random.Generator, strength: float) -> Params:
        """The other face, by name and place in the set, and how much of the way to its hair: 1 is all of it."""
        row = int(rng.integers(len(self._faces)))
        return {"of": self._faces.names[row], "row": row, "share": rounded(min(strength, 1.0))}

    def apply(self, target: Target, params: Params) -> Target:
        """See the protocol."""
        other = fill_ignored(self._faces.anatomy([params["row"]]))[0]
        parts = fill_ignored(target.anatomy[None])[0]
        theirs = _onto(other, parts)
        share = params["share"]
        wanted = (1 - share) * _outside(parts == HAIR) + share * _outside(theirs == HAIR) < 0
        # What the old hair covered inside of the face's outline is forehead, elsewhere background.
        inside = _hull(_is_face(parts))
        bare = np.where(parts == HAIR, np.where(inside, SKIN, BACKGROUND), parts)
        changed = np.where(wanted & ~_is_face(parts), HAIR, bare).astype(np.uint8)
        return target.with_anatomy(np.where(target.anatomy == IGNORE, IGNORE, changed))


_KEPT = 0.3
"""Share of the hair above a forehead that a higher hairline leaves."""


def move_hairline(target: Target, up: float) -> Target:
    """The hairline above the forehead moved.

    Args:
        target: the face.
        up: how far in the forehead's middle, as a share of the side; towards the temples it moves less. Negative: a fringe, down
            to the brows at most.
    """
    parts = fill_ignored(target.anatomy[None])[0]
    face = _is_face(parts)
    columns = np.flatnonzero(face.any(0))
    if not len(columns) or not up:
        return target
    changed, half = parts.copy(), len(columns) / 2
    for column in columns:
        line = parts[:, column]
        first = int(np.flatnonzero(face[:, column])[0])
        way = round(abs(up) * target.size * (1 - ((column + 0.5 - columns[0] - half) / half) ** 2))
        if up > 0:
            above = first - np.argmin(np.append(line[:first][::-1] == HAIR, False))  # where the hair over the forehead begins
            changed[max(first - way, int(above + np.ceil(_KEPT * (first - above)))) : first, column] = SKIN
        elif first and line[first - 1] == HAIR:
            bare = int(np.argmin(np.append(line[first:] == SKIN, False)))  # down to what is no skin: a brow, an eye
            changed[first : first + min(way, bare - 1), column] = HAIR
    return target.with_anatomy(np.where(target.anatomy == IGNORE, IGNORE, changed).astype(np.uint8))


def change_length(target: Target, down: float) -> Target:
    """The hair beside and below the face longer, or shorter.

    Args:
        target: the face.
        down: how far its ends come down, as a share of the side; they cover background only. Negative: how far they go up,
            outside of the face's outline.
    """
    parts = fill_ignored(target.anatomy[None])[0]
    hair, way = parts == HAIR, round(abs(down) * target.size)
    if not hair.any() or not way:
        return target
    changed = parts.copy()
    kernel = np.ones((way + 1, 1), dtype=np.uint8)
    anchor = (0, way) if down > 0 else (0, 0)
    if down > 0:  # a pixel has hair where some hair lies up to so far above it
        longer = cv2.dilate(hair.astype(np.uint8), kernel, anchor=anchor).astype(bool)
        changed[longer & (parts == BACKGROUND)] = HAIR
    else:  # and keeps it where so much hair lies below it, or where the head is
        kept = cv2.erode(hair.astype(np.uint8), kernel, anchor=anchor, borderValue=0).astype(bool)
        rows = np.flatnonzero(_is_face(parts).any(1))
        middle = (rows[0] + rows[-1]) // 2 if len(rows) else target.size // 2
        lower = np.arange(target.size)[:, None] > middle
        changed[hair & ~kept & lower & ~_hull(_is_face(parts))] = BACKGROUND
    return target.with_anatomy(np.where(target.anatomy == IGNORE, IGNORE, changed).astype(np.uint8))


def _is_face(parts: ByteArray) -> np.ndarray:
    return ~among(parts, BACKGROUND, HAIR)


def _outside(where: np.ndarray) -> np.ndarray:
    """Distance in pixels to a region, negative inside; a region that is missing is far away."""
    if not where.any():
        return np.full(where.shape, float(len(where)))
    mask = where.astype(np.uint8)
    inward = cv2.distanceTransform(mask, cv2.DIST_L2, 5) if not where.all() else np.full(where.shape, float(len(where)))
    return cv2.distanceTransform(1 - mask, cv2.DIST_L2, 5) - inward


def _onto(other: ByteArray, own: ByteArray) -> ByteArray:
    """Another anatomy whose face's box lies on this one's: heads differ in size, also when their eyes are aligned."""
    boxes = []
    for parts in (other, own):
        rows, columns = np.nonzero(_is_face(parts))
        if not len(rows):
            return other
        boxes.append(np.array([columns.min(), columns.max() + 1, rows.min(), rows.max() + 1], dtype=np.float64))
    theirs, mine = boxes
    scale = [float(np.clip((mine[i + 1] - mine[i]) / (theirs[i + 1] - theirs[i]), 0.7, 1.4)) for i in (0, 2)]
    shift = [(mine[i] + mine[i + 1]) / 2 - scale[i // 2] * (theirs[i] + theirs[i + 1]) / 2 for i in (0, 2)]
    matrix = np.array([[scale[0], 0, shift[0] + (scale[0] - 1) / 2], [0, scale[1], shift[1] + (scale[1] - 1) / 2]])
    moved = cv2.warpAffine(other, matrix, own.shape[::-1], flags=cv2.INTER_NEAREST, borderMode=cv2.BORDER_REPLICATE)
    return moved.astype(np.uint8)


def _hull(where: np.ndarray) -> np.ndarray:
    """The convex hull of a region, ``(S, S)`` bool."""
    points = cv2.findNonZero(where.astype(np.uint8))
    found = np.zeros(where.shape, dtype=np.uint8)
    if points is not None:
        cv2.fillConvexPoly(found, cv2.convexHull(points), 1)
    return found.astype(bool)
