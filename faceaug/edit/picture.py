"""A photo that is to be edited: its pixels, and what of its file has to survive."""

from __future__ import annotations

import io
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from faceaug.arrays import ByteArray
from faceaug.credentials import Credentials
from faceaug.errors import ConfigError
from faceaug.files import atomic_file
from faceaug.images import decode, rgb
from faceaug.marks import EDITED, png_texts, with_jpeg_mark

_ORIENTATION = 0x0112
_WITH_ALPHA = ("LA", "PA", "La", "RGBA", "RGBa")
_JPEG = (".jpg", ".jpeg", ".jpe", ".jfif")
_MOST_EXIF = 2**16 - 3
JPEG_QUALITY = 95
_STARTS = {b"\x89PNG\r\n\x1a\n": "png", b"\xff\xd8\xff": "jpeg"}


@dataclass(frozen=True)
class Picture:
    """A photo, upright.

    Attributes:
        pixels: ``(H, W, 3)`` uint8 RGB; of transparent photos the colours under the alpha channel.
        alpha: ``(H, W)`` uint8, or None.
        exif: the file's EXIF block with the orientation taken out; empty where it has none, or a damaged one.
        profile: its ICC colour profile, or None where it has none, or one of other channels than these pixels'.
        path: the file, where there is one.
        remark: what of the file does not survive, for people.
    """

    pixels: ByteArray
    alpha: ByteArray | None = None
    exif: bytes = b""
    profile: bytes | None = None
    path: Path | None = None
    remark: str = ""

    def save(self, path: Path, pixels: ByteArray, *, trained_on: str = "", credentials: Credentials | None = None) -> None:
        """Write edited pixels with all else as it was, and the mark of an edited photo.

        PNG keeps what was not edited bit for bit, JPEG (quality 95, full colour resolution) does not, and has no alpha channel.

        Args:
            path: ends in .png, .jpg or .jpeg.
            pixels: ``(H, W, 3)`` uint8 RGB.
            trained_on: which faces the model was trained on, for people.
            credentials: sign what is written.

        Raises:
            ConfigError: another extension, a JPEG of a transparent photo or with more EXIF than it can hold, or credentials that
                are refused.
            OutputError: it cannot be written.
        """
        jpeg = check_target(path)
        if jpeg and self.alpha is not None:
            raise ConfigError(f"{path}: the photo is transparent and JPEG has no alpha channel; write a PNG")
        if jpeg and len(self.exif) > _MOST_EXIF:
            raise ConfigError(f"{path}: {len(self.exif):,} bytes of EXIF are more than JPEG holds ({_MOST_EXIF:,}); write a PNG")
        written = self._jpeg(pixels, trained_on) if jpeg else self.png(pixels, trained_on=trained_on)
        if credentials is not None:
            written = credentials.sign_edited(written, "jpeg" if jpeg else "png", *self._original(), trained_on=trained_on)
        with atomic_file(path) as part:
            part.write_bytes(written)

    def _original(self) -> tuple[bytes, str]:
        """The photo's file and its kind; of one that is neither PNG nor JPEG, or that is gone, its pixels as PNG."""
        data = self.path.read_bytes() if self.path is not None and self.path.is_file() else b""
        kind = next((kind for start, kind in _STARTS.items() if data.startswith(start)), None)
        if kind is not None:
            return data, kind
        encoded = io.BytesIO()
        Image.fromarray(np.ascontiguousarray(self.pixels)).save(encoded, format="PNG")
        return encoded.getvalue(), "png"

    def png(self, pixels: ByteArray, *, trained_on: str = "") -> bytes:
        """Edited pixels ``(H, W, 3)`` as a PNG file; see :meth:`save`."""
        layers = pixels if self.alpha is None else np.dstack([pixels, self.alpha])
        data = io.BytesIO()
        texts = png_texts(EDITED, trained_on)
        Image.fromarray(np.ascontiguousarray(layers)).save(
            data, format="PNG", compress_level=6, pnginfo=texts, exif=self.exif or None, icc_profile=self.profile
        )
        return data.getvalue()

    def _jpeg(self, pixels: ByteArray, trained_on: str) -> bytes:
        data = io.BytesIO()
        image = Image.fromarray(np.ascontiguousarray(pixels))
        image.save(data, format="JPEG", quality=JPEG_QUALITY, subsampling=0, exif=self.exif, icc_profile=self.profile)
        return with_jpeg_mark(data.getvalue(), EDITED, trained_on)


def check_target(path: Path) -> bool:
    """Whether a result's name is a JPEG's; raises ConfigError unless it is that or a PNG's."""
    suffix = path.suffix.lower()
    if suffix not in (".png", *_JPEG):
        raise ConfigError(f"{path}: results are PNG or JPEG files; name one that ends in .png or .jpg")
    return suffix in _JPEG


def read_picture(path: Path) -> Picture:
    """Read a photo for editing, turned as its EXIF orientation says.

    Grey, palette, 16-bit and CMYK photos become 8-bit RGB. Of what else the file holds EXIF survives, the colour profile where
    the channels stay the same, and transparency; XMP, texts and resolution do not.

    Raises:
        DatasetDamaged: missing, no readable image, cut short, or of 32 bits a channel.
    """
    return replace(decode(path, lambda opened: as_picture(opened, path)), path=path)


def as_picture(opened: Image.Image, path: Path) -> Picture:
    """An opened photo for editing, see :func:`read_picture`; the path is for messages."""
    image = ImageOps.exif_transpose(opened)
    exif = image.getexif()
    exif.pop(_ORIENTATION, None)
    colours = image.mode.startswith(("RGB", "P"))
    profile = image.info.get("icc_profile") if colours else None
    block, remark = _block(exif)
    if image.mode.startswith(("I", "F")):  # Pillow clips these where it converts them
        clear = image.info.get("transparency")
        alpha = None if clear is None else np.where(np.array(image) == clear, 0, 255).astype(np.uint8)
        return Picture(rgb(image, path), alpha, block, None, remark=remark)
    if image.mode in _WITH_ALPHA or "transparency" in image.info:
        layers = np.array(image.convert("RGBA"))
        return Picture(np.ascontiguousarray(layers[..., :3]), layers[..., 3], block, profile, remark=remark)
    return Picture(rgb(image, path), None, block, profile, remark=remark)


def _block(exif: Image.Exif) -> tuple[bytes, str]:
    """EXIF as a file holds it, and a remark where it is left out: tags with values of a wrong type cannot be written."""
    try:
        return exif.tobytes() if len(exif) else b"", ""
    except Exception as error:  # Pillow raises nearly anything
        return b"", f"damaged EXIF left out ({type(error).__name__})"
