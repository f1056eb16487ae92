"""How well a generated face fits its mask, by a parser's prediction."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from faceaug.arrays import ByteArray
from faceaug.labels import IGNORE


def agreement(predicted: ByteArray, labels: ByteArray) -> npt.NDArray[np.float32]:
    """Mean F1 of two label maps over the foreground classes in either of them, face by face.

    Args:
        predicted: ``(N, S, S)`` uint8: a parser's label maps.
        labels: ``(N, S, S)`` uint8 of the same scheme, or 255 (not counted): what was asked for.

    Returns:
        ``(N,)`` float32, 0..1; 1 where neither has any foreground.
    """
    counted = labels != IGNORE
    found = np.zeros(len(labels), dtype=np.float32)
    for row in range(len(labels)):
        a, b = predicted[row][counted[row]], labels[row][counted[row]]
        in_a, in_b, both = (np.bincount(values, minlength=256)[1:] for values in (a, b, a[a == b]))
        total = in_a + in_b
        found[row] = (2 * both[total > 0] / total[total > 0]).mean() if total.any() else 1.0
    return found
