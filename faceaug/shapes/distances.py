"""Regions as signed distances, which can be averaged and added as label maps cannot."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from faceaug.arrays import Float32Array

FARTHEST = 0.25
"""Distances beyond this share of the side are all alike: what is far from a region says nothing about its shape."""


def signed_distance(region: npt.NDArray[np.bool_]) -> Float32Array:
    """How far each pixel is outside of a region, negative inside, as a share of the side.

    Args:
        region: ``(S, S)`` bool.

    Returns:
        ``(S, S)`` float32 within :data:`FARTHEST`; one that is empty is that far from everywhere.
    """
    inside = region.astype(np.uint8)
    if not region.any() or region.all():
        return np.full(region.shape, -FARTHEST if region.any() else FARTHEST, dtype=np.float32)
    outward, inward = (cv2.distanceTransform(mask, cv2.DIST_L2, 5) for mask in (1 - inside, inside))
    # The border lies between two pixels: the nearest one is half a pixel from it.
    distance = (np.maximum(outward - 0.5, 0) - np.maximum(inward - 0.5, 0)) / len(region)
    found: Float32Array = np.clip(distance, -FARTHEST, FARTHEST).astype(np.float32)
    return found
