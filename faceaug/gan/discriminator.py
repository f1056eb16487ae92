"""The conditional discriminators: on projected ImageNet features, and on patches of pixels (Section 3.2, after pix2pixHD)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.parametrizations import spectral_norm

from faceaug.gan.blocks import initialise, instance_norm
from faceaug.labels import NUM_PARTS

SCALES = 2


@dataclass
class Judgement:
    """What one scale says.

    Attributes:
        logits: ``(N, 1, h, w)``, one for each patch, positive for real.
        features: ``(N, C, h', w')``, f_D of Eq. 5: of the last layer before the logits.
    """

    logits: Tensor
    features: Tensor


class OneScale(nn.Module):
    """D_i: patches of a photo with its mask, real or generated.

    Args:
        width: channels of the first layer.
        levels: layers that halve the side. A patch has 70 px with 3, 34 with 2, 16 with 1.
        classes: of the masks.
    """

    def __init__(self, width: int, levels: int, classes: int) -> None:
        super().__init__()
        channels = [classes + 3, *(2**level * width for level in range(levels + 1))]
        layers: list[nn.Module] = []
        for level, (inputs, outputs) in enumerate(pairwise(channels)):
            last = level == levels
            layers.append(nn.Conv2d(inputs, outputs, 4, stride=1 if last else 2, padding=2 if last else 1))
            layers += [instance_norm(outputs)] if level else []
            layers.append(nn.LeakyReLU(0.2, inplace=True))
        self.features = nn.Sequential(*layers)
        self.logits = nn.Conv2d(channels[-1], 1, 4, padding=2)

    def forward(self, x: Tensor) -> Judgement:  # noqa: D102
        features = self.features(x)
        return Judgement(self.logits(features), features)


class PatchDiscriminator(nn.Module):
    """D_1 and D_2: one structure at two scales, the second on photo and mask halved by average pooling.

    Args:
        width: channels of the first layer.
        levels: see :class:`OneScale`; 3 in the paper's public code.
        classes: of the masks.
    """

    def __init__(self, width: int, levels: int = 3, *, classes: int = NUM_PARTS) -> None:
        super().__init__()
        self.scales = nn.ModuleList(OneScale(width, levels, classes) for _ in range(SCALES))
        initialise(self)

    def forward(self, images: Tensor, condition: Tensor) -> list[Judgement]:
        """Judge photos.

        Args:
            images: ``(N, 3, S, S)`` in [-1, 1].
            condition: ``(N, classes, S, S)`` one-hot target masks.
        """
        x = torch.cat([condition, images], 1).contiguous(memory_format=torch.channels_last)
        judgements = []
        for scale in self.scales:
            judgements.append(scale(x))
            x = F.avg_pool2d(x, 3, stride=2, padding=1, count_include_pad=False)
        return judgements


PROJECTED = 64
"""Channels after the random projection of each depth."""


class ProjectedDiscriminator(nn.Module):
    """D on frozen ImageNet features (after Sauer et al., Projected GANs, NeurIPS 2021), with the mask beside them.

    On pixels D stays at chance (benchmarks/results/discriminator-64px.json); on these features it is ahead of G within a hundred
    steps. Features of each depth are mixed by fixed random convolutions, across channels and from deep to shallow, so that no
    head can rest on the few that are easy; a small head at each depth judges them.

    Args:
        channels: of the features at each depth, see :class:`faceaug.gan.features.ImageNetFeatures`.
        width: of the heads; the same at every preset, since what they judge is as wide.
        classes: of the masks.
    """

    def __init__(self, channels: list[int], width: int = 32, *, classes: int = NUM_PARTS) -> None:
        super().__init__()
        fixed = torch.Generator().manual_seed(0)
        projections, mixers = [], []
        for count in channels:
            projections.append(torch.randn(PROJECTED, count, 1, 1, generator=fixed) * math.sqrt(2 / count))
            mixers.append(torch.randn(PROJECTED, PROJECTED, 3, 3, generator=fixed) * math.sqrt(2 / (9 * PROJECTED)))
        for index, (projection, mixer) in enumerate(zip(projections, mixers, strict=True)):
            self.register_buffer(f"projection{index}", projection)
            self.register_buffer(f"mixer{index}", mixer)
        self.heads = nn.ModuleList(_Head(width, halvings, classes) for halvings in reversed(range(len(channels))))

    def forward(self, features: list[Tensor], condition: Tensor) -> list[Judgement]:
        """Judge photos by their features.

        Args:
            features: of the photos at each depth, ``(N, C, h, w)``, shallowest first.
            condition: ``(N, classes, S, S)`` one-hot target masks.
        """
        judgements = []
        for head, mixed in zip(self.heads, self._mixed(features), strict=True):
            mask = F.adaptive_avg_pool2d(condition, (mixed.shape[-2], mixed.shape[-1]))
            judgements.append(head(torch.cat([mixed, mask.to(mixed.dtype)], 1).contiguous(memory_format=torch.channels_last)))
        return judgements

    def _mixed(self, features: list[Tensor]) -> list[Tensor]:
        found: list[Tensor] = []
        for index in reversed(range(len(features))):
            here: Any = F.conv2d(features[index], self.get_buffer(f"projection{index}"))
            if found:
                here = (here + F.interpolate(found[-1], here.shape[-2:], mode="bilinear")) * math.sqrt(0.5)
            found.append(F.conv2d(here, self.get_buffer(f"mixer{index}"), padding=1))
        return [_of_length_one(maps) for maps in reversed(found)]


def _of_length_one(maps: Tensor) -> Tensor:
    """Maps ``(N, C, h, w)`` scaled to a mean square of 1 in each photo: depths differ by orders of magnitude."""
    return maps * (maps.float().square().mean((1, 2, 3), keepdim=True) + 1e-6).rsqrt().to(maps.dtype)


class _Head(nn.Module):
    """Judges one depth, after so many halvings."""

    def __init__(self, width: int, halvings: int, classes: int) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        inputs = PROJECTED + classes
        for _ in range(halvings):
            layers += [spectral_norm(nn.Conv2d(inputs, 2 * width, 4, stride=2, padding=1)), nn.LeakyReLU(0.2, inplace=True)]
            inputs = 2 * width
        layers += [spectral_norm(nn.Conv2d(inputs, 2 * width, 3, padding=1)), nn.LeakyReLU(0.2, inplace=True)]
        self.features = nn.Sequential(*layers)
        self.logits = spectral_norm(nn.Conv2d(2 * width, 1, 3, padding=1))

    def forward(self, x: Tensor) -> Judgement:
        features = self.features(x)
        return Judgement(self.logits(features), features)
