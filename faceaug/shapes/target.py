"""A target face that is being changed: its photo, of which only what is kept is seen, and its label map."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache

import cv2
import numpy as np
import numpy.typing as npt

from faceaug.arrays import ByteArray
from faceaug.labels import BACKGROUND, IGNORE, Scheme, nearest_known


@dataclass(frozen=True)
class Target:
    """One target.

    Attributes:
        image: ``(S, S, 3)`` uint8 RGB.
        labels: ``(S, S)`` uint8 of the scheme, or 255.
        scheme: of the labels.
    """

    image: ByteArray
    labels: ByteArray
    scheme: Scheme

    @property
    def size(self) -> int:
        """Side in pixels."""
        return int(self.labels.shape[0])

    @cached_property
    def anatomy(self) -> ByteArray:
        """``(S, S)`` uint8: which part of the face each pixel is, or 255."""
        return self.scheme.anatomy(self.labels)

    def with_anatomy(self, parts: ByteArray) -> Target:
        """The target in another shape: labels follow the parts, background that the face has uncovered is filled in.

        A pixel whose part changes takes the label of the nearest pixel that had this part; where none had it, the first of the
        scheme's labels that are of this part, and where the scheme has none of them, its old label.

        Args:
            parts: ``(S, S)`` uint8 anatomy; 255 leaves a pixel as it is.
        """
        changed = (parts != self.anatomy) & (parts != IGNORE) & (self.anatomy != IGNORE)
        labels = self.labels.copy()
        for part in np.unique(parts[changed]):
            here = changed & (parts == part)
            labels[here] = self._labels_of(int(part))[here]
        return self.with_labels(labels)

    def with_labels(self, labels: ByteArray) -> Target:
        """The target with another label map ``(S, S)``, background that the face has uncovered filled in."""
        own = self.anatomy
        uncovered = (self.scheme.anatomy(labels) == BACKGROUND) & (own != BACKGROUND) & (own != IGNORE)
        image = filled_in(self.image, own == BACKGROUND, uncovered) if uncovered.any() else self.image
        return Target(image, labels, self.scheme)

    def _labels_of(self, part: int) -> ByteArray:
        """The label that each pixel has if it is of a part."""
        own = self.anatomy == part
        if own.any():
            return nearest(self.labels, own)
        found = np.empty_like(self.labels)
        middle = self.size // 2
        for side, columns in enumerate((slice(0, middle), slice(middle, None))):
            fits = np.flatnonzero(self.scheme.anatomy_tables[side, : len(self.scheme)] == part)
            found[:, columns] = fits[0] if len(fits) else self.labels[:, columns]
        return found


def nearest(values: ByteArray, known: npt.NDArray[np.bool_]) -> ByteArray:
    """For each pixel the value of the nearest known one.

    Args:
        values: ``(S, S)`` uint8.
        known: ``(S, S)`` bool, some of them true.
    """
    return values.ravel()[nearest_known(known)]


@lru_cache
def _table(group: tuple[int, ...]) -> npt.NDArray[np.bool_]:
    found = np.zeros(256, dtype=bool)
    found[list(group)] = True
    return found


def among(parts: ByteArray, *group: int) -> npt.NDArray[np.bool_]:
    """Where a label map has one of some values; ten times as fast as :func:`numpy.isin`."""
    return _table(group)[parts]


def filled_in(image: ByteArray, known: npt.NDArray[np.bool_], wanted: npt.NDArray[np.bool_]) -> ByteArray:
    """A photo whose wanted pixels continue the known ones: each has its nearest known pixel's colour, smoothed; else grey.

    Args:
        image: ``(S, S, 3)`` uint8 RGB.
        known: ``(S, S)`` bool.
        wanted: ``(S, S)`` bool.
    """
    found = np.array(image)
    if not known.any():
        found[wanted] = 128
        return found
    full = image.reshape(-1, 3)[nearest_known(known)]
    side = max(image.shape[0] // 16, 1) | 1
    found[wanted] = cv2.blur(full, (side, side), borderType=cv2.BORDER_REPLICATE)[wanted]
    return found
