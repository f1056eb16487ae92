"""ImageNet features of faces, for the projected discriminators and the perceptual loss: computed once a step for both."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn
from torch.nn import functional as F

from faceaug.imagenet import imagenet_encoder
from faceaug.parser.network import fold_batch_norm

DEPTHS = (1, 2, 3, 4)
"""Depths of the encoder that are used: its features at 1/2, 1/4, 1/8 and 1/16 of the side."""

ENLARGEMENT = 1.5
"""Factor by which faces are enlarged for the encoder.

Its first layer steps by two pixels: of faces as they are it hardly sees stripes one pixel wide, and those came out in hair."""


class ImageNetFeatures(nn.Module):
    """The frozen encoder; :attr:`channels` has the channels of its features at :data:`DEPTHS`."""

    def __init__(self) -> None:
        super().__init__()
        encoder: Any = fold_batch_norm(imagenet_encoder())
        self.encoder = encoder
        self.channels = [int(encoder.out_channels[depth]) for depth in DEPTHS]

    def forward(self, images: Tensor) -> list[Tensor]:
        """``(N, 3, S, S)`` in [-1, 1] to the features at :data:`DEPTHS`, shallowest first."""
        side = round(images.shape[-1] * ENLARGEMENT / 32) * 32
        found = self.encoder(F.interpolate(images, (side, side), mode="bilinear", align_corners=False))
        return [found[depth] for depth in DEPTHS]
