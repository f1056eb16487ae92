"""Moving each picture of a batch by whole pixels of its own."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

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

    def __call__(self, images: Tensor) -> Tensor:
        """Pictures or label maps ``(N, K, S, S)`` moved, channels_last; what comes in over a border is a reflection."""
        count, kinds, size, _ = images.shape
        line = torch.arange(size, device=images.device)
        rows, columns = (_reflected(line - by[:, None], size) for by in (self.row, self.column))
        every = torch.arange(count, device=images.device)[:, None, None, None]
        channels = torch.arange(kinds, device=images.device)[None, :, None, None]
        moved = images[every, channels, rows[:, None, :, None], columns[:, None, None, :]]
        return moved.contiguous(memory_format=torch.channels_last)


def _reflected(index: Tensor, size: int) -> Tensor:
    """Positions in and a little out of 0..size-1 by those within; the border itself is not repeated."""
    return size - 1 - (size - 1 - index.abs()).abs()


def draw_shift(uniform: Tensor, size: int) -> Shift:
    """A shift for each row.

    Args:
        uniform: ``(N, 2)`` random numbers in 0..1.
        size: side of the pictures.
    """
    pad = int(size * LARGEST)
    whole = (-pad + uniform * (2 * pad + 1)).floor().long().clamp(-pad, pad)
    return Shift(whole[:, 0], whole[:, 1])
