"""The multi-scale conditional discriminator (Section 3.2, after pix2pixHD)."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from faceaug.gan.blocks import initialise, instance_norm
from faceaug.labels import NUM_CLASSES

SCALES = 2


def levels_for(size: int) -> int:
    """Halvings in a patch discriminator for faces of ``size`` px: a patch is a quarter of the side at each of them.

    The paper's 3 let a patch see 70 of 256 px; as many would see the whole of a face of 64 px, where 1 sees 16.
    """
    return max(size.bit_length() - 6, 1)


@dataclass
class Judgement:
    """What one scale says.

    Attributes:
        logits: ``(N, 1, h, w)``, one for each patch, positive for real.
        features: ``(N, C, h', w')``, f_D of Eq. 5: of the last layer before the logits.
    """

    logits: Tensor
    features: Tensor


class PatchDiscriminator(nn.Module):
    """D_i: patches of a photo with its mask, real or painted.

    Args:
        width: channels of the first layer.
        levels: layers that halve the side. A patch has 70 px with 3, 34 with 2, 16 with 1.
    """

    def __init__(self, width: int, levels: int) -> None:
        super().__init__()
        channels = [NUM_CLASSES + 3, *(2**level * width for level in range(levels + 1))]
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


class Discriminator(nn.Module):
    """D_1 and D_2: one structure at two scales, the second on photo and mask halved by average pooling.

    Args:
        width: channels of the first layer.
        levels: see :class:`PatchDiscriminator`; :func:`levels_for` gives those of a face's size.
    """

    def __init__(self, width: int, levels: int = 3) -> None:
        super().__init__()
        self.scales = nn.ModuleList(PatchDiscriminator(width, levels) for _ in range(SCALES))
        initialise(self)

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
