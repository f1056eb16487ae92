"""Reading and writing picture files, with errors that name the file.

What a file is follows from its content; its extension plays no part. Pillow decodes: the libraries under OpenCV write warnings of
their own to standard error, and the pixels are the same.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from faceaug.arrays import ByteArray
from faceaug.errors import DatasetDamaged
from faceaug.files import atomic_file
from faceaug.labels import Scheme

T = TypeVar("T")

PHOTO_SUFFIXES = frozenset({".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".bmp", ".tif", ".tiff", ".gif", ".avif", ".jp2"})
"""Extensions, in lower case, by which photos are found in a folder."""

BEHIND = 128
"""The grey on which transparent photos are laid."""


def read_rgb(path: Path, *, upright: bool = False) -> ByteArray:
    """Read a photo: grey, palette, 16-bit and CMYK become RGB, transparent pixels are laid on mid grey.

    Args:
        path: JPEG, PNG, WebP, TIFF and whatever else Pillow reads, under any extension; of an animation its first frame.
        upright: turn it as its EXIF orientation says. Label maps and landmarks lie on the stored pixels: with these, leave it
            off.

    Returns:
        ``(H, W, 3)`` uint8 RGB.

    Raises:
        DatasetDamaged: missing, no readable image, cut short, or of more than 8 or 16 bits a channel.
    """
    return decode(path, lambda image: rgb(ImageOps.exif_transpose(image) if upright else _stored(image), path))


def read_grey(path: Path) -> ByteArray:
    """Read an image of one value a pixel: a label map, or one soft map of a class.

    Palette images give their indices, RGB with equal channels the common value, 16-bit images their values where these are below
    256. EXIF orientation is ignored.

    Returns:
        ``(H, W)`` uint8.

    Raises:
        DatasetDamaged: missing, unreadable, transparent, with colours, or with larger values.
    """

    def read(opened: Image.Image) -> ByteArray:
        image = _stored(opened)
        if image.mode in ("L", "P"):
            return np.array(image)
        if image.mode == "1":
            return np.array(image.convert("L"))
        values = np.array(image)
        if values.ndim == 3 and values.shape[2] in (2, 4) and (values[..., -1] == 255).all():
            values = values[..., :-1]
        if values.ndim == 3 and (values == values[..., :1]).all():
            values = values[..., 0]
        if values.ndim != 2 or values.dtype.kind not in "iu" or int(values.max(initial=0)) > 255:
            raise DatasetDamaged(
                f"{path}: a label map must be 8-bit with one channel, found {image.mode} of shape {values.shape}; convert it"
            )
        return values.astype(np.uint8)

    return decode(path, read)


_ORIENTATION = 0x0112
_BACK = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}
"""What undoes the turning that an orientation asks for."""


def _stored(image: Image.Image) -> Image.Image:
    """An opened file's pixels as they are stored: of TIFF files Pillow gives them turned."""
    orientation = image.getexif().get(_ORIENTATION) if image.format == "TIFF" else None
    image.load()
    return image.transpose(_BACK[orientation]) if orientation in _BACK else image


def decode(path: Path, read: Callable[[Image.Image], T]) -> T:
    """What a function makes of an opened picture file.

    Raises:
        DatasetDamaged: missing, or no readable image.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise DatasetDamaged(f"{path}: cannot be read ({error.strerror}); copy it again") from error
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", module=r"PIL\.")
            with Image.open(io.BytesIO(data)) as image:
                return read(image)
    except DatasetDamaged:
        raise
    except Exception as error:  # on damaged bytes Pillow's plugins raise nearly anything
        raise DatasetDamaged(f"{path}: no readable image ({_told(data, error)}); copy it again, or leave it out") from error


def _told(data: bytes, error: Exception) -> str:
    """What a file that cannot be decoded is."""
    start = data[:64].lstrip().lower()
    if start.startswith((b"<", b"version https://git-lfs")):
        return f"{len(data)} bytes, {'HTML or XML' if start.startswith(b'<') else 'a Git LFS pointer'}"
    if isinstance(error, UnidentifiedImageError):
        return f"{len(data)} bytes"
    return f"{len(data)} bytes, {' '.join(str(error).split())[:100]}"


def rgb(image: Image.Image, path: Path) -> ByteArray:
    """An opened picture as ``(H, W, 3)`` uint8 RGB, see :func:`read_rgb`; the path is for messages."""
    if image.mode.startswith(("I", "F")):
        values = np.array(image)
        if values.dtype.kind not in "iu" or values.min(initial=0) < 0 or values.max(initial=0) > 65535:
            raise DatasetDamaged(f"{path}: has 32 bits a channel; convert it to 8 or 16 bits")
        grey = ((values.astype(np.int64) + 128) // 257).astype(np.uint8)
        return np.repeat(grey[..., None], 3, axis=2)
    if image.mode in ("LA", "PA", "La", "RGBA", "RGBa") or "transparency" in image.info:
        pixels = np.array(image.convert("RGBA"), dtype=np.float32)
        cover = pixels[..., 3:] / 255
        return np.asarray(np.rint(pixels[..., :3] * cover + BEHIND * (1 - cover)), dtype=np.uint8)
    return np.array(image.convert("RGB"))


def write_png(path: Path, image: ByteArray) -> None:
    """Write ``(H, W, 3)`` RGB or ``(H, W)`` grey uint8 as a PNG, atomically.

    Raises:
        OutputError: it cannot be written.
    """
    _write(path, Image.fromarray(np.ascontiguousarray(image)), format="PNG", compress_level=3)


def write_jpeg(path: Path, image: ByteArray, *, quality: int = 92) -> None:
    """Write ``(H, W, 3)`` RGB uint8 as a JPEG, atomically.

    Raises:
        OutputError: it cannot be written.
    """
    _write(path, Image.fromarray(np.ascontiguousarray(image)), format="JPEG", quality=quality)


def write_palette_png(path: Path, labels: ByteArray, scheme: Scheme) -> None:
    """Write a label map as a PNG that holds the labels and is shown in the scheme's colours, atomically.

    Args:
        path: the file.
        labels: ``(H, W)`` uint8 of the scheme, or 255, which is shown white and transparent.
        scheme: gives the colours.

    Raises:
        ConfigError: a label is not of the scheme.
        OutputError: it cannot be written.
    """
    scheme.check_range(labels, str(path))
    image = Image.fromarray(np.ascontiguousarray(labels))
    image.putpalette(scheme.colour(np.arange(256, dtype=np.uint8)).tobytes())
    _write(path, image, format="PNG", transparency=255, compress_level=6)


def _write(path: Path, image: Image.Image, **options: object) -> None:
    data = io.BytesIO()
    image.save(data, **options)  # type: ignore[arg-type]
    with atomic_file(path) as part:
        part.write_bytes(data.getvalue())


def stem(name: str) -> str:
    """A file's name without folders, and without its extension where that is a picture's: ``a.JPG`` is ``a``, ``v1.2`` stays."""
    last = name.rpartition("/")[2]
    start, dot, end = last.rpartition(".")
    return start if start and f"{dot}{end}".lower() in PHOTO_SUFFIXES else last
