"""Scores of label maps, all from one confusion matrix pooled over every pixel of a set."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from faceaug.labels import (
    CLASSES,
    IGNORE,
    INNER_MOUTH,
    LEFT_BROW,
    LEFT_EYE,
    LOWER_LIP,
    NOSE,
    NUM_CLASSES,
    RIGHT_BROW,
    RIGHT_EYE,
    UPPER_LIP,
)

ByteArray = npt.NDArray[np.uint8]
Confusion = npt.NDArray[np.int64]

INNER_PARTS = (LEFT_BROW, RIGHT_BROW, LEFT_EYE, RIGHT_EYE, NOSE, UPPER_LIP, INNER_MOUTH, LOWER_LIP)
"""Whose union Helen's "overall" F1 scores; skin, hair and background are not in it."""


def confusion(predicted: ByteArray, truth: ByteArray) -> Confusion:
    """Count pixels by true and predicted class.

    Args:
        predicted: any shape, uint8, 0..10.
        truth: the same shape, 0..10 or 255; 255 is not counted.

    Returns:
        ``(11, 11)`` int64: rows are true, columns predicted classes. Matrices of parts add up to that of the whole.
    """
    counted = truth != IGNORE
    index = truth[counted].astype(np.int64) * NUM_CLASSES + predicted[counted]
    return np.bincount(index, minlength=NUM_CLASSES**2).reshape(NUM_CLASSES, NUM_CLASSES)


def scores(matrix: Confusion) -> dict[str, Any]:
    """Every score of the field from a pooled confusion matrix.

    Args:
        matrix: from :func:`confusion`.

    Returns:
        ``pixel_accuracy``; ``mean_class_accuracy`` and ``mean_iou`` over all classes that occur; ``f1`` by class name;
        ``mean_f1`` over the foreground classes that occur (the ten, on any set of faces); ``helen_overall``: F1 of the union
        of the inner parts, in which confusing one inner part with another counts as correct, as in the field's code.
    """
    m = matrix.astype(np.float64)
    hit, true, predicted = np.diag(m), m.sum(axis=1), m.sum(axis=0)
    occurs = true + predicted > 0
    f1 = np.divide(2 * hit, true + predicted, out=np.zeros(NUM_CLASSES), where=occurs)
    iou = np.divide(hit, true + predicted - hit, out=np.zeros(NUM_CLASSES), where=occurs)
    recall = np.divide(hit, true, out=np.zeros(NUM_CLASSES), where=true > 0)
    foreground = occurs.copy()
    foreground[0] = False
    return {
        "pixel_accuracy": _ratio(hit.sum(), m.sum()),
        "mean_class_accuracy": _mean(recall[true > 0]),
        "mean_iou": _mean(iou[occurs]),
        "mean_f1": _mean(f1[foreground]),
        "helen_overall": union_f1(matrix, INNER_PARTS),
        "f1": {name: round(float(value), 6) for name, value in zip(CLASSES, f1, strict=True)},
    }


def union_f1(matrix: Confusion, classes: tuple[int, ...]) -> float:
    """F1 of several classes taken as one."""
    rows = list(classes)
    hit = matrix[np.ix_(rows, rows)].sum()
    return _ratio(2 * hit, matrix[rows].sum() + matrix[:, rows].sum())


def _ratio(part: Any, whole: Any) -> float:
    return round(float(part) / float(whole), 6) if whole else 0.0


def _mean(values: npt.NDArray[np.float64]) -> float:
    return round(float(values.mean()), 6) if len(values) else 0.0
