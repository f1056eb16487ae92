"""Class-balanced cross-entropy (Eq. 7)."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from faceaug.labels import IGNORE
from faceaug.prepare.faces import LabelledFaces


def class_weights(faces: LabelledFaces, balance: float) -> Tensor:
    """Frequencies of the classes to the power of ``-balance``, scaled so that the average pixel weighs 1: ``(K,)`` float32.

    A class that does not occur weighs 0.
    """
    counts = np.zeros(256)
    for start in range(0, len(faces), 256):  # bincount takes eight bytes a pixel
        counts += np.bincount(faces.labels[start : start + 256].ravel(), minlength=256)
    counts = counts[: len(faces.scheme)]
    share = counts / counts.sum()
    weights = np.where(share > 0, np.maximum(share, 1e-12) ** -balance, 0.0)
    return torch.tensor(weights / (weights * share).sum(), dtype=torch.float32)


def balanced_cross_entropy(logits: Tensor, labels: Tensor, weights: Tensor, rows: Tensor | None = None) -> Tensor:
    """Eq. 7 with weighted classes, whose minimum is still at the true probabilities.

    Weighted cross-entropy alone makes a network claim too much for rare classes: at its minimum, class c has a probability
    proportional to ``weights[c] p_c``. Adding ``log weights`` to the logits here takes that upon the loss (logit adjustment), so
    the network's own logits are those of p, and rare classes are only learned sooner.

    Args:
        logits: ``(N, K, S, S)`` float32.
        labels: ``(N, S, S)`` int64 of the scheme; 255 is left out.
        weights: ``(K,)`` from :func:`class_weights`.
        rows: ``(N,)`` weights of the faces; all alike where None.
    """
    tilted = logits + _tilt(weights)[:, None, None]
    if rows is None:
        return F.cross_entropy(tilted, labels, weights, ignore_index=IGNORE)
    losses = F.cross_entropy(tilted, labels, weights, ignore_index=IGNORE, reduction="none")
    counted = F.pad(weights, (0, 256 - len(weights)))[labels]
    return (rows[:, None, None] * losses).sum() / (rows[:, None, None] * counted).sum()


def start_balanced(network: nn.Module, weights: Tensor) -> None:
    """Begin with equal probabilities in the balanced loss, by the biases of the last layer."""
    head = [layer for layer in network.modules() if isinstance(layer, nn.Conv2d)][-1]
    assert head.bias is not None  # the segmentation head of segmentation_models_pytorch has one
    with torch.no_grad():
        head.bias.sub_(_tilt(weights))


def _tilt(weights: Tensor) -> Tensor:
    return torch.where(weights > 0, weights, 1.0).log()
