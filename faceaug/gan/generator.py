"""The framework G(x_s, m_s, x_t, m_t) (Section 3.1, Figure 2)."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from faceaug.gan.blocks import Residual, conv, initialise, one_if, to_rgb, up
from faceaug.gan.components import COMPONENTS, STRIDE, Part, anatomy, centres, cut_parts, enlarge, one_hot, place, region
from faceaug.gan.config import GeneratorConfig
from faceaug.gan.correspondence import Texture, component_index, disguise, transfer_texture
from faceaug.gan.embedding import LocalEmbedding, feature_decoder
from faceaug.gan.network import GeneratorNetwork, Look
from faceaug.labels import BACKGROUND


class MaskEncoder(nn.Module):
    """E_m: the target mask to features at full, half and a quarter of its resolution.

    Args:
        inputs: channels of the mask and what else there is beside it.
        width: channels at full resolution; doubled with each halving.
    """

    def __init__(self, inputs: int, width: int) -> None:
        super().__init__()
        self.at_full = conv(inputs, width, 7)
        self.at_half = conv(width, 2 * width, 3, 2)
        self.at_quarter = conv(2 * width, 4 * width, 3, 2)

    def forward(self, condition: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """``(N, inputs, S, S)`` to ``(N, 4 w, S/4, S/4)``, ``(N, 2 w, S/2, S/2)`` and ``(N, w, S, S)``."""
        full = self.at_full(condition)
        half = self.at_half(full)
        return self.at_quarter(half), half, full


class Upsampling(nn.Module):
    """The end of G_m: back to full resolution, joined with E_m's features on the way, so that edges are where the mask's are."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.to_half, self.to_full = up(4 * width, 2 * width), up(2 * width, width)
        self.join_half, self.join_full = conv(4 * width, 2 * width, 3), conv(2 * width, width, 3)

    def forward(self, features: Tensor, half: Tensor, full: Tensor) -> Tensor:
        """``(N, 4 w, S/4, S/4)`` and E_m's features to ``(N, w, S, S)``."""
        features = self.join_half(_beside(self.to_half(features), half))
        joined: Tensor = self.join_full(_beside(self.to_full(features), full))
        return joined


def _beside(*maps: Tensor) -> Tensor:
    return torch.cat(maps, 1).contiguous(memory_format=torch.channels_last)


class MaskGuided(nn.Module):
    """E_m and G_m: the target mask and what is known of the source to the foreground face.

    The foreground stays a feature map of ``width`` channels, as in the official code: G_b gets more from it than from an image.

    Args:
        config: sizes and widths.
        source: channels of the source's features.
        beside: channels at full resolution beside the one-hot mask.
    """

    def __init__(self, config: GeneratorConfig, *, source: int, beside: int = 0) -> None:
        super().__init__()
        features = 4 * config.width
        self.mask_encoder = MaskEncoder(len(config.scheme) + beside, config.width)
        self.fuse = nn.Conv2d(features + source, features, 1)
        self.blocks = nn.Sequential(*[Residual(features) for _ in range(config.blocks)])
        self.up = Upsampling(config.width)

    def forward(self, condition: Tensor, source: list[Tensor]) -> Tensor:
        """The foreground ``(N, width, S, S)``.

        Args:
            condition: ``(N, K + beside, S, S)``, the one-hot target mask and what else there is at full resolution.
            source: feature maps ``(N, *, S / 4, S / 4)`` with ``source`` channels in all.
        """
        quarter, half, full = self.mask_encoder(condition)
        foreground: Tensor = self.up(self.blocks(self.fuse(_beside(quarter, *source))), half, full)
        return foreground


TEXTURE_CHANNELS = 4
"""Beside the mask: the source's pixels in RGB, and where they are known."""


def place_components(features: list[Tensor], anatomies: Tensor) -> list[Tensor]:
    """Each component's features at its centre in the target, zero where the target has no such component.

    Args:
        features: from :meth:`Framework.component_features`.
        anatomies: ``(N, S, S)`` uint8, the targets'.

    Returns:
        Five of ``(N, 4 width, S / 4, S / 4)``.
    """
    placed = []
    for component, feature in zip(COMPONENTS, features, strict=True):
        where = region(anatomies, component)
        if component.whole:
            placed.append(feature * one_if(where.flatten(1).any(1), feature))
            continue
        row, column, present = centres(where)
        placed.append(place(feature * one_if(present, feature), row, column, anatomies.shape[-1]))
    return placed


EDGE = 2
"""Pixels of a face of 64 by which texture and background are continued."""


def continued(image: Tensor, known: Tensor, reach: int) -> tuple[Tensor, Tensor]:
    """Known pixels continued beyond their edges, each new one the mean of its known neighbours.

    Args:
        image: ``(N, C, S, S)``, zero where unknown.
        known: ``(N, 1, S, S)`` of 0 and 1.
        reach: pixels.

    Returns:
        The image, and where it is known now.
    """
    for _ in range(reach):
        share = F.avg_pool2d(known, 3, stride=1, padding=1)
        near = F.avg_pool2d(image * known, 3, stride=1, padding=1) / share.clamp(min=1e-3)
        image = torch.where(known > 0, image, near)
        known = (share > 0).to(known.dtype)
    return image, known


def look_texture(look: Look, parts: Tensor, dtype: torch.dtype) -> Texture:
    """The pixels of a look's photos in the shape of targets: of a mixture, each component's from the person it is of.

    Args:
        look: of N faces; without photos nothing is known.
        parts: ``(N, S, S)`` uint8, the targets' anatomies.
        dtype: of the result.
    """
    if look.image is None or look.anatomy is None:
        # Not len(parts), which would fix the batch of an exported graph.
        nothing = torch.zeros(parts.shape[0], 4, *parts.shape[1:], device=parts.device, dtype=dtype)
        return Texture(nothing[:, :3], nothing[:, 3:])
    if look.owner is None:
        return transfer_texture(parts, look.image.to(dtype), look.anatomy, look.known)
    people = look.image.shape[1]
    image, anatomy_of = look.image.to(dtype).flatten(0, 1), look.anatomy.flatten(0, 1)
    known = None if look.known is None else look.known.flatten(0, 1)
    each = transfer_texture(parts.repeat_interleave(people, 0), image, anatomy_of, known)
    # Pixels of no component (0) are known of nobody: whose they are taken from is the same.
    owner = torch.cat([torch.zeros_like(look.owner[:, :1]), look.owner], 1)
    whose = owner.gather(1, component_index(parts).flatten(1)).reshape(len(parts), 1, 1, *parts.shape[1:])

    def chosen(planes: Tensor) -> Tensor:
        planes = planes.reshape(len(parts), people, *planes.shape[1:])
        return planes.gather(1, whose.expand(-1, 1, planes.shape[2], -1, -1))[:, 0]

    return Texture(chosen(each.image), chosen(each.known))


class BackgroundFusing(nn.Module):
    """E_b and G_b: the foreground, the source's texture and the target's background to the result.

    What G_b generates is blended with the pixels of texture and background where there are any, by weights that it chooses for
    each pixel: so sharp pixels stay sharp, and seams are generated over. Both are continued a little beyond their edges, because
    a photo's pixels on the edge of the hair are mixtures of hair and background, and a mask's edge is a staircase.
    """

    def __init__(self, config: GeneratorConfig) -> None:
        super().__init__()
        # The fourth channel tells grey background from no background.
        self.encoder = conv(4, config.width, 7)
        self.generator = conv(2 * config.width, config.width, 3)
        self.to_rgb = to_rgb(config.width, 7)
        self.blend = nn.Conv2d(config.width, 3, 3, padding=1, padding_mode="reflect")

    def forward(self, foreground: Tensor, texture: Texture, target: Tensor, anatomies: Tensor) -> Tensor:
        """Returns ``(N, 3, S, S)`` in [-1, 1]."""
        background = (anatomies == BACKGROUND)[:, None].to(target.dtype)
        # Masked before E_b, so that nothing of the target's own face leaks in over the border.
        known = _beside(target * background, background)
        fused = _beside(foreground, self.encoder(known))
        features = self.generator(fused)
        reach = max(EDGE * anatomies.shape[-1] // 64, 1)
        around, around_known = continued(known[:, :3], background, reach)
        moved, moved_known = continued(texture.image, texture.known, reach)
        there = torch.cat([torch.ones_like(background), moved_known, around_known], 1)
        share = self.blend(features).float().masked_fill(there == 0, -torch.inf).softmax(1)
        pictures = (self.to_rgb(features), moved, around)
        return torch.stack([share[:, i : i + 1] * picture for i, picture in enumerate(pictures)]).sum(0)


class Framework(GeneratorNetwork):
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
        beside = TEXTURE_CHANNELS if config.texture else 0
        self.mask_guided = MaskGuided(config, source=4 * config.width * len(COMPONENTS), beside=beside)
        self.fusing = BackgroundFusing(config)
        initialise(self)

    def encode(self, images: Tensor, anatomies: Tensor) -> Look:
        """The look of source faces: a latent code for each component, ``(N, 5, code)``, and the photos themselves."""
        codes = self.embedding.encode(self._cut(images, anatomies))
        return Look(codes, images, anatomies) if self.config.texture else Look(codes)

    def embed(
        self, images: Tensor, anatomies: Tensor, guides: Tensor, noise: Tensor, *, paired: bool
    ) -> tuple[Look, dict[str, Tensor]]:
        """The look, and Eq. 1; on paired steps with the texture of :func:`~faceaug.gan.correspondence.disguise`."""
        codes, terms = self.embedding.embed(self._cut(images, anatomies))
        if not self.config.texture:
            return Look(codes), terms
        if not paired:
            return Look(codes, images, anatomies), terms
        return Look(codes, *disguise(images, anatomies, guides, noise)), terms

    def _cut(self, images: Tensor, anatomies: Tensor) -> list[Part]:
        return cut_parts(images, enlarge(anatomies, anatomies, self.config.enlarge), bare_eyes=self.config.bare_eyes)

    def component_features(self, codes: Tensor) -> list[Tensor]:
        """The component feature maps: ``(N, 4 width, h / 4, w / 4)``, not placed yet."""
        return [decoder(codes[:, index]) for index, decoder in enumerate(self.feature_decoders)]

    def generate(self, look: Look, images: Tensor, labels: Tensor) -> Tensor:
        """Faces with a look in the shape of the target masks, on the targets' backgrounds.

        Args:
            look: from :meth:`encode`.
            images: ``(N, 3, S, S)`` float32 targets in [-1, 1]; only their background is seen.
            labels: ``(N, S, S)`` uint8 target label maps of ``config.scheme``.

        Returns:
            ``(N, 3, S, S)`` in [-1, 1].
        """
        labels = enlarge(labels, anatomy(labels, self.config.scheme), self.config.enlarge)
        parts = anatomy(labels, self.config.scheme)
        placed = place_components(self.component_features(look.codes), parts)
        condition = one_hot(labels, len(self.config.scheme)).to(images.dtype)
        texture = look_texture(look, parts, images.dtype)
        if self.config.texture:
            condition = _beside(condition, texture.image, texture.known)
        foreground = self.mask_guided(condition, placed)
        result: Tensor = self.fusing(foreground, texture, images, parts)
        return result
