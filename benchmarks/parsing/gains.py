"""Gains with intervals, and how many labels generated faces replace."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from faceaug.labels import Scheme
from faceaug.parser.groups import Groups

from ..resampling import Resamples, Values, interval, measured

SMALLEST_GROUP = 5
"""Groups of fewer testing faces are not scored: resamples of them say nothing."""

Matrices = Mapping[str, Mapping[int, npt.NDArray[np.int64]]]
"""Confusion matrices ``(F, K, K)`` of the scored faces, by arm and seed."""


def gains(
    arms: Matrices, bases: Mapping[str, str], resamples: Resamples, scheme: Scheme, groups: Groups
) -> dict[str, dict[str, Any]]:
    """Each arm's scores, and what it gains over another one on the same seeds and faces.

    Args:
        arms: what was measured.
        bases: arm -> the arm that it is compared with; those without one are left out.
        resamples: of all seeds and the scored faces.
        scheme: the classes.
        groups: of the scored faces.

    Returns:
        For each arm ``seeds``, ``scores`` and, where its base was measured with some of its seeds, ``base``, the number of
        these seeds as ``common``, and ``gain``: an interval by key of :data:`METRICS`, ``f1 CLASS`` and, for the mean F1 of a
        group of :data:`SMALLEST_GROUP` faces at least, ``group NAME``.
    """

    def of(arm: str, seeds: Sequence[int]) -> dict[str, Values]:
        matrices = np.stack([arms[arm][seed] for seed in seeds])
        some = resamples.of(seeds)
        found = measured(matrices, some, scheme)
        for name, rows in groups.items():
            if rows.sum() >= SMALLEST_GROUP:
                found[f"group {name}"] = measured(matrices, some, scheme, rows=rows)["mean_f1"]
        return found

    result: dict[str, dict[str, Any]] = {}
    for arm in arms:
        seeds = sorted(arms[arm])
        result[arm] = {"seeds": seeds, "scores": {name: interval(values) for name, values in of(arm, seeds).items()}}
        base = bases.get(arm, arm)
        common = sorted(set(seeds) & set(arms.get(base, {})))
        if arm != base and common:
            ours, theirs = of(arm, common), of(base, common)
            result[arm] |= {
                "base": base,
                "common": len(common),
                "gain": {name: interval(ours[name] - theirs[name]) for name in ours},
            }
    return result


def labels_replaced(
    counts: Sequence[int], without: Values, with_: Values, *, at: Sequence[int] | None = None
) -> list[dict[str, Any]]:
    """How many labels the additions stand for: the curve without them, read backwards.

    Args:
        counts: ``(N,)`` labelled faces, ascending.
        without: ``(N, R)`` mean F1 without additions, of each resample; the first is the sample's.
        with_: ``(M, R)`` likewise with them.
        at: ``(M,)`` the counts of ``with_``; else all.

    Returns:
        For each count ``labelled``, ``worth``: labelled faces without additions that are as good, and ``factor``: that divided by
        the count, both intervals; ``ends``: the smallest and the largest count, beyond which nothing can be read. What is
        equal to one of them is a bound.
    """
    logs = np.log(np.asarray(counts, dtype=np.float64))
    found = []
    for place, count in enumerate(counts if at is None else at):
        worth = np.array([_read_back(logs, without[:, r], with_[place, r]) for r in range(without.shape[1])])
        entry = interval(worth)
        found.append(
            {
                "labelled": count,
                "worth": entry,
                "factor": {key: None if value is None else round(value / count, 2) for key, value in entry.items()},
                "ends": [counts[0], counts[-1]],
            }
        )
    return found


def _read_back(logs: Values, curve: Values, score: float) -> float:
    """Where a curve over log counts, made to rise, has a score; its ends beyond them."""
    rising = np.maximum.accumulate(curve) + 1e-9 * np.arange(len(curve))
    return float(np.exp(np.interp(score, rising, logs)))
