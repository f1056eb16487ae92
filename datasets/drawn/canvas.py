"""Painting a photo and its label map at once: whatever covers a pixel gives it both colour and class."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from faceaug.arrays import Float32Array

Points = npt.NDArray[np.float64]

_SHIFT = 4  # fractional bits of polygon corners


class Canvas:
    """A picture in the making.

    Args:
        width: pixels.
        height: pixels.

    Attributes:
        image: ``(H, W, 3)`` float32 RGB, 0..255.
        labels: ``(H, W)`` uint8.
    """

    def __init__(self, width: int, height: int) -> None:
        self.image: Float32Array = np.zeros((height, width, 3), dtype=np.float32)
        self.labels: npt.NDArray[np.uint8] = np.zeros((height, width), dtype=np.uint8)

    def mask(self, polygon: Points) -> npt.NDArray[np.uint8]:
        """``(H, W)`` uint8 coverage 0..255 of a closed polygon ``(K, 2)`` in pixels."""
        found = np.zeros(self.labels.shape, dtype=np.uint8)
        corners = np.round(polygon * (1 << _SHIFT)).astype(np.int32)
        cv2.fillPoly(found, [corners], 255, cv2.LINE_AA, _SHIFT)
        return found

    def fill(
        self,
        polygon: Points,
        colour: npt.ArrayLike,
        *,
        label: int | None = None,
        opacity: float = 1.0,
        soften: float = 0.0,
        within: npt.NDArray[np.uint8] | None = None,
    ) -> npt.NDArray[np.uint8]:
        """Paint a polygon.

        Args:
            polygon: ``(K, 2)`` corners in pixels.
            colour: RGB, or ``(H, W, 3)`` for a texture.
            label: the class it has; None leaves the classes beneath.
            opacity: of the colour, 0..1.
            soften: blurs the colour's edge by so many pixels.
            within: ``(H, W)`` uint8: paint only where it is 128 or more.

        Returns:
            Its mask.
        """
        mask = self.mask(polygon)
        if within is not None:
            mask[within < 128] = 0
        pad = int(3 * soften) + 2
        low = np.maximum(np.floor(polygon.min(axis=0)).astype(int) - pad, 0)
        high = np.maximum(np.ceil(polygon.max(axis=0)).astype(int) + pad + 1, 0)
        box = (slice(low[1], high[1]), slice(low[0], high[0]))
        if mask[box].size == 0:
            return mask
        weight = mask[box].astype(np.float32) * np.float32(opacity / 255)
        if soften:
            weight = np.asarray(cv2.GaussianBlur(weight, (0, 0), soften), dtype=np.float32)
        paint = np.asarray(colour, dtype=np.float32)
        if paint.ndim == 3:
            paint = paint[box]
        self.image[box] += (paint - self.image[box]) * weight[..., None]
        if label is not None:
            part = self.labels[box]
            part[mask[box] >= 128] = label
        return mask

    def line(self, points: Points, colour: npt.ArrayLike, thickness: float, *, opacity: float = 1.0) -> None:
        """Paint an open line ``(K, 2)`` without changing classes."""
        direction = np.gradient(points, axis=0)
        normal = np.stack([-direction[:, 1], direction[:, 0]], axis=1)
        normal /= np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-9)
        taper = np.sin(np.linspace(0.12, np.pi - 0.12, len(points)))[:, None]
        offset = normal * taper * thickness / 2
        self.fill(np.concatenate([points + offset, (points - offset)[::-1]]), colour, opacity=opacity)


def noise(rng: np.random.Generator, shape: tuple[int, int], cells: tuple[int, int]) -> Float32Array:
    """Smooth random field of ``shape`` (H, W), -1..1, with ``cells`` (rows, columns) independent values."""
    coarse = rng.uniform(-1, 1, cells).astype(np.float32)
    return np.asarray(cv2.resize(coarse, shape[::-1], interpolation=cv2.INTER_CUBIC), dtype=np.float32)


def ellipse(x: float, y: float, width: float, height: float, *, power: float = 2.0, count: int = 40) -> Points:
    """A superellipse around (x, y) with the given half axes: ``(count, 2)``."""
    t = np.linspace(0, 2 * np.pi, count, endpoint=False)
    cos, sin = np.cos(t), np.sin(t)
    shape = np.stack([np.sign(cos) * np.abs(cos) ** (2 / power), np.sign(sin) * np.abs(sin) ** (2 / power)], axis=1)
    return shape * (width, height) + (x, y)
