"""The framework G(x_s, m_s, x_t, m_t) (Section 3.1, Figure 2)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from faceaug.gan.blocks import Residual, conv, initialise, one_if, to_rgb, up
from faceaug.gan.components import COMPONENTS, STRIDE, centres, cut_parts, one_hot, place, region
from faceaug.gan.config import GeneratorConfig
from faceaug.gan.embedding import LocalEmbedding
from faceaug.labels import BACKGROUND, NUM_CLASSES


class MaskGuided(nn.Module):
    """E_m and G_m: the target mask and the placed component features to the foreground face.

    The foreground stays a feature map of ``width`` channels, as in the official code: G_b reads more from it than from an image.
    """

    def __init__(self, config: GeneratorConfig) -> None:
        super().__init__()
        width, features = config.width, 4 * config.width
        self.size = config.size
        self.mask_encoder = nn.Sequential(
            conv(NUM_CLASSES, width, 7), conv(width, 2 * width, 3, 2), conv(2 * width, features, 3, 2)
        )
        self.fuse = nn.Conv2d(features * (1 + len(COMPONENTS)), features, 1)
        self.blocks = nn.Sequential(*[Residual(features) for _ in range(config.blocks)])
        self.up = nn.Sequential(up(features, 2 * width), up(2 * width, width))

    def place(self, features: list[Tensor], labels: Tensor) -> list[Tensor]:
        """Each component's features at its centre in the target, zero where the target has no such component.

        Args:
            features: from :meth:`LocalEmbedding.features`.
            labels: ``(N, S, S)`` uint8 target label maps.

        Returns:
            Five of ``(N, 4 width, S / 4, S / 4)``.
        """
        placed = []
        for component, feature in zip(COMPONENTS, features, strict=True):
            row, column, present = centres(region(labels, component))
            feature = feature * one_if(present, feature)
            placed.append(feature if component.whole else place(feature, row, column, self.size))
        return placed

    def forward(self, features: list[Tensor], labels: Tensor, condition: Tensor) -> Tensor:
        """``condition`` is the one-hot target mask; returns the foreground ``(N, width, S, S)``."""
        stacked = torch.cat([self.mask_encoder(condition), *self.place(features, labels)], 1)
        fused = self.fuse(stacked.contiguous(memory_format=torch.channels_last))
        foreground: Tensor = self.up(self.blocks(fused))
        return foreground


class BackgroundFusing(nn.Module):
    """E_b and G_b: the foreground and the target's background to the result."""

    def __init__(self, config: GeneratorConfig) -> None:
        super().__init__()
        # The fourth channel tells grey background from no background.
        self.encoder = conv(4, config.width, 7)
        self.generator = nn.Sequential(conv(2 * config.width, config.width, 3), to_rgb(config.width, 7))

    def forward(self, foreground: Tensor, target: Tensor, labels: Tensor) -> Tensor:
        """Returns ``(N, 3, S, S)`` in [-1, 1]."""
        background = (labels == BACKGROUND)[:, None].to(target.dtype)
        # Masked before E_b, so that nothing of the target's own face leaks in over the border.
        known = torch.cat([target * background, background], 1).contiguous(memory_format=torch.channels_last)
        fused = torch.cat([foreground, self.encoder(known)], 1)
        result: Tensor = self.generator(fused.contiguous(memory_format=torch.channels_last))
        return result


class Framework(nn.Module):
    """The overall generative framework G.

    Args:
        config: sizes and widths.
    """

    def __init__(self, config: GeneratorConfig) -> None:
        super().__init__()
        if config.size % STRIDE:
            raise ValueError(f"size must be a multiple of {STRIDE}")
        self.config = config
        self.embedding = LocalEmbedding(config)
        self.mask_guided = MaskGuided(config)
        self.fusing = BackgroundFusing(config)
        initialise(self)

    def encode(self, images: Tensor, labels: Tensor) -> Tensor:
        """Latent codes of source faces.

        Args:
            images: ``(N, 3, S, S)`` float32 in [-1, 1].
            labels: ``(N, S, S)`` uint8, 0..10.

        Returns:
            ``(N, 5, code)`` float32.
        """
        return self.embedding.encode(cut_parts(images, labels))

    def paint(self, codes: Tensor, images: Tensor, labels: Tensor) -> Tensor:
        """Faces with the look of ``codes`` and the shape of the target masks, on the targets' backgrounds.

        Args:
            codes: ``(N, 5, code)``.
            images: ``(N, 3, S, S)`` float32 targets in [-1, 1]; only their background is seen.
            labels: ``(N, S, S)`` uint8 target label maps, 0..10.

        Returns:
            ``(N, 3, S, S)`` in [-1, 1].
        """
        foreground = self.mask_guided(self.embedding.features(codes), labels, one_hot(labels))
        result: Tensor = self.fusing(foreground, images, labels)
        return result

    def forward(self, source: Tensor, source_labels: Tensor, target: Tensor, target_labels: Tensor) -> Tensor:
        """G(x_s, m_s, x_t, m_t); shapes as in :meth:`encode` and :meth:`paint`."""
        return self.paint(self.encode(source, source_labels), target, target_labels)
