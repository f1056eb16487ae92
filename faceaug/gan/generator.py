"""The framework G(x_s, m_s, x_t, m_t) (Section 3.1, Figure 2)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from faceaug.gan.blocks import Residual, conv, initialise, one_if, to_rgb, up
from faceaug.gan.components import COMPONENTS, STRIDE, Part, centres, cut_parts, enlarge, one_hot, place, region
from faceaug.gan.config import GeneratorConfig, TrainingConfig
from faceaug.gan.embedding import LocalEmbedding, feature_decoder
from faceaug.gan.painter import Painter
from faceaug.labels import BACKGROUND, NUM_CLASSES


class MaskGuided(nn.Module):
    """E_m and G_m: the target mask and what is known of the source to the foreground face.

    The foreground stays a feature map of ``width`` channels, as in the official code: G_b reads more from it than from an image.

    Args:
        config: sizes and widths.
        source: channels of the source's features.
        condition: channels of the mask.
    """

    def __init__(self, config: GeneratorConfig, *, source: int, condition: int = NUM_CLASSES) -> None:
        super().__init__()
        width, features = config.width, 4 * config.width
        self.mask_encoder = nn.Sequential(
            conv(condition, width, 7), conv(width, 2 * width, 3, 2), conv(2 * width, features, 3, 2)
        )
        self.fuse = nn.Conv2d(features + source, features, 1)
        self.blocks = nn.Sequential(*[Residual(features) for _ in range(config.blocks)])
        self.up = nn.Sequential(up(features, 2 * width), up(2 * width, width))

    def forward(self, condition: Tensor, source: list[Tensor]) -> Tensor:
        """The foreground ``(N, width, S, S)``.

        Args:
            condition: ``(N, condition, S, S)``, the one-hot target mask and what else there is at full resolution.
            source: feature maps ``(N, *, S / 4, S / 4)`` with ``source`` channels in all.
        """
        stacked = torch.cat([self.mask_encoder(condition), *source], 1)
        fused = self.fuse(stacked.contiguous(memory_format=torch.channels_last))
        foreground: Tensor = self.up(self.blocks(fused))
        return foreground


def place_components(features: list[Tensor], labels: Tensor) -> list[Tensor]:
    """Each component's features at its centre in the target, zero where the target has no such component.

    Args:
        features: from :meth:`Framework.component_features`.
        labels: ``(N, S, S)`` uint8 target label maps.

    Returns:
        Five of ``(N, 4 width, S / 4, S / 4)``.
    """
    placed = []
    for component, feature in zip(COMPONENTS, features, strict=True):
        row, column, present = centres(region(labels, component))
        feature = feature * one_if(present, feature)
        placed.append(feature if component.whole else place(feature, row, column, labels.shape[-1]))
    return placed


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


class Framework(Painter):
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
        self.feature_decoders = nn.ModuleList(feature_decoder(component, config) for component in COMPONENTS)
        self.mask_guided = MaskGuided(config, source=4 * config.width * len(COMPONENTS))
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
        return self.embedding.encode(self._cut(images, labels))

    def embed(self, images: Tensor, labels: Tensor, noise: Tensor, *, paired: bool) -> tuple[Tensor, dict[str, Tensor]]:
        """The codes, and Eq. 1."""
        return self.embedding.embed(self._cut(images, labels))

    def _cut(self, images: Tensor, labels: Tensor) -> list[Part]:
        return cut_parts(images, enlarge(labels, self.config.enlarge), bare_eyes=self.config.bare_eyes)

    def component_features(self, codes: Tensor) -> list[Tensor]:
        """The component feature maps: ``(N, 4 width, h / 4, w / 4)``, not placed yet."""
        return [decoder(codes[:, index]) for index, decoder in enumerate(self.feature_decoders)]

    def paint(self, codes: Tensor, images: Tensor, labels: Tensor) -> Tensor:
        """Faces with the look of ``codes`` and the shape of the target masks, on the targets' backgrounds.

        Args:
            codes: ``(N, 5, code)``.
            images: ``(N, 3, S, S)`` float32 targets in [-1, 1]; only their background is seen.
            labels: ``(N, S, S)`` uint8 target label maps, 0..10.

        Returns:
            ``(N, 3, S, S)`` in [-1, 1].
        """
        labels = enlarge(labels, self.config.enlarge)
        placed = place_components(self.component_features(codes), labels)
        result: Tensor = self.fusing(self.mask_guided(one_hot(labels).to(images.dtype), placed), images, labels)
        return result

    def weights(self, training: TrainingConfig, *, paired: bool) -> dict[str, float]:
        """Eq. 9; global reconstruction and feature matching are off on unpaired data (Section 3.3)."""
        return {"local": training.lambda_local, **adversarial_weights(training, paired=paired)}


def adversarial_weights(training: TrainingConfig, *, paired: bool) -> dict[str, float]:
    """Eq. 9 without Eq. 1."""
    weights = {"adversarial": training.lambda_gd, "parsing": training.lambda_gp}
    if paired:
        weights |= {
            "global": training.lambda_global,
            "feature_matching": training.lambda_gd * training.lambda_fm,
            "perceptual": training.lambda_perceptual,
        }
    else:
        weights["colour"] = training.lambda_colour
    return weights
