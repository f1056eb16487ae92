"""Reading and writing picture files, with errors that name the file."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from faceaug.errors import DatasetDamaged, OutputError
from faceaug.files import atomic_file

ByteArray = npt.NDArray[np.uint8]


def read_rgb(path: Path) -> ByteArray:
    """Read a photo.

    Returns:
        ``(H, W, 3)`` uint8 RGB.

    Raises:
        DatasetDamaged: missing, or no readable image.
    """
    bgr = _decode(path, cv2.IMREAD_COLOR)
    return np.ascontiguousarray(bgr[..., ::-1])


def read_grey(path: Path) -> ByteArray:
    """Read an 8-bit single-channel image (a label map, or one soft map of a class).

    Returns:
        ``(H, W)`` uint8.

    Raises:
        DatasetDamaged: missing, unreadable, or not 8-bit with one channel.
    """
    grey = _decode(path, cv2.IMREAD_UNCHANGED)
    if grey.ndim != 2 or grey.dtype != np.uint8:
        raise DatasetDamaged(
            f"{path}: a label map must be 8-bit with one channel, found {grey.dtype} of shape {grey.shape}; convert it"
        )
    return grey


def _decode(path: Path, flags: int) -> ByteArray:
    try:
        data = np.fromfile(path, dtype=np.uint8)
    except OSError as error:
        raise DatasetDamaged(f"{path}: cannot be read ({error.strerror}); copy the dataset again") from error
    picture = cv2.imdecode(data, flags) if data.size else None
    if picture is None:
        raise DatasetDamaged(f"{path}: no readable image ({data.size} bytes); copy the dataset again")
    return np.asarray(picture)


def write_png(path: Path, image: ByteArray) -> None:
    """Write ``(H, W, 3)`` RGB or ``(H, W)`` grey uint8 as a PNG, atomically.

    Raises:
        OutputError: it cannot be written.
    """
    flipped = image[..., ::-1] if image.ndim == 3 else image
    done, data = cv2.imencode(".png", np.ascontiguousarray(flipped))
    if not done:
        raise OutputError(f"{path}: cannot be encoded as PNG; the picture has shape {image.shape}")
    with atomic_file(path) as part:
        part.write_bytes(data.tobytes())
