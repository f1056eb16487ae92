"""Scores of label maps, all from one confusion matrix pooled over every pixel of a set."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from faceaug.arrays import ByteArray
from faceaug.labels import IGNORE, Scheme

Confusion = npt.NDArray[np.int64]

_INNER_PARTS = ("left_brow", "right_brow", "left_eye", "right_eye", "nose", "upper_lip", "inner_mouth", "lower_lip")
"""Whose union Helen's "overall" F1 scores; skin, hair and background are not in it."""


def confusion(predicted: ByteArray, truth: ByteArray, *, classes: int) -> Confusion:
    """Count pixels by true and predicted class.

    Args:
        predicted: any shape, uint8 below ``classes``.
        truth: the same shape, below ``classes`` or 255; 255 is not counted.
        classes: K of the label scheme.

    Returns:
        ``(K, K)`` int64: rows are true, columns predicted classes. Matrices of parts add up to that of the whole.
    """
    counted = truth != IGNORE
    index = truth[counted].astype(np.int64) * classes + predicted[counted]
    return np.bincount(index, minlength=classes**2).reshape(classes, classes)


def inner_parts(scheme: Scheme) -> tuple[int, ...]:
    """The labels of Helen's "overall" score; empty where the scheme lacks one of its classes."""
    found = [scheme.where(part) for part in _INNER_PARTS]
    return tuple(label for labels in found for label in labels) if all(found) else ()


def scores(matrix: Confusion, scheme: Scheme) -> dict[str, Any]:
    """Every score of the field from a pooled confusion matrix.

    Args:
        matrix: from :func:`confusion`.
        scheme: its classes.

    Returns:
        ``pixel_accuracy``; ``mean_class_accuracy`` and ``mean_iou`` over all classes that occur; ``f1`` by class name;
        ``mean_f1`` over the foreground classes that occur; where the scheme has Helen's classes, ``helen_overall``: F1 of the
        union of the inner parts, in which confusing one inner part with another counts as correct, as in the field's code.
    """
    m = matrix.astype(np.float64)
    hit, true, predicted = np.diag(m), m.sum(axis=1), m.sum(axis=0)
    occurs = true + predicted > 0
    f1 = np.divide(2 * hit, true + predicted, out=np.zeros(len(m)), where=occurs)
    iou = np.divide(hit, true + predicted - hit, out=np.zeros(len(m)), where=occurs)
    recall = np.divide(hit, true, out=np.zeros(len(m)), where=true > 0)
    foreground = occurs.copy()
    foreground[0] = False
    inner = inner_parts(scheme)
    return {
        "pixel_accuracy": _ratio(hit.sum(), m.sum()),
        "mean_class_accuracy": _mean(recall[true > 0]),
        "mean_iou": _mean(iou[occurs]),
        "mean_f1": _mean(f1[foreground]),
        **({"helen_overall": union_f1(matrix, inner)} if inner else {}),
        "f1": {name: round(float(value), 6) for name, value in zip(scheme.classes, f1, strict=True)},
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
