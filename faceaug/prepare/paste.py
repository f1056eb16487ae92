"""Crops and label maps back into the photo, at its own resolution."""

from __future__ import annotations

import math

import cv2
import numpy as np
import numpy.typing as npt

from faceaug.arrays import ByteArray, Float32Array, FloatArray
from faceaug.labels import IGNORE

FEATHER = 1 / 32
"""Width of the edge over which a pasted crop fades in, as a share of the crop's side."""


def paste(
    photo: ByteArray,
    crop: ByteArray,
    matrix: FloatArray,
    mask: npt.NDArray[np.bool_] | npt.NDArray[np.floating] | None = None,
    *,
    feather: float = FEATHER,
) -> ByteArray:
    """Put a crop back into its photo; pixels outside of it, or of the mask, stay as they are.

    Args:
        photo: ``(H, W, 3)`` uint8.
        crop: ``(S, S, 3)`` uint8, aligned from the photo with ``matrix``.
        matrix: ``(2, 3)`` from pixels of the photo to pixels of the crop, see :func:`faceaug.prepare.align.similarity`.
        mask: ``(S, S)`` of the crop, bool or 0..1: how much of it is put back; everything where None.
        feather: width of the soft edge inside of the mask and of the crop, as a share of S; 0: anti-aliased only.

    Returns:
        A new ``(H, W, 3)`` uint8.
    """
    place = _Place(matrix, crop.shape[0], (photo.shape[0], photo.shape[1]))
    result = photo.copy()
    if not place.empty:
        cover = place.warp(_cover(crop.shape[0], mask, feather))[..., None]
        pixels = place.warp(crop.astype(np.float32), smooth=True)
        under = result[place.rows, place.columns]
        result[place.rows, place.columns] = np.clip(np.rint(under + cover * (pixels - under)), 0, 255).astype(np.uint8)
    return result


def uncrop_labels(labels: ByteArray, matrix: FloatArray, shape: tuple[int, int]) -> ByteArray:
    """A crop's label map at its place in the photo.

    Each pixel of the photo takes the class that has most of the crop's pixels around it: the majority where the photo is coarser
    than the crop, smoothed borders where it is finer.

    Args:
        labels: ``(S, S)`` uint8, any scheme or 255.
        matrix: as for :func:`paste`.
        shape: height and width of the photo.

    Returns:
        ``(H, W)`` uint8, 255 outside of the crop.
    """
    result = np.full(shape, IGNORE, dtype=np.uint8)
    place = _Place(matrix, labels.shape[0], shape)
    if place.empty:
        return result
    inside = result[place.rows, place.columns]
    most = np.zeros(inside.shape, dtype=np.float32)
    covered = np.zeros(inside.shape, dtype=np.float32)
    for label in np.unique(labels):
        share = place.warp((labels == label).astype(np.float32))
        inside[share > most] = label
        covered += share
        np.maximum(most, share, out=most)
    inside[covered < 0.5] = IGNORE
    return result


def _cover(size: int, mask: npt.NDArray[np.bool_] | npt.NDArray[np.floating] | None, feather: float) -> Float32Array:
    """How much of each crop pixel is put back: ``(S, S)`` float32, 0..1, rising from the edge inwards."""
    soft = np.ones((size, size), dtype=np.float32) if mask is None else np.asarray(mask, dtype=np.float32)
    if feather <= 0:
        return soft
    inside = np.pad((soft > 0).astype(np.uint8), 1)
    distance = cv2.distanceTransform(inside, cv2.DIST_L2, 5)[1:-1, 1:-1]
    return np.asarray(soft * np.clip((distance - 0.5) / (feather * size), 0, 1), dtype=np.float32)


class _Place:
    """Where a crop lies in its photo: the box of rows and columns that it touches, and how to resample it into them."""

    def __init__(self, matrix: FloatArray, size: int, shape: tuple[int, int]) -> None:
        back = cv2.invertAffineTransform(matrix)
        edge = np.array([(-0.5, -0.5), (size - 0.5, -0.5), (-0.5, size - 0.5), (size - 0.5, size - 0.5)])
        corners = edge @ back[:, :2].T + back[:, 2]
        left, top = (max(math.floor(value), 0) for value in corners.min(axis=0))
        right, bottom = (math.ceil(value) + 1 for value in corners.max(axis=0))
        self.rows, self.columns = slice(top, min(bottom, shape[0])), slice(left, min(right, shape[1]))
        self.empty = self.rows.start >= self.rows.stop or self.columns.start >= self.columns.stop
        self._back = back - np.array([[0, 0, left], [0, 0, top]])
        self._factor = min(max(math.ceil(math.hypot(matrix[0, 0], matrix[1, 0]) - 0.25), 1), 8)

    def warp(self, crop: Float32Array, *, smooth: bool = False) -> Float32Array:
        """Resample ``(S, S)`` or ``(S, S, C)`` without aliasing; outside of it are zeros, or with ``smooth`` its border."""
        width, height = self.columns.stop - self.columns.start, self.rows.stop - self.rows.start
        finer = self._back * self._factor
        finer[:, 2] += (self._factor - 1) / 2
        side = (width * self._factor, height * self._factor)
        flags = cv2.INTER_CUBIC if smooth and self._factor == 1 else cv2.INTER_LINEAR
        border = cv2.BORDER_REPLICATE if smooth else cv2.BORDER_CONSTANT
        warped = cv2.warpAffine(crop, finer, side, flags=flags, borderMode=border)
        if self._factor > 1:
            warped = cv2.resize(warped, (width, height), interpolation=cv2.INTER_AREA)
        return np.asarray(warped, dtype=np.float32)
