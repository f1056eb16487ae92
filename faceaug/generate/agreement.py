"""How well a painted face fits its mask, as a parser reads it."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from faceaug.labels import IGNORE, NUM_CLASSES

ByteArray = npt.NDArray[np.uint8]


def agreement(read: ByteArray, labels: ByteArray) -> npt.NDArray[np.float32]:
    """Mean F1 of two label maps over the foreground classes in either of them, face by face.

    Args:
        read: ``(N, S, S)`` uint8, 0..10: what a parser sees.
        labels: ``(N, S, S)`` uint8, 0..10 or 255 (not counted): what was asked for.

    Returns:
        ``(N,)`` float32, 0..1; 1 where neither has any foreground.
    """
    counted = labels != IGNORE
    found = np.zeros(len(labels), dtype=np.float32)
    classes = np.arange(1, NUM_CLASSES, dtype=np.uint8)
    for row in range(len(labels)):
        a, b = read[row][counted[row]], labels[row][counted[row]]
        in_a = np.bincount(a, minlength=256)[classes]
        in_b = np.bincount(b, minlength=256)[classes]
        both = np.bincount(a[a == b], minlength=256)[classes]
        total = in_a + in_b
        found[row] = (2 * both[total > 0] / total[total > 0]).mean() if total.any() else 1.0
    return found
