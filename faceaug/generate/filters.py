"""Filters of generated faces: each looks at faces as they come, and drops some or makes pixels of them unknown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import cv2
import numpy as np
import numpy.typing as npt

from faceaug.arrays import ByteArray, Float32Array, FloatArray, IntArray
from faceaug.errors import ConfigError
from faceaug.generate.gender import GenderClassifier
from faceaug.labels import IGNORE
from faceaug.parser.predict import Parser, predict_against
from faceaug.prepare.faces import LabelledFaces


@dataclass(frozen=True)
class Candidates:
    """Generated faces that a filter looks at.

    Attributes:
        images: ``(N, S, S, 3)`` uint8 RGB.
        labels: ``(N, S, S)`` uint8: what was asked for, or 255.
        agreement: ``(N,)`` float32, 0..1, see :func:`faceaug.generate.agreement.agreement`.
        likely: ``(N, S, S)`` float32, 0..1: the judge's probability of each pixel's label; 1 at 255.
        target_male: ``(N,)`` int64.
        source: ``(N,)`` index of the source whose skin it is.
    """

    images: ByteArray
    labels: ByteArray
    agreement: Float32Array
    likely: Float32Array
    target_male: IntArray
    source: IntArray


class Filter(Protocol):
    """What every filter is."""

    reason: str
    """Why a face was dropped, in few words; what its drops are counted by."""

    def keep(self, faces: Candidates) -> npt.NDArray[np.bool_]:
        """``(N,)`` bool: faces that stay. A function of these faces alone."""


@dataclass(frozen=True)
class Agreement:
    """Drops faces whose predicted label map agrees less with the mask.

    Attributes:
        least: mean F1, 0..1.
    """

    least: float
    reason = "agreement too low"

    def keep(self, faces: Candidates) -> npt.NDArray[np.bool_]:
        """See the protocol."""
        found: npt.NDArray[np.bool_] = faces.agreement >= self.least
        return found


@dataclass(frozen=True)
class Gender:
    """Drops faces that the classifier finds of another gender than their target: the paper's filter (Section 4)."""

    classifier: GenderClassifier
    reason = "generated gender differs from the target's"

    def keep(self, faces: Candidates) -> npt.NDArray[np.bool_]:
        """See the protocol."""
        found: npt.NDArray[np.bool_] = self.classifier.male(faces.images) == faces.target_male
        return found


_THUMBNAIL = 16


def thumbnails(images: ByteArray) -> Float32Array:
    """Faces ``(N, S, S, 3)`` uint8 as vectors of 16 x 16 x 3 numbers, 0..255, whose distances are differences to the eye."""
    small = [cv2.resize(image, (_THUMBNAIL, _THUMBNAIL), interpolation=cv2.INTER_AREA) for image in images]
    return np.stack(small).reshape(len(images), -1).astype(np.float32)


class NearDuplicates:
    """Drops faces that hardly differ from a photo that the generator could have copied, or from an earlier face of their shard.

    Args:
        least: root of the mean squared difference of the pixels at 16 px, 0..255, below which two faces are duplicates.
        photos: targets and sources.
    """

    reason = "near-duplicate"

    def __init__(self, least: float, photos: Sequence[LabelledFaces]) -> None:
        self.least = least
        parts = [thumbnails(some.images[at : at + 1024]) for some in photos for at in range(0, len(some), 1024)]
        self._known = np.concatenate(parts).astype(np.uint8)  # 768 bytes a photo

    def keep(self, faces: Candidates) -> npt.NDArray[np.bool_]:
        """See the protocol."""
        vectors = thumbnails(faces.images)
        bar = self.least**2 * vectors.shape[1]
        keep = np.ones(len(vectors), dtype=bool)
        for start in range(0, len(self._known), 4096):
            keep &= (_squared(vectors, self._known[start : start + 4096].astype(np.float32)) >= bar).all(1)
        among = _squared(vectors, vectors)
        for row in range(1, len(vectors)):
            keep[row] &= not (among[row, :row][keep[:row]] < bar).any()
        return keep


def _squared(a: Float32Array, b: Float32Array) -> FloatArray:
    """Squared distances of vectors: ``(A, D)`` and ``(B, D)`` to ``(A, B)``."""
    lengths = (a.astype(np.float64) ** 2).sum(1)[:, None] + (b.astype(np.float64) ** 2).sum(1)
    found: FloatArray = lengths - 2.0 * (a @ b.T).astype(np.float64)
    return found


class SameIdentity:
    """Drops faces in which a face-recognition network still sees the person of the source photo.

    Args:
        least: the network's distance, below which two faces are of one person; 0.6 is usual for dlib's.
        sources: the photos.

    Raises:
        ConfigError: the package ``face_recognition`` is not installed.
    """

    reason = "the source's identity is kept"

    def __init__(self, least: float, sources: LabelledFaces) -> None:
        self.least, self._sources = least, sources
        try:
            import face_recognition
        except ImportError as error:
            raise ConfigError("--set min_identity_distance: needs `pip install face_recognition`, or leave it out") from error
        self._network: Any = face_recognition
        self._known: dict[int, FloatArray | None] = {}

    def keep(self, faces: Candidates) -> npt.NDArray[np.bool_]:
        """See the protocol; a face that the network does not find stays."""
        keep = np.ones(len(faces.images), dtype=bool)
        for row, source in enumerate(faces.source.tolist()):
            if source not in self._known:
                self._known[source] = self._code(self._sources.images[source])
            own, theirs = self._code(faces.images[row]), self._known[source]
            if own is not None and theirs is not None:
                keep[row] = float(np.linalg.norm(own - theirs)) >= self.least
        return keep

    def _code(self, image: ByteArray) -> FloatArray | None:
        side = 160  # what the network was trained at; it finds no smaller faces
        large = cv2.resize(np.ascontiguousarray(image), (side, side), interpolation=cv2.INTER_CUBIC)
        box = [(0, side, side, 0)]  # aligned faces fill the picture: nothing has to be detected
        codes = self._network.face_encodings(large, known_face_locations=box)
        return np.asarray(codes[0], dtype=np.float64) if codes else None


@dataclass(frozen=True)
class Doubt:
    """Which pixels become unknown: those whose label the judge finds unlikely.

    Attributes:
        least: probability below which a pixel becomes 255; 0 for none.
        losses: ``(K,)`` the judge's mean loss of each class's pixels on real faces, times the factor above which a pixel becomes
            255 (Yang et al., FreeMask, NeurIPS 2023); None for none.
    """

    least: float = 0.0
    losses: FloatArray | None = None

    def labels(self, labels: ByteArray, likely: Float32Array) -> ByteArray:
        """The labels ``(N, S, S)`` with doubtful pixels 255."""
        doubtful = likely < self.least
        if self.losses is not None:
            bars = np.full(256, np.inf)
            bars[: len(self.losses)] = self.losses
            doubtful |= -np.log(np.maximum(likely, 1e-12)) > bars[labels]
        return np.where(doubtful, IGNORE, labels).astype(np.uint8)


_MEASURED = 500
"""Real faces on which a class's mean loss is measured, at most."""


def class_losses(judge: Parser, faces: LabelledFaces) -> FloatArray:
    """The judge's mean cross-entropy on the pixels of each class, over real faces with human label maps; inf where none.

    Args:
        judge: a parser.
        faces: some of them have human label maps.

    Raises:
        ConfigError: none has.
    """
    human = np.flatnonzero(faces.human)
    if not len(human):
        raise ConfigError("--max-doubt: needs masks made by people, to know the usual loss of each class; add such --masks")
    rows = human[np.unique(np.linspace(0, len(human) - 1, min(len(human), _MEASURED)).round().astype(np.int64))]
    count = len(faces.scheme)
    sums, pixels = np.zeros(count), np.zeros(count)
    for start in range(0, len(rows), 64):
        some = rows[start : start + 64]
        labels = faces.labels[some]
        loss = -np.log(np.maximum(predict_against(judge, faces.images[some], labels)[1], 1e-12))
        known = labels != IGNORE
        sums += np.bincount(labels[known], loss[known], minlength=count)
        pixels += np.bincount(labels[known], minlength=count)
    found: FloatArray = np.divide(sums, pixels, out=np.full(count, np.inf), where=pixels > 0)
    return found
