"""Arms: which faces a parser is trained on, how they are augmented, and in what order they are seen."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from faceaug.config import check, check_choice, from_dict, to_dict
from faceaug.errors import ConfigError
from faceaug.generate.config import GenerateConfig
from faceaug.parser.additions import on_top
from faceaug.parser.config import FURTHER, Augmentation, ParserTraining

Schedule = Literal["mixed", "pretrain", "continue"]
"""``mixed``: additions on top of the labelled faces in every step; ``pretrain``: additions first, then labelled faces alone;
``continue``: labelled faces alone first, then with additions on top."""

MIXED, PRETRAIN, CONTINUE = "mixed", "pretrain", "continue"
LAST_WORDS = (PRETRAIN, CONTINUE)

AUGMENTED: dict[str, str] = {"real": "none", "aug": "geometric", "strong": "strong"}
"""First words of arms with labelled faces -> how they are augmented."""

BUILT_IN: dict[str, str] = {
    "duplicated": "the labelled faces once more",
    "pseudo": "photos that the teachers have labelled",
    "collage": "inner faces of labelled photos in other labelled photos",
    "unimatch": "photos without labels, taught by the parser's average (UniMatch)",
    "photos": "photos with human masks that nothing else has seen (an oracle)",
}
"""What can be added without a generator."""

CONTROLS = ("duplicated", "pseudo", "collage", "unimatch")
"""Additions that generated faces have to beat: those of :data:`BUILT_IN` that need no further labels."""

MASKS: dict[str, str] = {
    "own": "the labelled faces' masks",
    "predicted": "masks that the teachers predict for photos",
    "unused": "human masks that nothing else has seen (an oracle)",
}
"""What faces are generated on."""


@dataclass(frozen=True)
class SetConfig:
    """A generated set.

    Attributes:
        masks: some of :data:`MASKS`; each gets an equal part of the faces.
        total: faces in all, before filters.
        generate: how they are generated.
    """

    masks: tuple[str, ...] = ("own",)
    total: int = 4_000
    generate: GenerateConfig = field(default_factory=GenerateConfig)

    def __post_init__(self) -> None:
        unknown = [name for name in self.masks if name not in MASKS]
        check(
            {
                f"masks {', '.join(unknown)}: unknown; use {', '.join(MASKS)}": bool(unknown),
                "masks: none are named": not self.masks,
                f"total {self.total}: must be 1 or more for each kind of mask": self.total < len(self.masks),
            }
        )


GENERATED, TRANSFERRED = "generated", "transferred"

SETS: dict[str, SetConfig] = {
    GENERATED: SetConfig(("predicted",)),
    "generated-own": SetConfig(("own",)),
    "generated-both": SetConfig(("own", "predicted")),
    TRANSFERRED: SetConfig(("unused",)),
}
"""Generated sets by name."""


@dataclass(frozen=True)
class Added:
    """One addition of an arm.

    Attributes:
        what: of :data:`BUILT_IN`, or the name of a generated set.
        share: of the rows of a step, additions included.
    """

    what: str
    share: float

    @property
    def taught(self) -> bool:
        """Whether its labels come from the parser that is trained."""
        return self.what == "unimatch"


@dataclass(frozen=True)
class Arm:
    """What is compared.

    Attributes:
        name: as it was asked for.
        augment: how all faces are augmented, see :data:`faceaug.parser.config.Augmentation`.
        added: beside the labelled faces.
        schedule: see :data:`Schedule`.
        real: whether labelled faces are seen at all.
    """

    name: str
    augment: str = "geometric"
    added: tuple[Added, ...] = ()
    schedule: str = MIXED
    real: bool = True

    def __post_init__(self) -> None:
        check_choice(f"arm {self.name}: augment", self.augment, Augmentation)
        check_choice(f"arm {self.name}: schedule", self.schedule, Schedule)
        whole = sum(one.share for one in self.added)
        taught = any(one.taught for one in self.added)
        check(
            {
                f"arm {self.name}: shares must be above 0": any(one.share <= 0 for one in self.added),
                f"arm {self.name}: its shares add up to {whole:g}; it must be below 1": self.real and whole >= 1,
                f"arm {self.name}: shares must be numbers": not math.isfinite(whole),
                f"arm {self.name}: nothing to train on": not self.real and not self.added,
                f"arm {self.name}: unimatch needs labelled faces in every step": taught
                and (self.schedule == PRETRAIN or not self.real),
                f"arm {self.name}: nothing to continue from": self.schedule == CONTINUE and not self.real,
                f"arm {self.name}: nothing to pretrain on": self.schedule == PRETRAIN and not self.added,
                f"arm {self.name}: no labelled faces to train on after pretraining": self.schedule == PRETRAIN and not self.real,
                f"arm {self.name}: something is added twice": len({one.what for one in self.added}) < len(self.added),
            }
        )

    @property
    def generated(self) -> bool:
        """Whether it has generated faces."""
        return any(one.what not in BUILT_IN for one in self.added)

    @property
    def control(self) -> bool:
        """Whether it has additions, and none but controls."""
        return bool(self.added) and all(one.what in CONTROLS for one in self.added)

    def training(self, usual: ParserTraining) -> tuple[ParserTraining, tuple[float, ...]]:
        """How it is trained, and the exact share of each addition in a step (in the first steps where it is pretrained).

        Labelled faces are seen as often in every arm: additions come on top, as whole rows.

        Args:
            usual: of the labelled faces alone.
        """
        whole = sum(one.share for one in self.added)
        training = replace(usual, augment=self.augment)
        if self.schedule == CONTINUE:
            training = replace(training, images=round(FURTHER * usual.images))
        if not self.added:
            return training, ()
        if not self.real:
            return training, tuple(one.share / whole for one in self.added)
        if self.schedule == PRETRAIN:
            first = round(usual.images * whole / (1 - whole))
            images = usual.images + first
            return replace(training, images=images, pretrain=first / images), tuple(one.share / whole for one in self.added)
        return on_top(training, [one.share for one in self.added])


def parse_arm(text: str, sets: Mapping[str, SetConfig]) -> Arm:
    """An arm by what it consists of: ``aug``, ``strong+generated``, ``aug+generated:0.5+pseudo``, ``aug+generated+pretrain``.

    The first word is one of :data:`AUGMENTED`, or there are no labelled faces; each further one is an addition, after a colon
    its share of a step; those without one have as many rows as the labelled faces. A last word ``pretrain`` puts the additions
    before the labelled faces instead of beside them; ``continue`` begins as the parser of the labelled faces alone, and
    ``aug+continue`` goes on without additions.

    Args:
        text: the arm.
        sets: generated sets by name.

    Raises:
        ConfigError: an unknown word or no number.
    """
    words = [word.strip() for word in text.split("+")]
    schedule = words.pop() if len(words) > 1 and words[-1] in LAST_WORDS else MIXED
    real = words[0] in AUGMENTED
    shares: list[tuple[str, float | None]] = []
    for word in words[real:]:
        what, _, number = word.partition(":")
        known = [*BUILT_IN, *sets]
        if what not in known:
            start = "" if real else f" begin with {', '.join(AUGMENTED)}, or"
            raise ConfigError(f"arm {text!r}: {what!r} is unknown;{start} add some of {', '.join(known)}")
        try:
            share = float(number) if number else None
        except ValueError as error:
            raise ConfigError(f"arm {text!r}: share {number!r} is no number; write for example {what}:0.3") from error
        shares.append((what, share))
    open_rows = real + sum(share is None for _, share in shares)
    rest = (1 - sum(share or 0 for _, share in shares)) / max(open_rows, 1)
    added = [Added(what, rest if share is None else share) for what, share in shares]
    return Arm(text, AUGMENTED[words[0]] if real else "geometric", tuple(added), schedule, real)


def read_arms(table: Mapping[str, Any], sets: Mapping[str, SetConfig], *, where: str) -> dict[str, Arm]:
    """Arms of a TOML file: tables ``[arms.NAME]`` with ``is`` (as :func:`parse_arm`) and ``augment`` or ``schedule``.

    Args:
        table: the file's table ``arms``.
        sets: generated sets by name.
        where: the file, for messages.

    Raises:
        ConfigError: unknown keys or values.
    """
    found = {}
    for name, values in _tables(table, "arms", where):
        _check_name(f"arms.{name}", name, where)
        if not isinstance(values, Mapping) or not set(values) <= {"is", "augment", "schedule"} or "is" not in values:
            raise ConfigError(f'{where}: arms.{name}: needs is = "aug+generated" or the like, and may have augment and schedule')
        changes = {key: value for key, value in values.items() if key != "is"}
        found[name] = replace(parse_arm(str(values["is"]), sets), name=name, **changes)
    return found


def read_sets(table: Mapping[str, Any], *, where: str) -> dict[str, SetConfig]:
    """Generated sets of a TOML file: tables ``[sets.NAME]`` with ``masks``, ``total`` and settings of ``generate``.

    Raises:
        ConfigError: unknown keys or values.
    """
    found = {}
    for name, values in _tables(table, "sets", where):
        _check_name(f"sets.{name}", name, where)
        if name in BUILT_IN:
            raise ConfigError(f"{where}: sets.{name}: {name} is {BUILT_IN[name]} already; name the set otherwise")
        if not isinstance(values, Mapping):
            raise ConfigError(f"{where}: sets.{name}: must be a table")
        own = {key: value for key, value in values.items() if key in ("masks", "total")}
        rest = {key: value for key, value in values.items() if key not in own}
        known = to_dict(GenerateConfig())
        unknown = sorted(set(rest) - set(known))
        if unknown:
            raise ConfigError(f"{where}: sets.{name}: {', '.join(unknown)} unknown; it has masks, total, {', '.join(known)}")
        generate = from_dict(GenerateConfig, {**known, **rest}, where=where)
        masks, total = own.get("masks", list(SetConfig.masks)), own.get("total", SetConfig.total)
        if not isinstance(masks, list) or not all(isinstance(mask, str) for mask in masks):
            raise ConfigError(
                f'{where}: sets.{name}: masks = {masks!r}; must be a list of names, for example ["own", "predicted"]'
            )
        if not isinstance(total, int) or isinstance(total, bool):
            raise ConfigError(f"{where}: sets.{name}: total = {total!r}; must be a number of faces, for example 4000")
        found[name] = SetConfig(tuple(masks), total, generate)
    return found


def _tables(table: Any, key: str, where: str) -> Iterable[tuple[str, Any]]:
    """The named tables of a file's table."""
    if not isinstance(table, Mapping):
        raise ConfigError(f"{where}: {key} = {table!r}; it must be tables [{key}.NAME]")
    return table.items()


def _check_name(key: str, name: str, where: str) -> None:
    """Names are words of tables, charts and folders."""
    if not re.fullmatch(r"[\w+:. -]+", name):
        raise ConfigError(f"{where}: {key}: names are letters, digits, spaces and + - _ . : alone; name it otherwise")


FIRST = ("real", "aug", "aug+continue", "aug+generated+continue")
"""Arms for a generated set that is there."""

USUAL = (
    "aug",
    "aug+continue",
    "aug+generated+continue",
    "strong",
    "strong+continue",
    "strong+generated+continue",
    "aug+duplicated+continue",
    "aug+collage+continue",
    "aug+pseudo+continue",
    "aug+unimatch+continue",
    "generated",
)
"""Arms where everything is made here."""

ORACLES = ("aug+photos+continue", "aug+transferred+continue")
"""Arms that need labelled faces which nothing else has seen."""

QUICK = ("aug+continue", "aug+pseudo+continue", "aug+generated+continue")
"""Arms of a first look."""
