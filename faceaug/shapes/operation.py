"""What every change of shape is: a name, parameters that are drawn, and a function of target and parameters alone."""

from __future__ import annotations

from typing import Any, Protocol

import cv2
import numpy as np

from faceaug.arrays import ByteArray, Float32Array
from faceaug.labels import IGNORE
from faceaug.shapes.target import Target

Params = dict[str, Any]
"""JSON-able; numbers are rounded, so that what is read back from JSON is what was applied."""


class Operation(Protocol):
    """A change of shape."""

    name: str
    chance: float
    """How often it enters an edited row's list of operations."""

    def draw(self, rng: np.random.Generator, strength: float) -> Params:
        """Parameters of one change.

        Args:
            rng: random numbers; as many are taken at any strength.
            strength: 0 changes nothing (but for mirroring), 1 is the usual range; ranges grow in proportion.
        """

    def apply(self, target: Target, params: Params) -> Target:
        """The changed target; the same for the same target and parameters."""


def rounded(value: float) -> float:
    """Five decimals: a thousandth of a pixel."""
    return round(float(value), 5)


def resample(target: Target, x: Float32Array, y: Float32Array) -> Target:
    """Photo and label map taken from other places.

    A pixel gets the class that covers most of it; the outside of the photo becomes 255, and its border is continued there.

    Args:
        target: what is moved.
        x: ``(H, W)`` float32: the column, in pixels, that each pixel is taken from.
        y: the row.
    """
    image = cv2.remap(np.ascontiguousarray(target.image), x, y, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    return Target(image.astype(np.uint8), resample_labels(target.labels, x, y), target.scheme)


def resample_labels(labels: ByteArray, x: Float32Array, y: Float32Array) -> ByteArray:
    """Label map ``(H, W)`` taken from other places of one ``(S, S)``, see :func:`resample`."""
    present = np.flatnonzero(np.bincount(labels.ravel(), minlength=256)[:IGNORE])
    best = np.zeros(x.shape, dtype=np.float32)
    total = np.zeros(x.shape, dtype=np.float32)
    found = np.full(x.shape, IGNORE, dtype=np.uint8)
    for label in present:
        cover = cv2.remap((labels == label).astype(np.float32), x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
        better = cover > best
        found[better], best[better] = label, cover[better]
        total += cover
    found[1 - total > best] = IGNORE
    return found


def pixels(size: int) -> tuple[Float32Array, Float32Array]:
    """Column and row of each pixel: two of ``(S, S)`` float32."""
    y, x = np.mgrid[:size, :size].astype(np.float32)
    return x, y
