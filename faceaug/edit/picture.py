"""A photo that is to be edited: its pixels, and what of its file has to survive."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from faceaug.arrays import ByteArray
from faceaug.errors import ConfigError
from faceaug.files import atomic_file
from faceaug.images import decode, rgb
from faceaug.marks import EDITED, png_texts, with_jpeg_mark

_ORIENTATION = 0x0112
_WITH_ALPHA = ("LA", "PA", "La", "RGBA", "RGBa")
_JPEG = (".jpg", ".jpeg", ".jpe", ".jfif")
JPEG_QUALITY = 95


@dataclass(frozen=True)
class Picture:
    """A photo, upright.

    Attributes:
        pixels: ``(H, W, 3)`` uint8 RGB; of transparent photos the colours under the alpha channel.
        alpha: ``(H, W)`` uint8, or None.
        exif: the file's EXIF block with the orientation taken out; empty where it has none.
        profile: its ICC colour profile, or None where it has none, or one of other channels than these pixels'.
    """

    pixels: ByteArray
    alpha: ByteArray | None = None
    exif: bytes = b""
    profile: bytes | None = None

    def save(self, path: Path, pixels: ByteArray) -> None:
        """Write edited pixels with all else as it was, and the mark of an edited photo.

        PNG keeps what was not edited bit for bit, JPEG (quality 95, full colour resolution) does not, and has no alpha channel.

        Args:
            path: ends in .png, .jpg or .jpeg.
            pixels: ``(H, W, 3)`` uint8 RGB.

        Raises:
            ConfigError: another extension, or a JPEG of a transparent photo.
            OutputError: it cannot be written.
        """
        jpeg = check_target(path)
        if jpeg and self.alpha is not None:
            raise ConfigError(f"{path}: the photo is transparent and JPEG has no alpha channel; name a .png file")
        layers = pixels if self.alpha is None else np.dstack([pixels, self.alpha])
        image = Image.fromarray(np.ascontiguousarray(layers))
        data = io.BytesIO()
        if jpeg:
            image.save(data, format="JPEG", quality=JPEG_QUALITY, subsampling=0, exif=self.exif, icc_profile=self.profile)
            written = with_jpeg_mark(data.getvalue(), EDITED)
        else:
            image.save(
                data, format="PNG", compress_level=6, pnginfo=png_texts(EDITED), exif=self.exif or None, icc_profile=self.profile
            )
            written = data.getvalue()
        with atomic_file(path) as part:
            part.write_bytes(written)


def check_target(path: Path) -> bool:
    """Whether a result's name is a JPEG's; raises ConfigError unless it is that or a PNG's."""
    suffix = path.suffix.lower()
    if suffix not in (".png", *_JPEG):
        raise ConfigError(f"{path}: results are PNG or JPEG files; name one that ends in .png or .jpg")
    return suffix in _JPEG


def read_picture(path: Path) -> Picture:
    """Read a photo for editing, turned as its EXIF orientation says.

    Grey, palette, 16-bit and CMYK photos become 8-bit RGB.

    Raises:
        DatasetDamaged: missing, no readable image, cut short, or of 32 bits a channel.
    """

    def read(opened: Image.Image) -> Picture:
        image = ImageOps.exif_transpose(opened)
        exif = image.getexif()
        exif.pop(_ORIENTATION, None)
        colours = image.mode.startswith(("RGB", "P"))
        profile = image.info.get("icc_profile") if colours else None
        block = exif.tobytes() if len(exif) else b""
        if image.mode in _WITH_ALPHA or "transparency" in image.info:
            layers = np.array(image.convert("RGBA"))
            return Picture(np.ascontiguousarray(layers[..., :3]), layers[..., 3], block, profile)
        return Picture(rgb(image, path), None, block, profile)

    return decode(path, read)
