"""Scores with intervals: a hierarchical bootstrap over seeds and scored faces.

A bootstrap of S seeds shows (S - 1) / S of their variance, half of it for two. So what resampled seeds deviate by is multiplied
by the root of S / (S - 1). Where seeds differ more than faces do, intervals of two or three seeds are still too narrow.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from faceaug.labels import Scheme
from faceaug.parser.metrics import inner_parts

Values = npt.NDArray[np.float64]

METRICS = {
    "mean_f1": "mean F1",
    "helen_overall": "Helen overall F1",
    "mean_iou": "mean IoU",
    "pixel_accuracy": "pixel accuracy",
}
"""Keys of scores -> their titles. The first decides."""


@dataclass(frozen=True)
class Resamples:
    """Resamples of seeds and of scored faces, the same for all arms, so that differences are paired.

    The first one is the sample itself.

    Attributes:
        seeds: ``(R, S)`` how often each seed counts.
        faces: ``(R, F)`` how often each face counts.
    """

    seeds: npt.NDArray[np.int64]
    faces: npt.NDArray[np.int64]

    @classmethod
    def draw(cls, seeds: int, faces: int, rounds: int, *, seed: int = 0) -> Resamples:
        """Draw with replacement: seeds, and faces (a hierarchical bootstrap)."""
        rng = np.random.default_rng(seed)

        def counts(number: int) -> npt.NDArray[np.int64]:
            drawn = [np.bincount(rng.integers(number, size=number), minlength=number) for _ in range(rounds)]
            return np.stack([np.ones(number, dtype=np.int64), *drawn])

        return cls(counts(seeds), counts(faces))

    def of(self, seeds: Sequence[int]) -> Resamples:
        """Those of some of the seeds; a resample without any of them counts each once."""
        chosen = self.seeds[:, list(seeds)]
        chosen = np.where(chosen.sum(1, keepdims=True) > 0, chosen, 1)
        return Resamples(chosen, self.faces)


def measured(
    matrices: npt.NDArray[np.int64], resamples: Resamples, scheme: Scheme, *, rows: npt.NDArray[np.bool_] | None = None
) -> dict[str, Values]:
    """Scores of each resample, averaged over seeds, in percent.

    Args:
        matrices: ``(S, F, K, K)`` confusion matrices of each seed and face.
        resamples: of the same seeds and faces.
        scheme: the classes.
        rows: ``(F,)`` only these faces count.

    Returns:
        The keys of :data:`METRICS` that the scheme has, and ``f1 CLASS`` for each class: ``(R,)`` each.
    """
    seeds, faces, classes = matrices.shape[:3]
    weights = (resamples.faces if rows is None else resamples.faces * rows).astype(np.float32)
    flat = matrices.reshape(seeds, faces, -1).astype(np.float32)
    pooled = np.stack([weights @ one for one in flat], 1).astype(np.float64).reshape(-1, seeds, classes, classes)
    hit, true, found = np.diagonal(pooled, axis1=2, axis2=3), pooled.sum(3), pooled.sum(2)
    occurs = true + found > 0
    with np.errstate(invalid="ignore", divide="ignore"):
        f1 = np.where(occurs, 2 * hit / (true + found), np.nan)
        iou = np.where(occurs, hit / (true + found - hit), np.nan)
        values = {"mean_f1": _mean(f1[..., 1:]), "mean_iou": _mean(iou), "pixel_accuracy": hit.sum(2) / pooled.sum((2, 3))}
        if inner := list(inner_parts(scheme)):
            union = 2 * pooled[:, :, inner][..., inner].sum((2, 3))
            values["helen_overall"] = union / (true[..., inner].sum(2) + found[..., inner].sum(2))
    values |= {f"f1 {name}": f1[..., number] for number, name in enumerate(scheme.classes)}
    weight = _widened(resamples.seeds / resamples.seeds.sum(1, keepdims=True))
    return {name: 100 * (weight * value).sum(1) for name, value in values.items()}


def _widened(weight: Values) -> Values:
    """Weights ``(R, S)`` of seeds that deviate from equal ones as much as independent seeds would."""
    seeds = weight.shape[1]
    return weight if seeds == 1 else 1 / seeds + (weight - 1 / seeds) * np.sqrt(seeds / (seeds - 1))


def _mean(values: Values) -> Values:
    """The mean over classes that occur; NaN where none does."""
    known = np.isfinite(values)
    with np.errstate(invalid="ignore"):
        found: Values = np.where(known, values, 0.0).sum(-1) / known.sum(-1)
    return found


def interval(values: Values) -> dict[str, float | None]:
    """The sample's value, and the 95 % interval of its resamples; None where it is not known."""
    value, rest = values[0], values[1:]
    known = rest[~np.isnan(rest)]
    if not np.isfinite(value) or not len(known):
        return {"value": _rounded(value), "low": None, "high": None}
    low, high = np.quantile(known, (0.025, 0.975), method="nearest")
    return {"value": _rounded(value), "low": _rounded(low), "high": _rounded(high)}


def _rounded(value: Any) -> float | None:
    return round(float(value), 4) if np.isfinite(value) else None
