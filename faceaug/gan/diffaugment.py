"""Differentiable augmentation of what the discriminators see (Zhao et al., NeurIPS 2020), photo and mask together.

Real and painted faces of a row are changed alike, so that feature matching still compares like with like, and the mask moves with
its photo, so that the condition stays true.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from faceaug.gan.shift import Shift, draw_shift

CUT = 1 / 3
"""Side of the square that is cut out, as a share of the side."""

NUMBERS = 7
"""Random numbers that a row takes."""


@dataclass(frozen=True)
class Change:
    """What is done to each row: all ``(N,)``, or made of such.

    Attributes:
        brightness: added to the photo.
        saturation: factor on the distance to grey.
        contrast: factor on the distance to the mean.
        shift: where photo and mask are moved.
        hole: ``(N, 1, S, S)`` float32, 0 in the square that is cut out, else 1.
    """

    brightness: Tensor
    saturation: Tensor
    contrast: Tensor
    shift: Shift
    hole: Tensor

    def photo(self, images: Tensor) -> Tensor:
        """The photos ``(N, 3, S, S)``, changed; in the hole they are 0."""
        x = images + self.brightness[:, None, None, None]
        grey = x.mean(1, keepdim=True)
        x = (x - grey) * self.saturation[:, None, None, None] + grey
        middle = x.mean((1, 2, 3), keepdim=True)
        x = (x - middle) * self.contrast[:, None, None, None] + middle
        return self.mask(x)

    def mask(self, condition: Tensor) -> Tensor:
        """One-hot masks ``(N, K, S, S)``, moved and cut as the photos; no class at all in the hole."""
        return self.shift(condition) * self.hole


def draw_change(uniform: Tensor, size: int) -> Change:
    """A change for each row.

    Args:
        uniform: ``(N, 7)`` random numbers in 0..1.
        size: side of the photos.
    """
    side = int(size * CUT)

    def whole(column: int, low: int, high: int) -> Tensor:
        return (low + uniform[:, column] * (high - low + 1)).floor().long().clamp(low, high)

    line = torch.arange(size, device=uniform.device)
    top, left = (whole(column, -side // 2, size - side // 2)[:, None] for column in (5, 6))
    inside = ((line >= top) & (line < top + side))[:, :, None] & ((line >= left) & (line < left + side))[:, None, :]
    return Change(
        brightness=uniform[:, 0] - 0.5,
        saturation=2.0 * uniform[:, 1],
        contrast=0.5 + uniform[:, 2],
        shift=draw_shift(uniform[:, 3:5], size),
        hole=(~inside)[:, None].float(),
    )
