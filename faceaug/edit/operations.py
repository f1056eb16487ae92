"""Changes of a mask by name: ``smile``, ``hair-longer``; each has a strength, 1 for its usual extent."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from faceaug.errors import ConfigError
from faceaug.labels import LEFT_BROW, LEFT_EYE, LOWER_LIP, MOUTH, RIGHT_BROW, RIGHT_EYE, UPPER_LIP
from faceaug.shapes.hair import change_length, move_hairline
from faceaug.shapes.parts import move_part, open_mouth
from faceaug.shapes.target import Target

STRONGEST = 3.0

_STRONGER = 1.1
"""Ratio of a strength to the next one that is tried where the mask is too coarse for it."""

_FINE = 256
"""Side of the grid in pixels on which masks are changed."""


@dataclass(frozen=True)
class Operation:
    """A named change of a mask.

    Attributes:
        what: for people.
        apply: the changed target, for a target and a strength.
        pair: parts that change together.
    """

    what: str
    apply: Callable[[Target, float], Target]
    pair: tuple[int, ...] = ()


def _each(parts: Sequence[int], target: Target, strength: float, **usual: float) -> Target:
    for part in parts:
        target = move_part(target, (part,), **{name: strength * value for name, value in usual.items()})
    return target


def _mouth(target: Target, strength: float, *, opened: float = 0.0, **usual: float) -> Target:
    moved = move_part(target, MOUTH, **{name: strength * value for name, value in usual.items()})
    return open_mouth(moved, strength * opened)


def _hairline(target: Target, strength: float, *, up: float) -> Target:
    return move_hairline(target, strength * up)


def _length(target: Target, strength: float, *, down: float) -> Target:
    return change_length(target, strength * down)


_EYES, _BROWS = (LEFT_EYE, RIGHT_EYE), (LEFT_BROW, RIGHT_BROW)

_LASTING = {*_EYES, *_BROWS, UPPER_LIP, LOWER_LIP}
"""Parts that no change removes."""

OPERATIONS: dict[str, Operation] = {
    "forehead": Operation("hair off the forehead", partial(_hairline, up=0.08)),
    "fringe": Operation("hair over the forehead", partial(_hairline, up=-0.08)),
    "hair-longer": Operation("hair further down beside and below the face", partial(_length, down=0.2)),
    "hair-shorter": Operation("hair less far down", partial(_length, down=-0.2)),
    "smile": Operation("mouth wider, its corners up, a little open", partial(_mouth, log_width=0.12, bend=0.2, opened=0.06)),
    "mouth-open": Operation("lips apart", partial(_mouth, opened=0.3)),
    "mouth-closed": Operation("lips together", partial(_mouth, opened=-0.5)),
    "lips-fuller": Operation("lips higher", partial(_mouth, log_height=0.25)),
    "lips-thinner": Operation("lips flatter", partial(_mouth, log_height=-0.25)),
    "eyes-larger": Operation("eyes larger, wider open", partial(_each, _EYES, log_width=0.1, log_height=0.25), _EYES),
    "eyes-smaller": Operation("eyes smaller, narrower", partial(_each, _EYES, log_width=-0.1, log_height=-0.25), _EYES),
    "brows-up": Operation("brows higher", partial(_each, _BROWS, down=-0.025), _BROWS),
    "brows-down": Operation("brows lower", partial(_each, _BROWS, down=0.025), _BROWS),
    "brows-thicker": Operation("brows thicker", partial(_each, _BROWS, log_height=0.35), _BROWS),
    "brows-thinner": Operation("brows thinner", partial(_each, _BROWS, log_height=-0.35), _BROWS),
}
"""The operations; they are applied in the order in which they are named."""


@dataclass(frozen=True)
class Change:
    """One operation with its strength.

    Attributes:
        name: one of :data:`OPERATIONS`.
        strength: above 0 and at most :data:`STRONGEST`; 1 is the usual extent.
    """

    name: str
    strength: float = 1.0

    def __post_init__(self) -> None:
        if self.name not in OPERATIONS:
            raise ConfigError(f"--change {self.name}: unknown; use {', '.join(OPERATIONS)}")
        if not 0 < self.strength <= STRONGEST:
            raise ConfigError(f"--change {self.name}:{self.strength:g}: the strength must be above 0 and at most {STRONGEST:g}")

    def __str__(self) -> str:
        return self.name if self.strength == 1 else f"{self.name}:{self.strength:g}"


def parse_change(text: str) -> Change:
    """A change as ``smile`` or ``smile:0.5``.

    Raises:
        ConfigError: an unknown name, or a strength that is none.
    """
    name, colon, number = text.partition(":")
    try:
        return Change(name, float(number) if colon else 1.0)
    except ValueError as error:
        raise ConfigError(f"--change {text}: strength {number!r} is no number; write for example smile:0.5") from error


def apply_changes(target: Target, changes: Sequence[Change]) -> tuple[Target, list[str]]:
    """The target with changes applied, one after the other.

    A change of less than a pixel is made as much stronger as it takes, up to :data:`STRONGEST`; one that has no effect even then,
    for want of the part or of room, is left out.

    Args:
        target: a face.
        changes: in their order.

    Returns:
        The changed target, and remarks on what was made stronger or left out.

    Raises:
        ConfigError: no change has any effect.
    """
    remarks, done = [], 0
    for change in changes:
        found = _strong_enough(target, change)
        if found is None:
            remarks.append(f"{change} left out, the mask lacks the part or the room for it")
            continue
        target, strength = found
        done += 1
        if strength > change.strength:
            remarks.append(f"{change} made as {change.name}:{strength:.2g}, less is no pixel at {target.size} px")
    if changes and not done:
        raise ConfigError(
            f"--change {', '.join(map(str, changes))}: changes nothing at {target.size} px: the mask lacks the part or the room "
            f"for it; name another change, or leave the photo out"
        )
    return target, remarks


def _strong_enough(target: Target, change: Change) -> tuple[Target, float] | None:
    """The target changed as little as has an effect, on both of a pair's parts if that can be; and the strength that it took."""
    first = None
    for strength in _strengths(change.strength):
        changed = _applied(target, change.name, strength)
        if _has_effect(changed, target):
            first = first or (changed, strength)
            pair = [part for part in OPERATIONS[change.name].pair if (target.anatomy == part).any()]
            if all(((changed.anatomy == part) != (target.anatomy == part)).any() for part in pair):
                return changed, strength
    return first


def _strengths(first: float) -> Iterator[float]:
    """A strength, and larger ones, up to the strongest."""
    yield first
    while first < STRONGEST:
        first = min(first * _STRONGER, STRONGEST)
        yield first


def _has_effect(changed: Target, target: Target) -> bool:
    """Whether a mask was changed, and has all parts that it had: small eyes must not vanish."""
    parts = [set(np.unique(one.anatomy)) & _LASTING for one in (changed, target)]
    return parts[0] == parts[1] and not np.array_equal(changed.labels, target.labels)


def _applied(target: Target, name: str, strength: float) -> Target:
    """A target with one operation applied to its mask on a grid of :data:`_FINE` or more pixels a side.

    Lips and eyes of one or two pixels come out whole there: a coarse pixel takes the class that most of its fine ones have, of
    two halves the one that is new to it.
    """
    factor = math.ceil(_FINE / target.size)
    image, mask = (one.repeat(factor, 0).repeat(factor, 1) for one in (target.image, target.labels))
    fine = Target(image, mask, target.scheme)
    changed = OPERATIONS[name].apply(fine, strength).labels
    if factor == 1:
        return target.with_labels(changed)
    cells = changed.reshape(target.size, factor, target.size, factor).transpose(0, 2, 1, 3).reshape(*target.labels.shape, -1)
    labels, most = target.labels.copy(), (cells == target.labels[..., None]).sum(-1)
    for label in np.unique(cells[cells != target.labels[..., None]]):
        votes = (cells == label).sum(-1)
        new = (votes >= most) & (votes > 0) & (label != target.labels)
        labels[new], most[new] = label, votes[new]
    return target.with_labels(labels)
