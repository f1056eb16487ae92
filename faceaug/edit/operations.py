"""Changes of a mask by name: ``smile``, ``hair-longer``; each has a strength, 1 for its usual extent."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from faceaug.errors import ConfigError
from faceaug.labels import LEFT_BROW, LEFT_EYE, MOUTH, RIGHT_BROW, RIGHT_EYE
from faceaug.shapes.hair import change_length, move_hairline
from faceaug.shapes.parts import move_part, open_mouth
from faceaug.shapes.target import Target

STRONGEST = 3.0


@dataclass(frozen=True)
class Operation:
    """A named change of a mask.

    Attributes:
        what: for people.
        apply: the changed target, for a target and a strength.
    """

    what: str
    apply: Callable[[Target, float], Target]


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
    "eyes-larger": Operation("eyes larger, wider open", partial(_each, _EYES, log_width=0.1, log_height=0.25)),
    "eyes-smaller": Operation("eyes smaller, narrower", partial(_each, _EYES, log_width=-0.1, log_height=-0.25)),
    "brows-up": Operation("brows higher", partial(_each, _BROWS, down=-0.025)),
    "brows-down": Operation("brows lower", partial(_each, _BROWS, down=0.025)),
    "brows-thicker": Operation("brows thicker", partial(_each, _BROWS, log_height=0.35)),
    "brows-thinner": Operation("brows thinner", partial(_each, _BROWS, log_height=-0.35)),
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


def apply_changes(target: Target, changes: Sequence[Change]) -> Target:
    """The target with changes applied, one after the other.

    Raises:
        ConfigError: one of them changes nothing: the mask lacks the part, or has no room for it.
    """
    for change in changes:
        changed = OPERATIONS[change.name].apply(target, change.strength)
        if (changed.labels == target.labels).all():
            raise ConfigError(
                f"--change {change}: changes nothing at {target.size} px: the mask lacks the part or the room for it; try a "
                f"larger strength, or leave it out"
            )
        target = changed
    return target
