"""What every torch dataset here gives: an image and its mask, as tv_tensors or as a dictionary of arrays."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, get_args

import cv2
import numpy as np
import torch
from torchvision import tv_tensors

from faceaug.arrays import ByteArray
from faceaug.errors import ConfigError

Sample = Any
"""``(Image, Mask)`` or ``{"image": ..., "mask": ...}``, or what a transform made of it."""

Form = Literal["pair", "dict"]
"""``pair``: as torchvision v2 has it; ``dict``: as albumentations has it."""


def check_form(form: str) -> None:
    """Raise ConfigError unless ``form`` is one of :data:`Form`."""
    if form not in get_args(Form):
        raise ConfigError(f"form {form!r}: unknown; use {' or '.join(map(repr, get_args(Form)))}")


def face_sample(image: ByteArray, labels: ByteArray, transforms: Callable[..., Any] | None, form: Form = "pair") -> Sample:
    """One face as a sample of its own: no memory is shared with the arrays.

    Args:
        image: ``(H, W, 3)`` uint8 RGB.
        labels: ``(H, W)`` uint8, classes of the scheme or 255.
        transforms: called as ``transforms(image, mask)``, of a dictionary as ``transforms(image=image, mask=mask)``; or None.
        form: see :data:`Form`.

    Returns:
        ``tv_tensors.Image`` ``(3, H, W)`` uint8 and ``tv_tensors.Mask`` ``(H, W)`` uint8, so that torchvision's geometric
        transforms keep labels whole; or a dictionary of arrays ``image`` ``(H, W, 3)`` uint8 and ``mask`` ``(H, W)`` uint8; or
        what ``transforms`` makes of them.
    """
    if form == "dict":
        named = {"image": _own(image), "mask": _own(labels)}
        return named if transforms is None else transforms(**named)
    pair = as_image(image), torch.from_numpy(_own(labels)).as_subclass(tv_tensors.Mask)
    return pair if transforms is None else transforms(*pair)


def _own(array: ByteArray) -> ByteArray:
    """The array itself where it was made for this sample, a copy of what belongs to a larger one."""
    return array if array.base is None and array.flags.writeable and array.flags.c_contiguous else np.array(array)


_LARGE = 128**2
"""Pixels from which on OpenCV separates colours faster than numpy."""


def as_image(pixels: ByteArray) -> tv_tensors.Image:
    """``(H, W, 3)`` uint8 as a contiguous ``(3, H, W)``; by OpenCV, which does it nine times as fast as torch at 256 px.

    Of small faces by numpy, since calling OpenCV takes longer than moving their bytes.
    """
    if pixels.shape[0] * pixels.shape[1] < _LARGE:
        planes = np.array(pixels.transpose(2, 0, 1), order="C")
    else:
        planes = np.empty((3, *pixels.shape[:2]), dtype=np.uint8)
        cv2.split(np.ascontiguousarray(pixels), list(planes))
    return torch.from_numpy(planes).as_subclass(tv_tensors.Image)
