"""Faces in ordinary photos: boxes and five landmarks by MTCNN, whose weights come inside the package ``mtcnn-runtime``."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from threading import Lock
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np

from faceaug.arrays import ByteArray, FloatArray
from faceaug.errors import ConfigError

MIN_SIZE = 32
"""Faces with a smaller box have about twelve pixels between the eyes."""

MIN_CONFIDENCE = 0.95
"""Between hands and folds of cloth that look like a face (most below 0.93) and faces (most above 0.99)."""

_LONGEST, _SHORTEST = 1024, 256
"""The longer side of what is searched: larger photos are reduced, smaller ones enlarged."""

_SMALLEST = 20
"""Side of the smallest face that is searched for, after that."""


@dataclass(frozen=True)
class Detection:
    """One face of a photo.

    Attributes:
        box: left, top, right, bottom in pixels; may reach over the photo's border.
        landmarks: ``(5, 2)`` x, y in pixels: left eye, right eye, nose tip, left and right mouth corner (the viewer's left).
        confidence: 0..1.
    """

    box: tuple[float, float, float, float]
    landmarks: FloatArray
    confidence: float

    @property
    def size(self) -> float:
        """The shorter side of the box in pixels."""
        left, top, right, bottom = self.box
        return min(right - left, bottom - top)


def detect(image: ByteArray, *, min_size: float = MIN_SIZE, min_confidence: float = MIN_CONFIDENCE) -> list[Detection]:
    """The faces of a photo, the largest first.

    Photos over 1024 px are reduced for it, so that faces below a fiftieth of the longer side are not found.

    Args:
        image: ``(H, W, 3)`` uint8 RGB, upright.
        min_size: shorter side of a face's box in pixels of the photo.
        min_confidence: 0..1.

    Raises:
        ConfigError: ``mtcnn-runtime`` is not installed.
    """
    height, width = image.shape[:2]
    longest = max(height, width)
    scale = min(max(longest, _SHORTEST), _LONGEST) / longest
    side = (max(round(width * scale), 1), max(round(height * scale), 1))
    searched = cv2.resize(image, side, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    # MTCNN moves the landmarks of boxes that leave the photo: give it a margin, of the value that is zero to it.
    margin = max(side) // 4
    padded = cv2.copyMakeBorder(searched, margin, margin, margin, margin, cv2.BORDER_CONSTANT, value=(127, 127, 127))
    boxes, points = _search(np.asarray(padded, dtype=np.uint8), max(min_size * scale, _SMALLEST))
    found = []
    for box, row in zip(boxes, points, strict=True):
        corners = [(float(value) - margin) / scale for value in box[:4]]
        landmarks = (np.asarray(row, dtype=np.float64).reshape(2, 5).T - margin + 0.5) / scale - 0.5
        found.append(Detection((corners[0], corners[1], corners[2], corners[3]), landmarks, float(box[4])))
    kept = [one for one in found if one.size >= min_size and one.confidence >= min_confidence]
    return sorted(kept, key=lambda one: one.size, reverse=True)


def detect_landmarks(image: ByteArray) -> FloatArray | None:
    """Landmarks ``(5, 2)`` of a photo's largest face, None where none is found; see :func:`detect`."""
    found = detect(image)
    return found[0].landmarks if found else None


def _search(image: ByteArray, smallest: float) -> tuple[FloatArray, FloatArray]:
    """Boxes with confidence ``(N, 5)``, and landmarks ``(N, 10)``: five x, then five y."""
    nothing = np.empty((0, 5)), np.empty((0, 10))
    with _building:
        detector = _detector()
    if smallest >= min(image.shape[:2]):
        return nothing
    try:
        boxes, points = detector.detect(np.ascontiguousarray(image[..., ::-1]), min_face_size=smallest)
    except ValueError:  # its first stage found nothing to stack
        return nothing
    return (boxes, points) if len(boxes) else nothing


_building = Lock()


def check_detector() -> None:
    """Raise ConfigError where ``mtcnn-runtime`` is not installed."""
    with _building:
        _detector()


@lru_cache(maxsize=1)
def _detector() -> Any:
    """MTCNN, read once for a process; each search takes one thread, so that photos can be searched side by side."""
    try:
        import onnxruntime
        from mtcnnruntime import detector
    except ImportError as error:
        raise ConfigError(
            'finding faces needs mtcnn-runtime, which is not installed; pip install "faceaug[photos]" (`faceaug prepare` takes '
            "landmarks of a file, too)"
        ) from error

    def session(path: str, **kwargs: Any) -> Any:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3
        return onnxruntime.InferenceSession(path, sess_options=options, **kwargs)

    # MTCNN() takes no options of its sessions, which would use all cores each.
    detector.onnxruntime = SimpleNamespace(InferenceSession=session)
    try:
        return detector.MTCNN()
    finally:
        detector.onnxruntime = onnxruntime
