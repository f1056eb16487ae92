"""How many faces each mask gets: all alike, more for masks with rare classes, or more for those that a parser finds hard."""

from __future__ import annotations

from typing import Literal

import numpy as np

from faceaug.arrays import FloatArray, IntArray
from faceaug.labels import IGNORE
from faceaug.parser.predict import Parser, predict_against
from faceaug.prepare.faces import LabelledFaces
from faceaug.progress import Progress

BalanceMode = Literal["none", "rare", "hard"]

COMMON = 0.5
"""Share of the masks from which on a class is common (t of Gupta et al., LVIS, CVPR 2019, there for single objects)."""

_LEAST = 0.0005
"""Share of a mask's pixels that a class must have to be there: two of a face of 64."""

HARDEST = 4.0
"""Faces of the hardest mask for each face of the easiest."""

_AT_ONCE = 256


def mask_weights(targets: LabelledFaces, mode: str, parser: Parser) -> FloatArray:
    """How many faces each mask gets in proportion: ``(T,)`` float64 above 0.

    Args:
        targets: labelled faces.
        mode: ``rare``: the repeat factors of LVIS, ``max(1, sqrt(t / f))`` of the rarest class in a mask, where a share ``f`` of
            the masks has it; ``hard``: from 1 to :data:`HARDEST`, by the rank of the parser's mean loss on the target's photo.
        parser: for ``hard``.
    """
    if mode == "rare":
        has = np.zeros((len(targets), len(targets.scheme)), dtype=bool)
        for start in range(0, len(targets), _AT_ONCE):
            for row, labels in enumerate(targets.labels[start : start + _AT_ONCE], start):
                counts = np.bincount(labels[labels != IGNORE], minlength=len(targets.scheme))
                has[row] = counts >= max(_LEAST * labels.size, 1)
        share = has.mean(0)
        factors = np.sqrt(COMMON / np.maximum(share, 1e-9)).clip(min=1.0)
        found: FloatArray = np.where(has, factors, 1.0).max(1)
        return found
    if mode == "hard":
        losses = np.empty(len(targets))
        with Progress("hardness of masks", len(targets), unit="faces") as progress:
            for start in range(0, len(targets), _AT_ONCE):
                rows = slice(start, start + _AT_ONCE)
                likely = predict_against(parser, targets.images[rows], targets.labels[rows])[1]
                losses[rows] = -np.log(np.maximum(likely, 1e-6)).mean((1, 2))
                progress.update(min(start + _AT_ONCE, len(targets)))
        rank = np.argsort(np.argsort(losses, kind="stable"), kind="stable")
        weights: FloatArray = HARDEST ** (rank / max(len(targets) - 1, 1))
        return weights
    return np.ones(len(targets))


def shared_out(total: int, weights: FloatArray) -> IntArray:
    """``total`` faces shared out over masks in proportion to their weights: ``(T,)`` int64 whose sum is ``total``.

    What is left after rounding down goes to the largest remainders; of equal ones, evenly over the set.
    """
    exact = total * weights / weights.sum()
    found: IntArray = np.floor(exact).astype(np.int64)
    left = total - int(found.sum())
    remainders = exact - found
    # Equal remainders are taken from all over the set, not from its beginning: 0, 1/2, 1/4, 3/4, ...
    spread = np.argsort(np.array([int(f"{row:032b}"[::-1], 2) for row in range(len(weights))]), kind="stable")
    order = spread[np.argsort(-remainders[spread].round(9), kind="stable")]
    found[order[:left]] += 1
    return found
