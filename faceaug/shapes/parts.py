"""Changes of one part of the face: mouth, eyes, brows. The background is not touched, so the photo stays as it is."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from faceaug.arrays import ByteArray
from faceaug.labels import (
    BACKGROUND,
    HAIR,
    IGNORE,
    INNER_MOUTH,
    LEFT_BROW,
    LEFT_EYE,
    LOWER_LIP,
    MOUTH,
    RIGHT_BROW,
    RIGHT_EYE,
    SKIN,
    UPPER_LIP,
)
from faceaug.shapes.operation import Params, resample_labels, rounded
from faceaug.shapes.target import Target, among

_ROOM = 1.5
"""Pixels of a face of 64 around a part that move with it."""


def move_part(
    target: Target,
    parts: tuple[int, ...],
    *,
    log_width: float = 0,
    log_height: float = 0,
    angle: float = 0,
    down: float = 0,
    bend: float = 0,
) -> Target:
    """A part scaled, turned, shifted and bent around its middle, the skin around it giving way smoothly.

    Only what is skin or this part before and after can change: all else stays where it is.

    Args:
        target: the face.
        parts: anatomy numbers of the part.
        log_width: natural logarithm of its scale across.
        log_height: likewise along.
        angle: degrees, clockwise.
        down: shift as a share of the side.
        bend: how far its ends rise and its middle sinks, as a share of half of its width.
    """
    where = among(target.anatomy, *parts)
    if not where.any():
        return target
    rows, columns = np.nonzero(where)
    room = _ROOM * target.size / 64
    middle = (columns.min() + columns.max()) / 2, (rows.min() + rows.max()) / 2
    half = (np.ptp(columns) / 2 + room), (np.ptp(rows) / 2 + room)
    # Outside of twice the part's box nothing moves.
    left, top = (max(int(middle[axis] - 2 * half[axis]), 0) for axis in (0, 1))
    right, bottom = (min(int(middle[axis] + 2 * half[axis]) + 2, target.size) for axis in (0, 1))
    box = np.s_[top:bottom, left:right]
    y, x = np.mgrid[box].astype(np.float32)
    reach = np.maximum(np.abs(x - middle[0]) / half[0], np.abs(y - middle[1]) / half[1])
    weight = 0.5 + 0.5 * np.cos(np.pi * np.clip(reach - 1, 0, 1))
    across = x - middle[0]
    arch = np.clip((across / half[0]) ** 2, 0, 1) - 1 / 2  # 1/2 up at the ends, 1/2 down in the middle
    along = y - middle[1] - (down * target.size - bend * half[0] * arch) * weight
    turn = np.radians(-angle) * weight
    cos, sin = np.cos(turn), np.sin(turn)
    moved_x = middle[0] + (cos * across - sin * along) * np.exp(-log_width * weight)
    moved_y = middle[1] + (sin * across + cos * along) * np.exp(-log_height * weight)
    moved = resample_labels(target.labels, moved_x.astype(np.float32), moved_y.astype(np.float32))
    labels = target.labels.copy()
    free = among(target.anatomy[box], SKIN, *parts) & among(_anatomy(target, moved, left), SKIN, *parts)
    labels[box][free] = moved[free]
    return Target(target.image, labels, target.scheme)


def _anatomy(target: Target, labels: ByteArray, left: int) -> ByteArray:
    """The anatomy of a part of the picture that begins at column ``left``."""
    tables = target.scheme.anatomy_tables
    columns = np.arange(left, left + labels.shape[1]) >= target.size // 2
    found: ByteArray = tables[columns.astype(np.int64), labels]
    return found


def _inner(parts: ByteArray) -> npt.NDArray[np.bool_]:
    return ~among(parts, BACKGROUND, HAIR, IGNORE)


class Mouth:
    """The mouth wider, fuller, more open or more closed: up to 15 %, 20 %, and 30 % of its width."""

    name, chance = "mouth", 0.4

    def draw(self, rng: np.random.Generator, strength: float) -> Params:
        """Logarithms of width and height, and how much the gap between the lips grows, as a share of the mouth's width."""
        width, height, opened = rng.uniform(-1, 1, 3) * strength * (0.15, 0.2, 0.3)
        return {"log_width": rounded(width), "log_height": rounded(height), "open": rounded(opened)}

    def apply(self, target: Target, params: Params) -> Target:
        """See the protocol; a scheme that does not tell the lips apart has no gap between them."""
        moved = move_part(target, MOUTH, log_width=params["log_width"], log_height=params["log_height"])
        return open_mouth(moved, params["open"])


def open_mouth(target: Target, amount: float) -> Target:
    """The gap between the lips widened by up to ``amount`` of the mouth's width in its middle; negative closes it."""
    parts = target.anatomy
    if not ((parts == UPPER_LIP).any() and (parts == LOWER_LIP).any()) or not amount:
        return target
    columns = np.flatnonzero(among(parts, *MOUTH).any(0))
    first, last = int(columns[0]), int(columns[-1])
    changed = parts.copy()
    size, half = target.size, (last - first + 1) / 2
    for column in range(first, last + 1):
        bulge = 1 - ((column + 0.5 - first - half) / half) ** 2
        line = parts[:, column]
        upper, lower = np.flatnonzero(line == UPPER_LIP), np.flatnonzero(line == LOWER_LIP)
        face = np.flatnonzero(_inner(line))
        if not len(upper) or not len(lower) or lower[0] < upper[0]:
            continue
        top, bottom = int(min(upper[-1] + 1, lower[0])), int(lower[0])
        gap = max(bottom - top + amount * 2 * half * bulge, 0.0)
        end = int(face[-1]) + 1
        lip = int(lower[-1]) + 1 - bottom
        if top + gap + lip >= end:  # the chin ends before the lip does
            gap = max(end - top - lip - 1.0, float(bottom - top))
        rows = np.arange(top, end) + 0.5
        # Below the gap the lower lip keeps its height, and the chin gives way.
        places = np.interp(rows, [top + gap, top + gap + lip, end], [bottom, bottom + lip, end])
        taken = line[np.minimum(places.astype(int), size - 1)]
        changed[top:end, column] = np.where(rows < top + gap, INNER_MOUTH, np.where(_inner(taken), taken, SKIN))
        kept = ~_inner(line[top:end])
        changed[top:end, column][kept] = line[top:end][kept]
    return target.with_anatomy(changed)


class Eyes:
    """Both eyes larger or smaller, wider open or narrower: up to 10 % across and 25 % along."""

    name, chance = "eyes", 0.4

    def draw(self, rng: np.random.Generator, strength: float) -> Params:
        """Logarithms of width and height."""
        width, height = rng.uniform(-1, 1, 2) * strength * (0.1, 0.25)
        return {"log_width": rounded(width), "log_height": rounded(height)}

    def apply(self, target: Target, params: Params) -> Target:
        """See the protocol."""
        for part in (LEFT_EYE, RIGHT_EYE):
            target = move_part(target, (part,), log_width=params["log_width"], log_height=params["log_height"])
        return target


class Brows:
    """Both brows higher or lower, turned inwards or outwards, thicker or thinner: up to 2 % of the side, 8 degrees and 30 %."""

    name, chance = "brows", 0.4

    def draw(self, rng: np.random.Generator, strength: float) -> Params:
        """Shift down as a share of the side, degrees by which the outer ends sink, logarithm of the height."""
        down, angle, height = rng.uniform(-1, 1, 3) * strength * (0.02, 8.0, 0.3)
        return {"down": rounded(down), "angle": rounded(angle), "log_height": rounded(height)}

    def apply(self, target: Target, params: Params) -> Target:
        """See the protocol."""
        for part, side in ((LEFT_BROW, -1), (RIGHT_BROW, 1)):
            angle = side * params["angle"]
            target = move_part(target, (part,), log_height=params["log_height"], angle=angle, down=params["down"])
        return target
