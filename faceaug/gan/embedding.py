"""The local embedding sub-network: five separate auto-encoders {E_local, G_local} (Section 3.1, Figure 2a).

All that is known of a component's look passes through one latent code; G_local reconstructs the component from it (Eq. 1), and a
second decoder, not mentioned in the paper, gives the feature map that the mask-guided sub-network places.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from faceaug.gan.blocks import down, to_rgb, up
from faceaug.gan.components import COMPONENTS, STRIDE, Component, Part
from faceaug.gan.config import GeneratorConfig
from faceaug.gan.losses import local_reconstruction


@dataclass(frozen=True)
class _Pyramid:
    """How a component's crop is halved until a whole face is 2x2 (eyes: 2x3, mouth: 5x9, at every face size)."""

    widths: list[int]
    grid: tuple[int, int]

    @classmethod
    def of(cls, component: Component, config: GeneratorConfig) -> _Pyramid:
        height, width = component.crop(config.size)
        depth = int(math.log2(config.size)) - (1 if component.whole else 4)
        return cls([config.width * min(2**level, 8) for level in range(depth)], (height >> depth, width >> depth))

    @property
    def cells(self) -> int:
        """Numbers in the smallest feature map."""
        return self.widths[-1] * self.grid[0] * self.grid[1]


def encoder(component: Component, config: GeneratorConfig, code: int) -> nn.Sequential:
    """E_local: a crop ``(N, 3, h, w)`` to a latent code ``(N, code)``."""
    pyramid = _Pyramid.of(component, config)
    layers: list[nn.Module] = [down(a, b) for a, b in zip([3, *pyramid.widths[:-1]], pyramid.widths, strict=True)]
    return nn.Sequential(
        *layers, nn.Flatten(), nn.Linear(pyramid.cells, 2 * code), nn.ReLU(inplace=True), nn.Linear(2 * code, code)
    )


def _opened(pyramid: _Pyramid, channels: int, config: GeneratorConfig) -> list[nn.Module]:
    """A code to ``(N, channels, *grid)``."""
    height, width = pyramid.grid
    return [nn.Linear(config.code, channels * height * width), nn.Unflatten(1, (channels, height, width))]


def image_decoder(component: Component, config: GeneratorConfig) -> nn.Sequential:
    """G_local: a latent code to the crop, ``(N, 3, h, w)`` in [-1, 1]."""
    pyramid = _Pyramid.of(component, config)
    widths = pyramid.widths
    return nn.Sequential(
        *_opened(pyramid, widths[-1], config),
        *[up(a, b) for a, b in zip(widths[::-1], [*widths[-2::-1], config.width], strict=True)],
        to_rgb(config.width, 5),
    )


def feature_decoder(component: Component, config: GeneratorConfig) -> nn.Sequential:
    """A latent code to the feature map that is placed: ``(N, 4 width, h / 4, w / 4)``."""
    pyramid = _Pyramid.of(component, config)
    features = 4 * config.width
    return nn.Sequential(
        *_opened(pyramid, features, config),
        # From the bottleneck up to one cell for STRIDE pixels.
        *[up(features, features) for _ in range(len(pyramid.widths) - int(math.log2(STRIDE)))],
    )


class ComponentAutoEncoder(nn.Module):
    """{E_local, G_local} of one component.

    Args:
        component: which one.
        config: sizes and widths.
    """

    def __init__(self, component: Component, config: GeneratorConfig) -> None:
        super().__init__()
        self.encoder = encoder(component, config, config.code)
        self.image_decoder = image_decoder(component, config)


class LocalEmbedding(nn.Module):
    """The five auto-encoders, and a learned code for each component that a source does not have."""

    def __init__(self, config: GeneratorConfig) -> None:
        super().__init__()
        self.components = nn.ModuleList(ComponentAutoEncoder(component, config) for component in COMPONENTS)
        self.null_codes = nn.Parameter(torch.zeros(len(COMPONENTS), config.code))

    @property
    def autoencoders(self) -> list[ComponentAutoEncoder]:
        """One a component, in the order of :data:`~faceaug.gan.components.COMPONENTS`."""
        return [network for network in self.components if isinstance(network, ComponentAutoEncoder)]

    def encode(self, parts: list[Part]) -> Tensor:
        """E_local of each component.

        Args:
            parts: from :func:`~faceaug.gan.components.cut_parts`.

        Returns:
            ``(N, 5, code)`` float32 latent codes; the null code where the component is absent.
        """
        codes = []
        for index, (network, part) in enumerate(zip(self.autoencoders, parts, strict=True)):
            code = network.encoder(part.image.contiguous(memory_format=torch.channels_last))
            null = self.null_codes[index]  # codes are as precise as weights, whatever the encoder computes in
            codes.append(torch.where(part.present[:, None], code.to(null.dtype), null))
        return torch.stack(codes, 1)

    def embed(self, parts: list[Part]) -> tuple[Tensor, dict[str, Tensor]]:
        """:meth:`encode`, and the term ``local`` of the loss (Eq. 1)."""
        codes = self.encode(parts)
        return codes, {"local": local_reconstruction(parts, self.reconstruct(codes))}

    def reconstruct(self, codes: Tensor) -> list[Tensor]:
        """G_local of each component: ``(N, 3, h, w)`` in [-1, 1]."""
        return [network.image_decoder(codes[:, index]) for index, network in enumerate(self.autoencoders)]
