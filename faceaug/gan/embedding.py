"""The local embedding sub-network: five separate auto-encoders {E_local, G_local} (Section 3.1, Figure 2a).

All that is known of a component's look passes through one latent code; from it G_local paints the component back (Eq. 1), and a
second decoder gives the feature map that the mask-guided sub-network places.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from faceaug.gan.blocks import down, to_rgb, up
from faceaug.gan.components import COMPONENTS, STRIDE, Component, Part
from faceaug.gan.config import GeneratorConfig


class ComponentAutoEncoder(nn.Module):
    """E_local, G_local and the feature decoder of one component.

    The crop is halved until a whole face is 2x2 (eyes: 2x3, mouth: 5x9, at every face size).

    Args:
        component: which one.
        config: sizes and widths.
    """

    def __init__(self, component: Component, config: GeneratorConfig) -> None:
        super().__init__()
        height, width = component.crop(config.size)
        depth = int(math.log2(config.size)) - (1 if component.whole else 4)
        grid = (height >> depth, width >> depth)
        widths = [config.width * min(2**level, 8) for level in range(depth)]
        top = widths[-1]
        cells = top * grid[0] * grid[1]
        features = 4 * config.width
        # From the bottleneck up to one cell for STRIDE pixels.
        feature_ups = depth - int(math.log2(STRIDE))

        self.encoder = nn.Sequential(
            *[down(a, b) for a, b in zip([3, *widths[:-1]], widths, strict=True)],
            nn.Flatten(),
            nn.Linear(cells, 2 * config.code),
            nn.ReLU(inplace=True),
            nn.Linear(2 * config.code, config.code),
        )
        self.image_decoder = nn.Sequential(
            nn.Linear(config.code, cells),
            nn.Unflatten(1, (top, *grid)),
            *[up(a, b) for a, b in zip(widths[::-1], [*widths[-2::-1], config.width], strict=True)],
            to_rgb(config.width, 5),
        )
        self.feature_decoder = nn.Sequential(
            nn.Linear(config.code, features * grid[0] * grid[1]),
            nn.Unflatten(1, (features, *grid)),
            *[up(features, features) for _ in range(feature_ups)],
        )


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
            code = network.encoder(part.image.contiguous(memory_format=torch.channels_last)).float()
            codes.append(torch.where(part.present[:, None], code, self.null_codes[index]))
        return torch.stack(codes, 1)

    def reconstruct(self, codes: Tensor) -> list[Tensor]:
        """G_local of each component: ``(N, 3, h, w)`` in [-1, 1]."""
        return [network.image_decoder(codes[:, index]) for index, network in enumerate(self.autoencoders)]

    def features(self, codes: Tensor) -> list[Tensor]:
        """The component feature maps: ``(N, 4 width, h / 4, w / 4)``, not placed yet."""
        return [network.feature_decoder(codes[:, index]) for index, network in enumerate(self.autoencoders)]
