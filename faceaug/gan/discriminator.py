"""Multi-scale conditional discriminators (Section 3.2, after pix2pixHD)."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.parametrizations import spectral_norm

from faceaug.gan.blocks import initialise, instance_norm
from faceaug.labels import NUM_CLASSES

SCALES = 2


@dataclass
class Judgement:
    """What one scale says.

    Attributes:
        logits: ``(N, 1, h, w)``, one for each patch, positive for real.
        features: ``(N, 8 width, h', w')`` of the last layer before the logits, f_D of Eq. 5.
    """

    logits: Tensor
    features: Tensor


class PatchDiscriminator(nn.Module):
    """D_i: patches of a photo with its mask, real or painted.

    Args:
        width: channels of the first layer.
        kind: ``instance``: instance normalisation; ``spectral``: weights of spectral norm 1, activations as they are.
    """

    def __init__(self, width: int, kind: str) -> None:
        super().__init__()
        channels = [NUM_CLASSES + 3, width, 2 * width, 4 * width, 8 * width]
        layers: list[nn.Module] = []
        for level, (inputs, outputs) in enumerate(pairwise(channels)):
            layers.append(nn.Conv2d(inputs, outputs, 4, stride=2 if level < 3 else 1, padding=2 if level == 3 else 1))
            layers += [instance_norm(outputs)] if level and kind == "instance" else []
            layers.append(nn.LeakyReLU(0.2, inplace=True))
        self.features = nn.Sequential(*layers)
        self.logits = nn.Conv2d(channels[-1], 1, 4, padding=2)

    def forward(self, x: Tensor) -> Judgement:  # noqa: D102
        features = self.features(x)
        return Judgement(self.logits(features), features)


class Discriminator(nn.Module):
    """D_1 and D_2: one structure at two scales, the second on photo and mask halved by average pooling."""

    def __init__(self, width: int, kind: str = "instance") -> None:
        super().__init__()
        self.scales = nn.ModuleList(PatchDiscriminator(width, kind) for _ in range(SCALES))
        initialise(self)
        if kind == "spectral":
            for layer in list(self.modules()):
                if isinstance(layer, nn.Conv2d):
                    spectral_norm(layer)

    def forward(self, images: Tensor, condition: Tensor) -> list[Judgement]:
        """Judge photos.

        Args:
            images: ``(N, 3, S, S)`` in [-1, 1].
            condition: ``(N, 11, S, S)`` one-hot target masks.
        """
        x = torch.cat([condition, images], 1).contiguous(memory_format=torch.channels_last)
        judgements = []
        for scale in self.scales:
            judgements.append(scale(x))
            x = F.avg_pool2d(x, 3, stride=2, padding=1, count_include_pad=False)
        return judgements
