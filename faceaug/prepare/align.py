"""The canonical crop: a similarity transform from five landmarks, applied to photo and label map (Section 4)."""

from __future__ import annotations

import math

import cv2
import numpy as np
import numpy.typing as npt

from faceaug.arrays import FloatArray
from faceaug.labels import IGNORE

_TEMPLATE_SIDE = 256
TEMPLATE: FloatArray = np.array([(97, 117), (157, 117), (127, 152), (102, 179), (152, 179)], dtype=np.float64)
"""Left eye, right eye, nose tip, mouth corners (x, y) in a 256 px crop."""

# The nose tip moves most with the head's turn and is defined least alike by detectors: it hardly pulls.
_PULL: FloatArray = np.array([1.0, 1.0, 0.1, 0.8, 0.8])


def similarity(landmarks: FloatArray, size: int) -> FloatArray | None:
    """The rotation, scale and shift that bring landmarks closest to the template (weighted least squares).

    Args:
        landmarks: ``(5, 2)`` x, y in pixels of the photo; NaN where unknown.
        size: side of the crop in pixels.

    Returns:
        A ``(2, 3)`` matrix from photo to crop pixels, or None where fewer than two points apart from each other are known.
    """
    known = np.isfinite(landmarks).all(axis=1)
    if known.sum() < 2:
        return None
    weight = _PULL[known] / _PULL[known].sum()
    # As complex numbers a similarity is z -> a z + b. Pixel centres sit at +0.5, so that scaling has no half-pixel drift.
    source = (landmarks[known] + 0.5) @ (1, 1j)
    target = (TEMPLATE[known] + 0.5) @ (1, 1j) * (size / _TEMPLATE_SIDE)
    source_mean, target_mean = weight @ source, weight @ target
    spread = float(weight @ np.abs(source - source_mean) ** 2)
    if spread < 1.0:
        return None
    a = complex((weight * np.conj(source - source_mean)) @ (target - target_mean)) / spread
    if abs(a) < 1e-3:
        return None
    b = target_mean - a * source_mean + a * (0.5 + 0.5j) - (0.5 + 0.5j)
    return np.array([[a.real, -a.imag, b.real], [a.imag, a.real, b.imag]])


LARGEST_MISFIT = 0.1
"""Above it landmarks are no upright face's."""


def misfit(matrix: FloatArray, landmarks: FloatArray, size: int) -> float:
    """How far aligned landmarks lie from the template: root of the weighted mean square, as a share of the crop's side.

    A turned head has about 0.03; landmarks whose sides are exchanged have 0.16, since no rotation mirrors a face. Two points fit
    always; where they turn the photo by more than a right angle, as exchanged ones do, the misfit is infinite.
    """
    known = np.isfinite(landmarks).all(axis=1)
    if known.sum() == 2 and matrix[0, 0] < 0:
        return math.inf
    found = (landmarks[known] @ matrix[:, :2].T + matrix[:, 2] + 0.5) / size
    distance = ((found - (TEMPLATE[known] + 0.5) / _TEMPLATE_SIDE) ** 2).sum(axis=1)
    return float(np.sqrt((_PULL[known] * distance).sum() / _PULL[known].sum()))


def outside(landmarks: FloatArray, size: tuple[int, int]) -> bool:
    """Whether most of the known landmarks lie outside of a photo of ``(H, W)``: they are another photo's, or another copy's."""
    known = landmarks[np.isfinite(landmarks).all(axis=1)]
    inside = ((known >= -0.5) & (known <= np.array(size[::-1]) - 0.5)).all(axis=1)
    return bool(2 * inside.sum() < len(known))


def _oversampling(matrix: FloatArray) -> int:
    """How many samples a crop pixel needs along each side so that no photo pixel is skipped."""
    return min(max(math.ceil(1 / math.hypot(matrix[0, 0], matrix[1, 0]) - 0.25), 1), 8)


def scaled(matrix: FloatArray, factor: float) -> FloatArray:
    """The same transform ``(2, 3)`` onto a crop with ``factor`` times the side (pixel centres kept in place)."""
    found = matrix * factor
    found[:, 2] += (factor - 1) / 2
    return found


def warp_image(image: npt.NDArray[np.uint8], matrix: FloatArray, size: int) -> npt.NDArray[np.uint8]:
    """Resample a photo into the crop without aliasing; outside of the photo its border is continued.

    Args:
        image: ``(H, W, 3)`` uint8.
        matrix: from :func:`similarity`.
        size: side of the crop.

    Returns:
        ``(size, size, 3)`` uint8.
    """
    factor = _oversampling(matrix)
    flags = cv2.INTER_LINEAR if factor > 1 else cv2.INTER_CUBIC
    side = size * factor
    warped = cv2.warpAffine(image, scaled(matrix, factor), (side, side), flags=flags, borderMode=cv2.BORDER_REPLICATE)
    if factor > 1:
        warped = cv2.resize(warped, (size, size), interpolation=cv2.INTER_AREA)
    return np.asarray(warped, dtype=np.uint8)


def warp_labels(labels: npt.NDArray[np.uint8], matrix: FloatArray, size: int, *, classes: int) -> npt.NDArray[np.uint8]:
    """Resample a label map: each crop pixel takes the class that covers most of it; outside of the photo it is 255.

    Args:
        labels: ``(H, W)`` uint8 below ``classes``, or 255.
        matrix: from :func:`similarity`.
        size: side of the crop.
        classes: of the label scheme.

    Returns:
        ``(size, size)`` uint8.
    """
    factor = _oversampling(matrix)
    side = size * factor
    warped = cv2.warpAffine(
        labels,
        scaled(matrix, factor),
        (side, side),
        flags=cv2.INTER_NEAREST,
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=IGNORE,
    )
    if factor == 1:
        return np.asarray(warped, dtype=np.uint8)
    cells = warped.reshape(size, factor, size, factor)
    candidates = np.array([*range(classes), IGNORE], dtype=np.uint8)
    votes = np.stack([(cells == label).sum(axis=(1, 3)) for label in candidates])
    return np.asarray(candidates[votes.argmax(axis=0)], dtype=np.uint8)
