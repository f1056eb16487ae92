"""Pictures as the networks see them, and back."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor


def to_float(images: npt.NDArray[np.uint8]) -> Tensor:
    """``(N, S, S, 3)`` uint8 to ``(N, 3, S, S)`` float32 in [-1, 1], channels_last.

    Computed by numpy: batches are made in a thread of their own, where torch would start a second set of workers, whose waiting
    halves the speed of the step they are to serve.
    """
    scaled = np.divide(images, np.float32(127.5), dtype=np.float32)
    scaled -= 1.0
    return torch.from_numpy(scaled).permute(0, 3, 1, 2)


def to_bytes(images: Tensor) -> npt.NDArray[np.uint8]:
    """The way back: ``(N, 3, S, S)`` in [-1, 1] to ``(N, S, S, 3)`` uint8, rounded."""
    scaled = images.detach().float().add(1.0).mul(127.5).round().clamp(0, 255).to(torch.uint8)
    return np.ascontiguousarray(scaled.permute(0, 2, 3, 1).cpu().numpy())
