"""Label maps as people keep them: grey, palette, equal channels, 16 bit, or the colours of the classes."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from faceaug.arrays import ByteArray
from faceaug.errors import ConfigError, DatasetDamaged
from faceaug.images import read_grey, read_rgb
from faceaug.labels import IGNORE, Scheme

_FAR = 60.0
"""Distance of RGB colours above which a pixel has no class's colour; soft borders between classes have such pixels."""


class LabelOutOfRange(DatasetDamaged):
    """A label map holds numbers or colours that its scheme does not have."""


class SizesDiffer(DatasetDamaged):
    """A photo and its label map, or parts of a label map, do not fit each other."""


def read_labels(path: Path, scheme: Scheme) -> ByteArray:
    """Read one label map.

    Args:
        path: 8-bit grey, a palette PNG (the indices), RGB with equal channels, 16 bit with small numbers, or colour-coded RGB
            (each pixel takes the class of the nearest colour, pure white is 255 where no class has it).
        scheme: what its numbers and colours mean.

    Returns:
        ``(H, W)`` uint8 of the scheme, or 255.

    Raises:
        DatasetDamaged: missing or unreadable, or stored with losses.
        LabelOutOfRange: numbers or colours that are not the scheme's.
    """
    values = _values(path, scheme)
    if values.ndim == 3:
        values = _nearest(values, scheme, path)
    elif path.suffix.lower() in (".jpg", ".jpeg"):
        raise DatasetDamaged(f"{path}: JPEG changes the numbers of a label map; keep label maps as PNG")
    try:
        scheme.check_range(values, str(path))
    except ConfigError as error:
        raise LabelOutOfRange(str(error)) from None
    return values


def _values(path: Path, scheme: Scheme) -> ByteArray:
    """``(H, W)`` numbers, or ``(H, W, 3)`` RGB of a colour-coded map."""
    mode, deep, palette = _header(path)
    if deep and mode.startswith("RGB"):
        return _deep(path)
    if mode.startswith("RGB"):
        rgb = read_rgb(path)
        return rgb[..., 0] if (rgb == rgb[..., :1]).all() and not _means_colours(rgb, scheme) else rgb
    grey = read_grey(path)
    if palette is not None:
        return _ordered(grey, palette, scheme)
    return grey // 255 if mode == "1" else grey


def _header(path: Path) -> tuple[str, bool, ByteArray | None]:
    """Pillow's mode, whether there are 16 bits a channel, and a palette's RGB; an unreadable file has no mode."""
    try:
        with Image.open(path) as picture:
            palette = picture.getpalette() if picture.mode == "P" else None
            colours = None if palette is None else np.array(palette, dtype=np.uint8).reshape(-1, 3)
            return picture.mode, "16" in str(picture.tile[:1]), colours
    except Exception:  # reading the pixels tells what is wrong with it
        return "", False, None


def _deep(path: Path) -> ByteArray:
    """16-bit RGB, of which Pillow drops the lower eight bits."""
    picture = cv2.imread(str(path), cv2.IMREAD_UNCHANGED | cv2.IMREAD_IGNORE_ORIENTATION)
    values = read_rgb(path) if picture is None else picture[..., 2::-1]
    if values.max(initial=0) > 255 and values.dtype != np.uint8:
        values = values // 257
    return np.asarray(values[..., 0] if (values == values[..., :1]).all() else values, dtype=np.uint8)


def _ordered(indices: ByteArray, palette: ByteArray, scheme: Scheme) -> ByteArray:
    """Indices as they are, or as classes where the palette holds exactly the scheme's colours in another order."""
    classes: dict[tuple[int, ...], int] = {colour: label for label, colour in enumerate(scheme.colours)}
    used = np.unique(indices)
    colours = [tuple(palette[index].tolist()) for index in used if index < len(palette)]
    if len(classes) < len(scheme) or len(colours) < len(used) or not classes.keys() >= set(colours):
        return indices
    table = np.zeros(256, dtype=np.uint8)
    table[used] = [classes[colour] for colour in colours]
    return table[indices]


def _means_colours(grey: ByteArray, scheme: Scheme) -> bool:
    """Whether equal channels are grey colours of the scheme and no numbers of classes."""
    values = set(np.unique(grey[..., 0]).tolist())
    numbers = values <= {*range(len(scheme)), IGNORE}
    return not numbers and all((value, value, value) in scheme.colours for value in values)


def _nearest(picture: ByteArray, scheme: Scheme, path: Path) -> ByteArray:
    """The class of the nearest colour for each pixel of an RGB label map."""
    packed = picture.astype(np.int64) @ (1 << 16, 1 << 8, 1)
    colours, where, counts = np.unique(packed, return_inverse=True, return_counts=True)
    rgb = np.stack([colours >> 16, colours >> 8 & 255, colours & 255], axis=1).astype(np.float64)
    distance = np.linalg.norm(rgb[:, None] - np.array(scheme.colours, dtype=np.float64), axis=2)
    table = distance.argmin(axis=1).astype(np.uint8)
    white = colours == (1 << 24) - 1
    if (255, 255, 255) not in scheme.colours:
        table[white] = IGNORE
    far = (distance.min(axis=1) > _FAR) & (table != IGNORE)
    if counts[far].sum() > 0.5 * picture[..., 0].size:
        worst = rgb[far][counts[far].argmax()].astype(int).tolist()
        raise LabelOutOfRange(
            f"{path}: its colours, for example {worst}, are not those of {scheme.name}; name the scheme that it is in"
        )
    return np.asarray(table[where.reshape(packed.shape)])


def fit_labels(labels: ByteArray, size: tuple[int, int], where: str) -> ByteArray:
    """Label maps of another size by a whole factor, brought to the photo's by the nearest pixel.

    Args:
        labels: ``(h, w)`` uint8.
        size: H, W of the photo.
        where: the file, for the message.

    Returns:
        ``(H, W)`` uint8; ``labels`` itself where nothing is to be done.

    Raises:
        SizesDiffer: there is no such factor.
    """
    if labels.shape == size:
        return labels
    (height, width), (rows, columns) = size, labels.shape
    for large, small in (((height, width), (rows, columns)), ((rows, columns), (height, width))):
        if large[0] % small[0] == 0 and large[0] // small[0] * small[1] == large[1]:
            return np.asarray(cv2.resize(labels, (width, height), interpolation=cv2.INTER_NEAREST_EXACT))
    found = f"{where}: labels are {columns}x{rows} but the photo is {width}x{height}"
    if (rows, columns) == (width, height):
        raise SizesDiffer(
            f"{found}: it is stored turned, and EXIF rotation tells viewers so; photos and labels are read as stored: "
            f"save the photo upright without EXIF, or turn the labels"
        )
    raise SizesDiffer(f"{found}; copy the dataset again, or resize one of the two by a whole factor")
