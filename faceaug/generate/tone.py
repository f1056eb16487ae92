"""Skin tone by the individual typology angle, the standard measure of dermatology (Chardon et al., 1991)."""

from __future__ import annotations

import cv2
import numpy as np

from faceaug.arrays import ByteArray, Float32Array
from faceaug.labels import SKIN

TONES = ((55.0, "very light"), (41.0, "light"), (28.0, "intermediate"), (10.0, "tan"), (-30.0, "brown"), (-np.inf, "dark"))
"""Least angle in degrees, and the tone's usual name, from light to dark."""

_FEWEST = 20
"""Skin pixels without which a face has no tone."""


def typology_angles(images: ByteArray, anatomies: ByteArray) -> Float32Array:
    """ITA of faces: ``arctan((L* - 50) / b*)`` of the median skin pixel.

    Photos are of unknown light, so single faces are uncertain; what it is for is comparing distributions.

    Args:
        images: ``(N, S, S, 3)`` uint8 RGB.
        anatomies: ``(N, S, S)`` uint8.

    Returns:
        ``(N,)`` float32 degrees; NaN where there is hardly any skin.
    """
    found = np.full(len(images), np.nan, dtype=np.float32)
    for row, (image, parts) in enumerate(zip(images, anatomies, strict=True)):
        skin = parts == SKIN
        if skin.sum() < _FEWEST:
            continue
        colours = image[skin][None].astype(np.float32) / 255
        lightness, _, yellow = np.median(cv2.cvtColor(colours, cv2.COLOR_RGB2LAB)[0], axis=0)
        found[row] = np.degrees(np.arctan2(lightness - 50, max(float(yellow), 1e-3)))
    return found


def tone_shares(angles: Float32Array) -> dict[str, float]:
    """Share of the faces of each tone; of those that have one."""
    known = angles[np.isfinite(angles)]
    bars = np.array([bar for bar, _ in TONES])
    index = (known[:, None] < bars).sum(1)
    return {name: round(float((index == number).mean()), 4) if len(known) else 0.0 for number, (_, name) in enumerate(TONES)}
