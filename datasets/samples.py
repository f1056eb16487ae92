"""The one shape every torch dataset here gives: an image and its mask as tv_tensors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import torch
from torchvision import tv_tensors

from faceaug.prepare.faces import LabelledFaces

Sample = tuple[Any, Any]


class FaceDataset(Protocol):
    """A torch dataset of this package that gives its faces as arrays too."""

    @property
    def faces(self) -> LabelledFaces:
        """The same faces, in the same order, before any transform."""


def face_sample(image: npt.NDArray[np.uint8], labels: npt.NDArray[np.uint8], transforms: Callable[..., Any] | None) -> Sample:
    """Wrap one face for torchvision v2, so that geometric transforms keep labels whole.

    Args:
        image: ``(H, W, 3)`` uint8 RGB.
        labels: ``(H, W)`` uint8, classes of the scheme or 255.
        transforms: called as ``transforms(image, mask)`` where given.

    Returns:
        ``tv_tensors.Image`` ``(3, H, W)`` uint8 and ``tv_tensors.Mask`` ``(H, W)`` uint8, or what ``transforms`` makes of them.
    """
    pair = (
        tv_tensors.Image(torch.from_numpy(np.array(image)).permute(2, 0, 1).contiguous()),
        tv_tensors.Mask(torch.from_numpy(np.array(labels))),
    )
    if transforms is None:
        return pair
    changed: Sample = transforms(*pair)
    return changed
