"""Moving each picture of a batch by whole pixels of its own."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

LARGEST = 1 / 8
"""Largest shift along each axis, as a share of the side."""

NUMBERS = 2
"""Random numbers that a row takes."""


@dataclass(frozen=True)
class Shift:
    """How far each picture is moved.

    Attributes:
        row: ``(N,)`` int64, pixels down; ``column`` likewise, to the right.
    """

    row: Tensor
    column: Tensor

    def __call__(self, images: Tensor, *, fill: float = 0.0) -> Tensor:
        """Pictures ``(N, K, S, S)``, moved, channels_last; ``fill`` stands where no picture is."""
        count, kinds, size, _ = images.shape
        pad = int(size * LARGEST)
        padded = F.pad(images, (pad, pad, pad, pad), value=fill)
        line = torch.arange(size, device=images.device)
        rows = (line + (pad - self.row)[:, None])[:, None, :, None]
        columns = (line + (pad - self.column)[:, None])[:, None, None, :]
        every = torch.arange(count, device=images.device)[:, None, None, None]
        channels = torch.arange(kinds, device=images.device)[None, :, None, None]
        return padded[every, channels, rows, columns].contiguous(memory_format=torch.channels_last)


def draw_shift(uniform: Tensor, size: int) -> Shift:
    """A shift for each row.

    Args:
        uniform: ``(N, 2)`` random numbers in 0..1.
        size: side of the pictures.
    """
    pad = int(size * LARGEST)
    whole = (-pad + uniform * (2 * pad + 1)).floor().long().clamp(-pad, pad)
    return Shift(whole[:, 0], whole[:, 1])
