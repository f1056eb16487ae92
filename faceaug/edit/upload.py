"""Photos that strangers send: what they may cost is seen from their length and their header, before they are decoded."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from faceaug.edit.picture import Picture, as_picture
from faceaug.errors import DatasetDamaged
from faceaug.images import decode_bytes

FORMATS = ("JPEG", "PNG", "WEBP", "AVIF", "TIFF", "BMP", "GIF", "JPEG2000")
"""Pillow's names of what is decoded; of its others, some start programs."""


@dataclass(frozen=True)
class Limits:
    """What an upload may cost.

    Attributes:
        megabytes: length of the file in units of 2^20 bytes.
        megapixels: width times height, in units of 10^6.
        frames: of an animation, or pages. Phones store a second, smaller picture in some photos.
    """

    megabytes: int = 32
    megapixels: int = 40
    frames: int = 4

    @property
    def bytes(self) -> int:
        """Length of a file, at most."""
        return self.megabytes * 2**20

    def too_large(self, name: str, found: str) -> DatasetDamaged:
        """The error for a picture with too many pixels."""
        return DatasetDamaged(f"{name}: {found} more than {self.megapixels} megapixels; make it smaller first")

    def check(self, image: Image.Image, name: str) -> None:
        """Raise DatasetDamaged where an opened picture of which only the header has been read is too large."""
        width, height = image.size
        if width * height > self.megapixels * 10**6:
            raise self.too_large(name, f"{width} x {height} pixels are")
        if _longer(image, self.frames):
            raise DatasetDamaged(f"{name}: has more than {self.frames} frames; save one of them as a photo")


def _longer(image: Image.Image, frames: int) -> bool:
    """Whether a picture has more frames; Pillow's own count of them takes seconds for millions."""
    try:
        image.seek(frames)
    except EOFError:
        return False
    finally:
        image.seek(0)
    return True


def read_upload(data: bytes, name: str, limits: Limits) -> Picture:
    """A photo that was sent, for editing.

    Args:
        data: the file.
        name: as its sender calls it.
        limits: what it may cost.

    Raises:
        DatasetDamaged: too long, too many pixels or frames, or no readable photo of :data:`FORMATS`.
    """
    if len(data) > limits.bytes:
        raise DatasetDamaged(f"{name}: {len(data) / 2**20:.0f} MB are more than {limits.megabytes} MB; make it smaller first")

    def read(opened: Image.Image) -> Picture:
        limits.check(opened, name)
        return as_picture(opened, Path(name))

    try:
        return decode_bytes(data, name, read, formats=FORMATS)
    except DatasetDamaged as error:
        if isinstance(error.__cause__, Image.DecompressionBombError):  # Pillow has a limit of its own, and is the first to look
            raise limits.too_large(name, "its header says") from error
        raise
