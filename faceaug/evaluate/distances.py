"""Distances between sets of faces in feature space: Frechet (FID) and kernel (KID), with bootstrap intervals.

With features other than Inception's the name says which: FID-EffLite0.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from faceaug.arrays import FloatArray, IntArray


@dataclass(frozen=True)
class Moments:
    """Mean and covariance of a set of features, with what comparisons with it need each time.

    Attributes:
        mean: ``(D,)``.
        covariance: ``(D, D)``.
        root: ``(D, D)``, the symmetric square root of the covariance.
    """

    mean: FloatArray
    covariance: FloatArray
    root: FloatArray


def moments(features: npt.ArrayLike) -> Moments:
    """Moments of ``(N, D)`` features, N of 2 or more."""
    values = np.asarray(features, dtype=np.float64)
    covariance = np.cov(values, rowvar=False)
    eigenvalues, vectors = np.linalg.eigh(covariance)
    root = (vectors * np.sqrt(np.clip(eigenvalues, 0.0, None))) @ vectors.T
    return Moments(values.mean(axis=0), covariance, root)


def frechet_distance(real: Moments, features: npt.ArrayLike) -> float:
    """Frechet distance of two Gaussians: ``|m1 - m2|^2 + tr(C1 + C2 - 2 (C1 C2)^(1/2))``.

    The trace of the last term is taken from the eigenvalues of the symmetric ``C1^(1/2) C2 C1^(1/2)``, which are those of
    ``C1 C2``: ten times as fast as a square root of the product, and never complex.

    Args:
        real: of the set to compare with.
        features: ``(N, D)`` of the other.
    """
    values = np.asarray(features, dtype=np.float64)
    covariance = np.cov(values, rowvar=False)
    shift = real.mean - values.mean(axis=0)
    eigenvalues = np.linalg.eigvalsh(real.root @ covariance @ real.root)
    cross = np.sqrt(np.clip(eigenvalues, 0.0, None)).sum()
    return float(shift @ shift + np.trace(real.covariance) + np.trace(covariance) - 2.0 * cross)


class KernelDistance:
    """KID: the unbiased squared maximum mean discrepancy with the kernel ``(x.y / D + 1)^3``.

    Args:
        real: ``(N, D)`` features.
        generated: ``(M, D)``.
    """

    def __init__(self, real: npt.ArrayLike, generated: npt.ArrayLike) -> None:
        x, y = np.asarray(real, dtype=np.float64), np.asarray(generated, dtype=np.float64)
        self._within_real = _mean_off_diagonal(_kernel(x, x))
        self._generated, self._between = _kernel(y, y), _kernel(x, y).mean(axis=0)

    def __call__(self, rows: IntArray | None = None) -> float:
        """The distance of all generated faces, or of a bootstrap sample of them: ``rows`` ``(R,)``, repetitions allowed.

        A face's kernel with its own copy is no pair of two faces, so copies are left out of the mean.
        """
        if rows is None:
            return self._within_real + _mean_off_diagonal(self._generated) - 2.0 * float(self._between.mean())
        kernel = self._generated[np.ix_(rows, rows)]
        different = rows[:, None] != rows[None, :]
        within = float(kernel[different].mean()) if different.any() else 0.0
        return self._within_real + within - 2.0 * float(self._between[rows].mean())


def _kernel(a: FloatArray, b: FloatArray) -> FloatArray:
    product: FloatArray = (a @ b.T / a.shape[1] + 1.0) ** 3
    return product


def _mean_off_diagonal(kernel: FloatArray) -> float:
    count = len(kernel)
    return float((kernel.sum() - np.trace(kernel)) / (count * (count - 1)))


def bootstrap(
    statistic: Callable[[IntArray], float], groups: npt.ArrayLike, *, value: float, rounds: int, seed: int
) -> dict[str, Any]:
    """A value with its 95 % interval, resampling whole groups (all faces of one mask vary together).

    The interval has the resamples' spread, turned over as in the basic interval, around the value itself: resampled sets repeat
    faces, which shifts statistics like FID upwards and says nothing about the value.

    Args:
        statistic: of row numbers ``(R,)`` with repetitions.
        groups: ``(N,)`` a group number for each row.
        value: the statistic of all rows.
        rounds: resamples.
        seed: of the resampling.

    Returns:
        ``value``, ``low``, ``high``.
    """
    of = np.asarray(groups)
    names = np.unique(of)
    members = [np.flatnonzero(of == name) for name in names]
    rng = np.random.default_rng(seed)
    found = []
    for _ in range(rounds):
        chosen = rng.integers(len(members), size=len(members))
        found.append(statistic(np.concatenate([members[index] for index in chosen])))
    low, middle, high = (float(quantile) for quantile in np.quantile(found, (0.025, 0.5, 0.975)))
    return {"value": round(value, 5), "low": round(value + middle - high, 5), "high": round(value + middle - low, 5)}
