"""Which sources meet which target: drawn at random, from the seed alone."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

from faceaug.errors import ConfigError, NothingLeft
from faceaug.prepare.faces import UNKNOWN, FaceSet, IntArray
from faceaug.prepare.likeness import CANDIDATES, Likeness, shape_vectors

GenderMode = Literal["consistent", "filter", "any"]


@dataclass(frozen=True)
class Plan:
    """Rows to be painted, in order.

    Attributes:
        target: ``(R,)`` index of each row's target.
        source: ``(R,)`` index of its source.
        mirrored: ``(R,)`` bool: the source is mirrored.
        seed: ``(R,)`` uint64 that its source was drawn with.
        dropped: targets left out, by reason.
    """

    target: IntArray
    source: IntArray
    mirrored: npt.NDArray[np.bool_]
    seed: npt.NDArray[np.uint64]
    dropped: dict[str, int]

    def __len__(self) -> int:
        return len(self.target)


def check_gender_mode(mode: str) -> None:
    """Raise ConfigError unless ``mode`` is one of :data:`GenderMode`."""
    if mode not in get_args(GenderMode):
        raise ConfigError(f"--gender {mode}: unknown; use {', '.join(get_args(GenderMode))}")


def plan_pairs(
    targets: FaceSet,
    sources: FaceSet,
    *,
    per_mask: int,
    mode: str,
    seed: int,
    candidates: int = CANDIDATES,
    target_male: IntArray | None = None,
) -> Plan:
    """Draw ``per_mask`` different sources for every target.

    Args:
        targets: labelled faces.
        sources: photos with label maps.
        per_mask: sources a target.
        candidates: photos drawn for each row, half of them mirrored, of which the one most like the target in shape is taken
            (:mod:`faceaug.prepare.likeness`); 1 takes any, as the paper does.
        target_male: ``(T,)`` the targets' genders, 1, 0, or -1 for unknown, where they are not the set's own.
        mode: ``consistent`` draws only sources of the target's gender; ``filter`` and ``any`` draw from all.
        seed: a row's source depends on it, the target's number and the row's number within the target, on nothing else.

    Raises:
        ConfigError: more sources a mask than there are.
        NothingLeft: no target can be paired.
    """
    check_gender_mode(mode)
    if targets.labels is None or sources.labels is None:
        raise ValueError("targets and sources need label maps")
    genders = targets.male if target_male is None else target_male
    pools = {value: np.flatnonzero(sources.male == value) for value in (0, 1)}
    everyone = np.arange(len(sources))
    smallest = min(len(pool) for pool in pools.values()) if mode == "consistent" else len(everyone)
    if not 1 <= per_mask <= smallest:
        raise ConfigError(f"--per-mask {per_mask}: there are {smallest} sources to draw from; choose 1 to {smallest}")
    wanted = shape_vectors(targets.labels) if candidates > 1 else None
    shapes = Likeness(sources.labels) if candidates > 1 else None
    rows: list[tuple[int, int, bool, int]] = []
    dropped: Counter[str] = Counter()
    for index, male in enumerate(genders):
        if mode != "any" and male == UNKNOWN:
            dropped["target's gender unknown"] += 1
            continue
        pool = pools[int(male)] if mode == "consistent" else everyone
        chosen: set[int] = set()
        for k in range(per_mask):
            row_seed = int(np.random.SeedSequence([seed, index, k]).generate_state(1, np.uint64)[0])
            rng = np.random.default_rng(row_seed)
            left = pool[~np.isin(pool, list(chosen))] if chosen else pool
            drawn = left[rng.integers(len(left), size=candidates)]
            turned = rng.random(candidates) < (0.5 if candidates > 1 else 0.0)
            best = 0 if shapes is None or wanted is None else int(np.argmax(shapes.of(drawn, turned) @ wanted[index]))
            chosen.add(int(drawn[best]))
            rows.append((index, int(drawn[best]), bool(turned[best]), row_seed))
    if not rows:
        raise NothingLeft("no target has a known gender; use --gender any")
    target, source, mirrored, seeds = zip(*rows, strict=True)
    return Plan(
        np.array(target, dtype=np.int64),
        np.array(source, dtype=np.int64),
        np.array(mirrored, dtype=bool),
        np.array(seeds, dtype=np.uint64),
        dict(dropped),
    )
