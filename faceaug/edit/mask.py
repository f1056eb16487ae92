"""Masks that a user has painted, read and checked."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from faceaug.arrays import ByteArray
from faceaug.edit.colours import from_colours
from faceaug.edit.face import PhotoFace
from faceaug.errors import ConfigError, DatasetDamaged, DatasetNotFound
from faceaug.files import content_of
from faceaug.images import decode, decode_bytes, read_grey
from faceaug.labels import IGNORE, Scheme
from faceaug.parser.photos import FINEST, predict
from faceaug.parser.predict import Parser
from faceaug.prepare.align import scaled, warp_image, warp_labels
from faceaug.prepare.paste import uncrop_labels

_LIKE_LABELS = 32
"""A picture of one channel whose values are all below this, or 255, is meant as a label map, whether they fit a scheme or not."""


def is_mask(path: Path) -> bool:
    """Whether a picture file is meant as a label map: one channel of small values and 255."""
    try:
        labels = read_grey(path)
    except DatasetDamaged:
        return False
    return bool(((labels < _LIKE_LABELS) | (labels == IGNORE)).all())


def load_mask(path: Path, scheme: Scheme) -> ByteArray:
    """A label map in a picture file: of label numbers, or in the scheme's colours.

    Returns:
        ``(H, W)`` uint8 of the scheme, or 255.

    Raises:
        DatasetDamaged: no readable picture.
        ConfigError: a label that the scheme does not have, or other colours.
    """
    try:
        labels = read_grey(path)
    except DatasetDamaged:  # more than one channel, or no picture at all, which is found now
        return from_colours(decode(path, lambda opened: np.array(opened.convert("RGBA"))), scheme, str(path))
    scheme.check_range(labels, str(path))
    return labels


def fit_mask(labels: ByteArray, scheme: Scheme, size: int, where: str) -> ByteArray:
    """A square label map ``(H, H)`` as one of ``(size, size)``; each pixel takes the class that covers most of it.

    Raises:
        ConfigError: it is not square, or has labels that are not the scheme's; ``where`` names it in the message.
    """
    scheme.check_range(labels, where)
    height, width = labels.shape
    if height != width:
        raise ConfigError(f"{where}: is {width}x{height}; a mask of an aligned face is square")
    return warp_labels(labels, scaled(np.eye(2, 3), size / width), size, classes=len(scheme))


def read_painted(png: bytes, face: PhotoFace) -> ByteArray:
    """A mask for a face that was painted on its aligned crop, in the scheme's colours.

    Args:
        png: a PNG file of the crop's size.
        face: whose mask it is to be.

    Returns:
        ``(S, S)`` uint8; what is white or transparent keeps the face's own label.

    Raises:
        DatasetDamaged: no readable PNG.
        ConfigError: another size, or a picture in other colours; see :func:`faceaug.edit.colours.from_colours`.
    """
    size = len(face.labels)

    def read(opened: Image.Image) -> ByteArray:
        if opened.size != (size, size):  # before it is decoded
            raise ConfigError(f"mask: is {opened.width} x {opened.height} pixels; the aligned face is {size} x {size}")
        return np.array(opened.convert("RGBA"))

    mask = from_colours(decode_bytes(png, "mask", read, formats=("PNG",)), face.scheme)
    return np.where(mask == IGNORE, face.labels, mask)


class PaintedMasks:
    """Masks that a user has painted: one for all photos, or a folder with one for each.

    Args:
        path: a label map; or a folder of PNG files, each named as its photo, as ``faceaug parse`` writes them.
        scheme: of the labels.

    Attributes:
        hash: names what they are.

    Raises:
        DatasetNotFound: no such file or folder, or no PNG in it.
        DatasetDamaged: the file is no readable picture; those of a folder are read with their photos.
        ConfigError: it is no label map of the scheme.
    """

    def __init__(self, path: Path, scheme: Scheme) -> None:
        if not path.exists():
            raise DatasetNotFound(f"--mask {path}: no such file or folder; name a label map, or a folder of them")
        self._path, self._scheme = path, scheme
        self._files = {file.stem: file for file in sorted(path.glob("*.png"))} if path.is_dir() else {}
        if path.is_dir() and not self._files:
            raise DatasetNotFound(f"--mask {path}: no PNG there; name a label map, or a folder of them")
        self._one = None if path.is_dir() else load_mask(path, scheme)
        self.hash = content_of([path] if self._one is not None else list(self._files.values()))

    def of(self, face: PhotoFace, parser: Parser) -> ByteArray:
        """The mask ``(S, S)`` for a face, see :func:`place_mask`.

        Raises:
            DatasetDamaged: no readable label map.
            ConfigError: none is there for this photo, or one that does not fit it.
        """
        if self._one is not None:
            return place_mask(self._one, face, parser, str(self._path))
        stem = face.picture.path.stem if face.picture.path is not None else face.name
        if stem not in self._files:
            raise ConfigError(f"--mask {self._path}: has no {stem}.png for this photo; add it, or leave the photo out")
        return place_mask(load_mask(self._files[stem], self._scheme), face, parser, str(self._files[stem]))


def place_mask(mask: ByteArray, face: PhotoFace, parser: Parser, where: str) -> ByteArray:
    """A label map for a face, as far as it was changed.

    Whoever paints begins with a predicted label map, at the photo's resolution or another one. So a pixel takes the new label
    where the label map differs from the one that is predicted there, and not where only its resolution does.

    Args:
        mask: ``(H, W)`` uint8 of the scheme: of the whole photo, upright, or a square of the aligned crop in any size; 255 keeps.
        face: whose mask it is to be.
        parser: that predicted the face's own mask.
        where: names the mask in messages.

    Returns:
        ``(S, S)`` uint8.

    Raises:
        ConfigError: a size that is neither the photo's nor square.
    """
    size, classes, shape = len(face.labels), len(face.scheme), (mask.shape[0], mask.shape[1])
    if shape == face.picture.pixels.shape[:2]:
        matrix, bases = face.place.matrix, _of_the_photo(face, parser, shape)
    elif shape[0] == shape[1]:
        matrix, bases = scaled(np.eye(2, 3), size / shape[0]), _of_the_crop(face, parser, shape[0])
    else:
        height, width = face.picture.pixels.shape[:2]
        raise ConfigError(f"{where}: is {shape[1]}x{shape[0]}; a mask has the photo's size, {width}x{height}, or is square")
    changes = [(mask != base) & (mask != IGNORE) & (base != IGNORE) for base in bases]
    changed = min(changes, key=np.count_nonzero)  # from the one that was painted on
    taken = warp_labels(changed.astype(np.uint8), matrix, size, classes=2) == 1
    new = warp_labels(np.where(changed, mask, np.uint8(IGNORE)), matrix, size, classes=classes)
    return np.where(taken & (new != IGNORE), new, face.labels)


def _of_the_photo(face: PhotoFace, parser: Parser, shape: tuple[int, int]) -> list[ByteArray]:
    """Label maps of the whole photo that a user may have begun with: the face's own mask, and what ``faceaug parse`` writes."""
    side = max(parser.config.size, FINEST)
    matrix = scaled(face.place.matrix, side / len(face.labels))
    finer = predict(parser, warp_image(face.picture.pixels, matrix, side)[None])[0][0]
    return [uncrop_labels(face.labels, face.place.matrix, shape), uncrop_labels(finer, matrix, shape)]


def _of_the_crop(face: PhotoFace, parser: Parser, side: int) -> list[ByteArray]:
    """Likewise of the aligned crop."""
    scale = side / len(face.labels)
    image = warp_image(face.picture.pixels, scaled(face.place.matrix, scale), side)
    own = warp_labels(face.labels, scaled(np.eye(2, 3), scale), side, classes=len(face.scheme))
    return [own, predict(parser, image[None])[0][0]]
