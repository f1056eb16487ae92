"""Which sources meet which target: drawn at random, from the seed alone."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

from faceaug.errors import ConfigError, NothingLeft
from faceaug.prepare.faces import UNKNOWN, IntArray

GenderMode = Literal["consistent", "filter", "any"]


@dataclass(frozen=True)
class Plan:
    """Rows to be painted, in order.

    Attributes:
        target: ``(R,)`` index of each row's target.
        source: ``(R,)`` index of its source.
        seed: ``(R,)`` uint64 that its source was drawn with.
        dropped: targets left out, by reason.
    """

    target: IntArray
    source: IntArray
    seed: npt.NDArray[np.uint64]
    dropped: dict[str, int]

    def __len__(self) -> int:
        return len(self.target)


def check_gender_mode(mode: str) -> None:
    """Raise ConfigError unless ``mode`` is one of :data:`GenderMode`."""
    if mode not in get_args(GenderMode):
        raise ConfigError(f"--gender {mode}: unknown; use {', '.join(get_args(GenderMode))}")


def plan_pairs(target_male: IntArray, source_male: IntArray, *, per_mask: int, mode: str, seed: int) -> Plan:
    """Draw ``per_mask`` different sources for every target.

    Args:
        target_male: ``(T,)``: 1, 0, or -1 for unknown.
        source_male: ``(S,)`` likewise.
        per_mask: sources a target.
        mode: ``consistent`` draws only sources of the target's gender; ``filter`` and ``any`` draw from all.
        seed: a row's source depends on it, the target's number and the row's number within the target, on nothing else.

    Raises:
        ConfigError: more sources a mask than there are.
        NothingLeft: no target can be paired.
    """
    check_gender_mode(mode)
    pools = {value: np.flatnonzero(source_male == value) for value in (0, 1)}
    everyone = np.arange(len(source_male))
    smallest = min(len(pool) for pool in pools.values()) if mode == "consistent" else len(everyone)
    if not 1 <= per_mask <= smallest:
        raise ConfigError(f"--per-mask {per_mask}: there are {smallest} sources to draw from; choose 1 to {smallest}")
    targets: list[int] = []
    sources: list[int] = []
    seeds: list[int] = []
    dropped: Counter[str] = Counter()
    for index, male in enumerate(target_male):
        if mode != "any" and male == UNKNOWN:
            dropped["target's gender unknown"] += 1
            continue
        pool = pools[int(male)] if mode == "consistent" else everyone
        chosen: set[int] = set()
        for k in range(per_mask):
            row_seed = int(np.random.SeedSequence([seed, index, k]).generate_state(1, np.uint64)[0])
            rng = np.random.default_rng(row_seed)
            source = int(pool[rng.integers(len(pool))])
            while source in chosen:
                source = int(pool[rng.integers(len(pool))])
            chosen.add(source)
            targets.append(index)
            sources.append(source)
            seeds.append(row_seed)
    if not targets:
        raise NothingLeft("no target has a known gender; use --gender any")
    as_index = np.array(targets, dtype=np.int64), np.array(sources, dtype=np.int64)
    return Plan(*as_index, np.array(seeds, dtype=np.uint64), dict(dropped))
