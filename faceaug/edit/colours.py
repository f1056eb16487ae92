"""Masks that come as pictures in a scheme's colours: from a browser's canvas, or a paint program."""

from __future__ import annotations

import itertools

import cv2
import numpy as np
import numpy.typing as npt

from faceaug.arrays import ByteArray, IntArray
from faceaug.errors import ConfigError
from faceaug.labels import IGNORE, Scheme

_NOISE = 2
"""Some browsers add noise of this size to what is read from a canvas, against fingerprinting."""

_SUPPORT = 4
"""Pixels of a 3 x 3 window that must have a class's colour, noise allowed, for one of them to count; a mixed edge has 3."""

_REACH = 5
"""Side of the window from which a mixed pixel takes its class."""

_MIXED = 0.5
"""Share of mixed pixels above which a picture is no mask."""

_Where = npt.NDArray[np.bool_]


def palette(scheme: Scheme) -> tuple[ByteArray, IntArray]:
    """Colours ``(N, 3)`` uint8 in which a mask is painted, and their labels ``(N,)``: the classes, and white for 255.

    Raises:
        ConfigError: two classes have one colour, or a class is white.
    """
    colours = [*scheme.colours, (255, 255, 255)]
    names = [*scheme.classes, "unlabelled (255)"]
    for (one, first), (other, second) in itertools.combinations(zip(names, colours, strict=True), 2):
        if first == second:
            raise ConfigError(f"label scheme {scheme.name}: {one} and {other} have one colour, {first}; give each its own")
    return np.array(colours, dtype=np.uint8), np.array([*range(len(scheme)), IGNORE], dtype=np.int64)


def from_colours(picture: ByteArray, scheme: Scheme, where: str = "mask") -> ByteArray:
    """A mask painted in a scheme's colours, as labels.

    A pixel of a class's colour is of that class. A soft brush mixes two colours at its edge, and the mixture may be a third
    class's: such pixels take, of the classes around them, the one with the nearest colour. No class appears that was not painted.

    Args:
        picture: ``(H, W, 3)`` or ``(H, W, 4)`` uint8; what is more transparent than opaque is 255.
        scheme: gives the colours.
        where: names the mask in messages.

    Returns:
        ``(H, W)`` uint8.

    Raises:
        ConfigError: most pixels have other colours than the scheme's, or two classes have the same one.
    """
    colours, labels = palette(scheme)
    pixels = np.where(picture[..., 3:] < 128, np.uint8(255), picture[..., :3]) if picture.shape[2] == 4 else picture
    exact, near, distance = _compared(pixels, colours)
    found = np.where(exact >= 0, exact, _supported(near, len(colours)))
    share = float((found < 0).mean()) if found.size else 1.0
    if share > _MIXED:
        raise ConfigError(
            f"{where}: {share:.0%} of its pixels have none of the colours of {scheme.name}; paint with the scheme's colours"
        )
    return labels[_filled(found, distance)].astype(np.uint8)


def _compared(pixels: ByteArray, colours: ByteArray) -> tuple[IntArray, IntArray, npt.NDArray[np.float32]]:
    """Which colour each pixel has exactly, and but for noise, -1 for none; and its distances ``(N, H, W)`` to all."""
    red, green, blue = (pixels[..., channel].astype(np.int64) for channel in range(3))
    kinds, back = np.unique(red << 16 | green << 8 | blue, return_inverse=True)
    values = np.stack([kinds >> 16, kinds >> 8 & 255, kinds & 255], axis=-1)
    off = np.abs(values[:, None] - colours.astype(np.int64))  # (kinds, N, 3)
    largest, back = off.max(axis=-1), back.reshape(pixels.shape[:2])
    nearest = largest.argmin(axis=1)
    least = largest.min(axis=1)
    exact, near = (np.where(least <= allowed, nearest, -1)[back] for allowed in (0, _NOISE))
    distance = np.linalg.norm(off.astype(np.float32), axis=-1).T[:, back]
    return exact, near, np.asarray(distance, dtype=np.float32)


def _supported(near: IntArray, count: int) -> IntArray:
    """The colours that enough pixels around have too, -1 for none."""
    found = np.full_like(near, -1)
    for number in range(count):
        here = near == number
        if here.any():
            around = cv2.boxFilter(here.astype(np.float32), -1, (3, 3), normalize=False, borderType=cv2.BORDER_CONSTANT)
            found[here & (around > _SUPPORT - 0.5)] = number
    return found


def _filled(found: IntArray, distance: npt.NDArray[np.float32]) -> IntArray:
    """Every pixel's colour: mixed ones, from the edges inwards, take the nearest of those around them."""
    kernel = np.ones((_REACH, _REACH), dtype=np.uint8)
    while (left := found < 0).any():
        around = np.full(distance.shape, np.inf, dtype=np.float32)
        for number in np.unique(found[~left]):
            reached: _Where = cv2.dilate((found == number).astype(np.uint8), kernel).astype(bool)
            around[number] = np.where(reached, distance[number], np.inf)
        taken = left & np.isfinite(around).any(axis=0)
        found = np.where(taken, around.argmin(axis=0), found)
    return found
