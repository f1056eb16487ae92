"""Exponential moving average of weights, its length counted in images so that the batch size does not change it."""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn


class Ema:
    """A shadow of a network whose weights trail the trained ones.

    Args:
        module: the network being trained.
        half_life: images after which a weight's old value counts half.
        ramp: the half-life is at most this share of the images seen, so that early averages forget the start.
    """

    def __init__(self, module: nn.Module, *, half_life: float, ramp: float = 0.1) -> None:
        self.module = copy.deepcopy(module).eval().requires_grad_(False)
        self.half_life = half_life
        self.ramp = ramp

    @torch.no_grad()
    def update(self, module: nn.Module, *, batch: int, images_seen: int) -> None:
        """Move the shadow towards ``module`` after a step of ``batch`` images, ``images_seen`` in all."""
        half_life = max(min(self.half_life, images_seen * self.ramp), 1e-8)
        weight = 1.0 - 0.5 ** (batch / half_life)
        shadow: list[Tensor] = list(self.module.parameters())
        trained: list[Tensor] = list(module.parameters())
        torch._foreach_lerp_(shadow, trained, weight)
        # Statistics of batch norm are averaged like the weights that they belong to; counters are copied.
        pairs = list(zip(self.module.buffers(), module.buffers(), strict=True))
        averaged = [pair for pair in pairs if pair[0].is_floating_point()]
        copied = [pair for pair in pairs if not pair[0].is_floating_point()]
        if averaged:
            torch._foreach_lerp_([kept for kept, _ in averaged], [new for _, new in averaged], weight)
        if copied:
            torch._foreach_copy_([kept for kept, _ in copied], [new for _, new in copied])
