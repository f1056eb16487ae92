"""Several parsers as one: the mean of their probabilities."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from faceaug.errors import CheckpointMismatch
from faceaug.parser.predict import Parser


class _Mean(nn.Module):
    """Logits whose softmax is the mean of the members' probabilities."""

    def __init__(self, members: Sequence[nn.Module]) -> None:
        super().__init__()
        self.members = nn.ModuleList(members)

    def forward(self, images: Tensor) -> Tensor:
        """``(N, 3, S, S)`` in [-1, 1] to ``(N, K, S, S)``."""
        likely: Tensor = sum((member(images).float().softmax(1) for member in self.members), torch.zeros(()))
        return (likely / len(self.members)).clamp(min=1e-12).log()


def ensemble(parsers: Sequence[Parser]) -> Parser:
    """A parser that gives each class the mean of several parsers' probabilities; of one it is that one.

    Parsers that differ only in their seed err in different places, so that their mean labels photos better than any of them.

    Args:
        parsers: one at least, all of one shape and device.

    Raises:
        CheckpointMismatch: their shapes or label schemes differ.
    """
    first = parsers[0]
    if any(parser.config != first.config for parser in parsers):
        raise CheckpointMismatch("--parser: parsers that label together must have one network, size and label scheme")
    if len(parsers) == 1:
        return first
    network = _Mean([parser.network for parser in parsers]).eval()
    members = tuple(parser.hash for parser in parsers)
    return dataclasses.replace(
        first, network=network, hash=hashlib.sha256("".join(members).encode()).hexdigest(), members=members
    )
