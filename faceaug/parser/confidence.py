"""How good a parser expects its own label map of a face to be."""

from __future__ import annotations

import torch
from torch import Tensor

from faceaug.labels import BACKGROUND


def expected_f1(likely: Tensor) -> Tensor:
    """The mean F1 that predicted label maps would have if pixels were of each class as often as the parser says.

    A class's F1 is ``2 |A and B| / (|A| + |B|)``. With A its predicted pixels and B those that are of it, the parser expects the
    sum of its probabilities over A for ``|A and B|``, and their sum over the whole face for ``|B|``. The mean of the pixels'
    probabilities, in comparison, follows how much background and hair there is: over faces it correlates with the true mean F1
    half as well (benchmarks/results/confidence.json).

    Args:
        likely: ``(N, K, H, W)`` float, 0..1: probabilities that add up to 1 over the classes.

    Returns:
        ``(N,)`` float, 0..1: the mean over the predicted classes but background; 0 where there is no other.
    """
    labels = likely.argmax(1, keepdim=True)
    classes = torch.arange(likely.shape[1], device=likely.device).reshape(1, -1, 1, 1)
    predicted = (labels == classes).to(likely.dtype)
    size = predicted.sum((2, 3))
    scores = 2 * (likely * predicted).sum((2, 3)) / (size + likely.sum((2, 3))).clamp(min=1e-9)
    there = (size > 0) & (classes[:, :, 0, 0] != BACKGROUND)
    return (scores * there).sum(1) / there.sum(1).clamp(min=1)
