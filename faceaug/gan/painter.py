"""What the framework and all systems it is compared with have in common: sources to codes, codes and targets to faces."""

from __future__ import annotations

from abc import ABC, abstractmethod

import torch
from torch import Tensor, nn

from faceaug.gan.config import GeneratorConfig, TrainingConfig


class Painter(nn.Module, ABC):
    """A generator of the comparison.

    Attributes:
        config: its shape.
        paired_only: trained on reconstructions alone, without unpaired steps.
        sampled: in use its codes are drawn from a standard normal distribution instead of being encoded from sources.
    """

    config: GeneratorConfig
    paired_only = False
    sampled = False

    @abstractmethod
    def encode(self, images: Tensor, labels: Tensor) -> Tensor:
        """Codes of source faces: ``(N, 3, S, S)`` float32 in [-1, 1] and ``(N, S, S)`` uint8 to ``(N, K, C)`` float32."""

    @abstractmethod
    def paint(self, codes: Tensor, images: Tensor, labels: Tensor) -> Tensor:
        """Faces with the look of ``codes`` on the targets' masks and backgrounds: ``(N, 3, S, S)`` in [-1, 1]."""

    @abstractmethod
    def weights(self, training: TrainingConfig, *, paired: bool) -> dict[str, float]:
        """The terms of the loss and what each weighs; terms that are not named are not computed."""

    def embed(self, images: Tensor, labels: Tensor, noise: Tensor, *, paired: bool) -> tuple[Tensor, dict[str, Tensor]]:
        """Codes of a training batch's sources, and the terms of the loss that come with them.

        Args:
            images: ``(N, 3, S, S)`` float32 sources in [-1, 1].
            labels: ``(N, S, S)`` uint8, 0..10.
            noise: ``(N, 16)`` float32, standard normal.
            paired: whether the sources are the targets.
        """
        return self.encode(images, labels), {}

    def read_back(self, picture: Tensor, labels: Tensor, codes: Tensor, *, paired: bool) -> dict[str, Tensor]:
        """Terms of the loss that look at the painted picture through the painter's own networks."""
        return {}

    def forward(self, source: Tensor, source_labels: Tensor, target: Tensor, target_labels: Tensor) -> Tensor:
        """G(x_s, m_s, x_t, m_t); shapes as in :meth:`encode` and :meth:`paint`."""
        return self.paint(self.encode(source, source_labels), target, target_labels)


def paste_background(face: Tensor, images: Tensor, labels: Tensor) -> Tensor:
    """The targets' own pixels where they are background (settings 1 and 2 of Section 4.1), the painted ones elsewhere."""
    return torch.where((labels == 0)[:, None], images.to(face.dtype), face)
