"""Discriminators: the paper's multi-scale conditional one (Section 3.2, after pix2pixHD), and one that labels pixels."""

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


def levels_for(size: int) -> int:
    """Halvings in a patch discriminator for faces of ``size`` px: a patch is a quarter of the side at each of them.

    The paper's 3 let a patch see 70 of 256 px; as many would see the whole of a face of 64 px, where 1 sees 16.
    """
    return max(size.bit_length() - 6, 1)


@dataclass
class Judgement:
    """What one scale says.

    Attributes:
        logits: ``(N, 1, h, w)``, one for each patch, positive for real; or ``(N, 12, S, S)``, the class of each pixel.
        features: ``(N, C, h', w')``, f_D of Eq. 5: of the last layer before the logits, or of the narrowest one.
    """

    logits: Tensor
    features: Tensor


class PatchDiscriminator(nn.Module):
    """D_i: patches of a photo with its mask, real or painted.

    Args:
        width: channels of the first layer.
        kind: ``instance``: instance normalisation; ``spectral``: weights of spectral norm 1; ``plain``: neither.
        levels: layers that halve the side. A patch has 70 px with 3, 34 with 2, 16 with 1.
    """

    def __init__(self, width: int, kind: str, levels: int) -> None:
        super().__init__()
        channels = [NUM_CLASSES + 3, *(2**level * width for level in range(levels + 1))]
        layers: list[nn.Module] = []
        for level, (inputs, outputs) in enumerate(pairwise(channels)):
            last = level == levels
            layers.append(nn.Conv2d(inputs, outputs, 4, stride=1 if last else 2, padding=2 if last else 1))
            layers += [instance_norm(outputs)] if level and kind == "instance" else []
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
        kind: see :class:`PatchDiscriminator`.
        levels: likewise; :func:`levels_for` gives those of a face's size.
    """

    def __init__(self, width: int, kind: str = "instance", levels: int = 3) -> None:
        super().__init__()
        self.scales = nn.ModuleList(PatchDiscriminator(width, kind, levels) for _ in range(SCALES))
        initialise(self)
        if kind == "spectral":
            _bound(self)
        elif kind == "plain":
            _keep_variance(self)

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


class SegmentationDiscriminator(nn.Module):
    """A U-Net that gives each pixel its class, or that of painted ones (Schönfeld et al., ICLR 2021).

    It is not told the mask: to be judged real, a painted pixel must look like its class. Narrower than theirs, and with plain
    strided convolutions instead of residual blocks.

    Args:
        width: channels of the first layer.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        channels = [3, width, 2 * width, 4 * width, 8 * width]
        self.down = nn.ModuleList(_leaky(nn.Conv2d(a, b, 4, stride=2, padding=1)) for a, b in pairwise(channels))
        self.up = nn.ModuleList(
            _leaky(nn.Conv2d(below + skip, skip, 3, padding=1)) for skip, below in reversed(list(pairwise(channels[1:])))
        )
        self.head = nn.Sequential(_leaky(nn.Conv2d(width, width, 3, padding=1)), nn.Conv2d(width, NUM_CLASSES + 1, 3, padding=1))
        initialise(self)
        _bound(self)

    def forward(self, images: Tensor, condition: Tensor) -> list[Judgement]:
        """Judge photos; arguments as :meth:`Discriminator.forward`, the condition is not looked at."""
        x = images.contiguous(memory_format=torch.channels_last)
        skips = []
        for layer in self.down:
            x = layer(x)
            skips.append(x)
        features = skips.pop()
        for layer in self.up:
            x = layer(torch.cat([F.interpolate(x, scale_factor=2.0), skips.pop()], 1))
        return [Judgement(self.head(F.interpolate(x, scale_factor=2.0)), features)]


def build_discriminator(size: int, width: int, kind: str) -> nn.Module:
    """A fresh discriminator of faces of ``size`` px, of a kind that :class:`~faceaug.gan.config.TrainingConfig` names."""
    return SegmentationDiscriminator(width) if kind == "segmentation" else Discriminator(width, kind, levels_for(size))


def _leaky(layer: nn.Conv2d) -> nn.Sequential:
    return nn.Sequential(layer, nn.LeakyReLU(0.2, inplace=True))


def _keep_variance(network: nn.Module) -> None:
    """Initial weights that pass the size of what comes in on, where nothing normalises it (He et al., ICCV 2015)."""
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d):
            nn.init.kaiming_normal_(layer.weight, a=0.2)


def _bound(network: nn.Module) -> None:
    """Give every convolution a spectral norm of 1."""
    for layer in list(network.modules()):
        if isinstance(layer, nn.Conv2d):
            spectral_norm(layer)
