"""Collages: inner faces of labelled photos in other labelled photos. The cheapest new faces with human labels there are."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from faceaug.arrays import ByteArray
from faceaug.labels import BACKGROUND, HAIR, IGNORE, SKIN
from faceaug.prepare.faces import LabelledFaces
from faceaug.prepare.likeness import Likeness

_RIM = 64
"""The inner face is widened by the side's share of one in this many, so that seams lie in skin."""

_CANDIDATES = 32
"""Faces drawn for each one, of which the likest in shape gives its inner face; of few faces a quarter, or it is always one."""


def collages(faces: LabelledFaces, count: int, *, seed: int = 0) -> LabelledFaces:
    """Faces whose brows, eyes, nose and mouth are another one's.

    Aligned faces have their eyes in one place, so nothing is moved: inside the hull of the other's inner face, where both have
    face, the other's pixels are blended in (Perez et al., Poisson image editing, 2003), and its labels taken.

    Args:
        faces: labelled faces, two at least.
        count: how many.
        seed: of who goes to whom.

    Returns:
        ``count`` faces; labels are exact but for the seam.
    """
    rng = np.random.default_rng(seed)
    shapes = Likeness(faces).vectors.astype(np.float32)
    images, labels, names = [], [], []
    for number in range(count):
        own = number % len(faces)
        drawn = rng.choice(np.delete(np.arange(len(faces)), own), size=min(_CANDIDATES, max(len(faces) // 4, 1)), replace=False)
        other = int(drawn[(shapes[drawn] @ shapes[own]).argmax()])
        image, label = _collage(faces, own, other)
        images.append(image)
        labels.append(label)
        names.append(f"{faces.names[own]}+{faces.names[other]}")
    unknown = np.full(count, -1, dtype=np.int64)
    return LabelledFaces(
        f"collages of {faces.title}", tuple(names), np.stack(images), np.stack(labels), unknown, unknown, scheme=faces.scheme
    )


def _collage(faces: LabelledFaces, own: int, other: int) -> tuple[ByteArray, ByteArray]:
    image, labels = np.array(faces.images[own]), np.array(faces.labels[own])
    parts, theirs = faces.anatomy([own])[0], faces.anatomy([other])[0]
    inner = _inner(parts) | _inner(theirs)
    if not inner.any():
        return image, labels
    size = len(parts)
    corners = np.argwhere(inner)[:, ::-1].astype(np.int32)
    hull = cv2.fillConvexPoly(np.zeros((size, size), dtype=np.uint8), cv2.convexHull(corners), (255,))
    widened = cv2.dilate(hull, np.ones((3, 3), np.uint8), iterations=max(size // _RIM, 1))
    inside = (widened > 0) & _face(parts) & _face(theirs)
    inside[[0, -1], :] = inside[:, [0, -1]] = False  # the blending needs a border around it
    if not inside.any():
        return image, labels
    rows, columns = np.nonzero(inside)
    centre = (int(columns.min() + columns.max()) // 2, int(rows.min() + rows.max()) // 2)
    mask = inside.astype(np.uint8) * 255
    blended = cv2.seamlessClone(np.array(faces.images[other]), image, mask, centre, cv2.NORMAL_CLONE)
    return np.where(inside[..., None], blended, image).astype(np.uint8), np.where(inside, faces.labels[other], labels)


def _inner(parts: ByteArray) -> npt.NDArray[np.bool_]:
    found: npt.NDArray[np.bool_] = ~np.isin(parts, (BACKGROUND, SKIN, HAIR, IGNORE))
    return found


def _face(parts: ByteArray) -> npt.NDArray[np.bool_]:
    found: npt.NDArray[np.bool_] = ~np.isin(parts, (BACKGROUND, HAIR, IGNORE))
    return found


def as_many(faces: LabelledFaces) -> int:
    """How many collages a benchmark makes: as many as it generates, and not each pair of very few faces."""
    return min(4_000, len(faces) * max(len(faces) - 1, 1))
