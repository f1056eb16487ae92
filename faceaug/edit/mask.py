"""Masks that a user has painted, read and checked."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from faceaug.arrays import ByteArray
from faceaug.edit.face import PhotoFace
from faceaug.errors import ConfigError, DatasetDamaged
from faceaug.images import read_grey
from faceaug.labels import IGNORE, Scheme
from faceaug.prepare.align import warp_labels


def is_mask(path: Path, scheme: Scheme) -> bool:
    """Whether a picture file is a label map: one channel, and no values but the scheme's and 255."""
    try:
        labels = read_grey(path)
    except DatasetDamaged:
        return False
    return bool(((labels < len(scheme)) | (labels == IGNORE)).all())


def fit_mask(labels: ByteArray, scheme: Scheme, size: int, where: str) -> ByteArray:
    """A square label map ``(H, H)`` as one of ``(size, size)``; each pixel takes the class that covers most of it.

    Raises:
        ConfigError: it is not square, or has labels that are not the scheme's; ``where`` names it in the message.
    """
    scheme.check_range(labels, where)
    height, width = labels.shape
    if height != width:
        raise ConfigError(f"{where}: is {width}x{height}; a mask of an aligned face is square")
    scale = size / width
    return warp_labels(labels, np.array([[scale, 0, (scale - 1) / 2], [0, scale, (scale - 1) / 2]]), size, classes=len(scheme))


def read_mask(path: Path, face: PhotoFace) -> ByteArray:
    """A painted mask for a face.

    Args:
        path: a PNG of label numbers: of the whole photo, upright, or a square of the aligned crop in any size.
        face: whose mask it is to be.

    Returns:
        ``(S, S)`` uint8; what is 255 in the file, or not in it, keeps the face's own label.

    Raises:
        DatasetDamaged: no readable label map.
        ConfigError: a label that the scheme does not have, or a size that is neither the photo's nor square.
    """
    labels = read_grey(path)
    if labels.shape == face.picture.pixels.shape[:2]:
        face.scheme.check_range(labels, str(path))
        mask = warp_labels(labels, face.place.matrix, len(face.labels), classes=len(face.scheme))
    else:
        mask = fit_mask(labels, face.scheme, len(face.labels), str(path))
    return np.where(mask == IGNORE, face.labels, mask)
