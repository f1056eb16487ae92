"""The framework without some of its parts: settings 1 and 2 of Section 4.1 (Table 1, Figure 3)."""

from __future__ import annotations

import torch
from torch import Tensor

from faceaug.gan.blocks import initialise, to_rgb
from faceaug.gan.components import COMPONENTS, STRIDE, Component, anatomy, cut_parts, one_hot
from faceaug.gan.config import TEMPLATE_SIZE, GeneratorConfig
from faceaug.gan.embedding import LocalEmbedding, encoder
from faceaug.gan.generator import MaskGuided
from faceaug.gan.network import GeneratorNetwork, Look, paste_background
from faceaug.labels import BACKGROUND

FACE = Component("face", tuple(label for component in COMPONENTS for label in component.labels), TEMPLATE_SIZE, TEMPLATE_SIZE)
"""The whole foreground as one component."""


def spread(codes: Tensor, size: int) -> list[Tensor]:
    """Codes ``(N, K, C)`` at every cell of the feature map of a face of ``size``: ``(N, K C, size / 4, size / 4)``."""
    cells = size // STRIDE
    return [codes.flatten(1)[:, :, None, None].expand(-1, -1, cells, cells)]


class LocalSetting(GeneratorNetwork):
    """Setting 2: the five local embeddings are concatenated with the target mask, the background is pasted."""

    def __init__(self, config: GeneratorConfig) -> None:
        super().__init__()
        self.config = config
        self.embedding = LocalEmbedding(config)
        self.mask_guided = MaskGuided(config, source=config.code * len(COMPONENTS))
        self.to_rgb = to_rgb(config.width, 7)
        initialise(self)

    def encode(self, images: Tensor, anatomies: Tensor) -> Look:
        """``(N, 5, code)``."""
        return Look(self.embedding.encode(cut_parts(images, anatomies)))

    def embed(
        self, images: Tensor, anatomies: Tensor, guides: Tensor, noise: Tensor, *, paired: bool
    ) -> tuple[Look, dict[str, Tensor]]:
        """The codes, and Eq. 1."""
        codes, terms = self.embedding.embed(cut_parts(images, anatomies))
        return Look(codes), terms

    def generate(self, look: Look, images: Tensor, labels: Tensor) -> Tensor:
        """See :class:`GeneratorNetwork`."""
        face = self.to_rgb(self.mask_guided(one_hot(labels, len(self.config.scheme)), spread(look.codes, self.config.size)))
        return paste_background(face, images, anatomy(labels, self.config.scheme))


class GlobalSetting(GeneratorNetwork):
    """Setting 1: one global embedding of the source, as long as the five local ones together; the background is pasted."""

    def __init__(self, config: GeneratorConfig) -> None:
        super().__init__()
        self.config = config
        code = config.code * len(COMPONENTS)
        self.encoder = encoder(FACE, config, code)
        self.mask_guided = MaskGuided(config, source=code)
        self.to_rgb = to_rgb(config.width, 7)
        initialise(self)

    def encode(self, images: Tensor, anatomies: Tensor) -> Look:
        """``(N, 1, 5 code)``: of the face with its hair, without the background."""
        face = images * (anatomies != BACKGROUND)[:, None]
        code: Tensor = self.encoder(face.contiguous(memory_format=torch.channels_last)).float()
        return Look(code[:, None])

    def generate(self, look: Look, images: Tensor, labels: Tensor) -> Tensor:
        """See :class:`GeneratorNetwork`."""
        face = self.to_rgb(self.mask_guided(one_hot(labels, len(self.config.scheme)), spread(look.codes, self.config.size)))
        return paste_background(face, images, anatomy(labels, self.config.scheme))
