"""Generated crops into photos: which pixels are replaced, in which tone, with a soft seam."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from faceaug.arrays import ByteArray, Float32Array, FloatArray
from faceaug.prepare.paste import paste

Region = npt.NDArray[np.bool_]
"""``(S, S)``: pixels of a crop that are replaced."""

RIM = 1 / 24
"""How far around a changed part pixels are replaced too, as a share of the crop's side: its shadow, and room for the seam."""

SEAM = 1 / 32
"""Width of the soft seam, inside of the region, as a share of the crop's side."""

_TONE = 1 / 8
"""Width of the blur of the tone's correction, as a share of the crop's side."""


def grown(region: Region) -> Region:
    """A region with its rim."""
    if not region.any():
        return region
    reach = max(round(RIM * len(region)), 1)
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
    return cv2.dilate(region.astype(np.uint8), kernel).astype(bool)


def in_tone(generated: ByteArray, rebuilt: ByteArray, photo: ByteArray, region: Region) -> ByteArray:
    """A generated crop in the photo's tone: corrected by how the photo differs, blurred, from its own reconstruction.

    A reconstruction is somewhat darker, warmer, flatter than its photo, and so is what is generated from the same face; around
    the region both can be compared, and inside of it the difference is continued.

    Args:
        generated: ``(S, S, 3)`` uint8: the edited face.
        rebuilt: likewise, generated from the same face on its own mask.
        photo: likewise, the crop itself.
        region: where pixels are replaced: nothing is compared there, unless it is everything.
    """
    known = (~region if not region.all() else region).astype(np.float32)[..., None]
    off = photo.astype(np.float32) - rebuilt
    wanted = _blurred(off * known) / np.maximum(_blurred(known)[..., None], 1e-3)
    return np.clip(np.rint(generated + wanted), 0, 255).astype(np.uint8)


def _blurred(values: Float32Array) -> Float32Array:
    sigma = _TONE * len(values)
    return np.asarray(cv2.GaussianBlur(values, (0, 0), sigma, borderType=cv2.BORDER_REFLECT), dtype=np.float32)


def put_back(photo: ByteArray, crop: ByteArray, matrix: FloatArray, region: Region) -> ByteArray:
    """The photo with a crop's region in it; all other pixels are the photo's own, bit for bit.

    Args:
        photo: ``(H, W, 3)`` uint8.
        crop: ``(S, S, 3)`` uint8.
        matrix: ``(2, 3)`` from pixels of the photo to pixels of the crop.
        region: see :data:`Region`.
    """
    return paste(photo, crop, matrix, region, feather=SEAM)
