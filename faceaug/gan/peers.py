"""The two systems of Figure 4, compactly, from their papers: on this framework's mask-guided backbone and discriminators.

Both generate the whole picture; as in settings 1 and 2 the target's background is pasted over it, since neither is shown one.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from faceaug.gan.ablations import FACE
from faceaug.gan.blocks import conv, initialise, to_rgb, up
from faceaug.gan.components import anatomy, one_hot
from faceaug.gan.config import GeneratorConfig
from faceaug.gan.embedding import encoder
from faceaug.gan.generator import MaskGuided
from faceaug.gan.losses import kl_divergence, latent_regression
from faceaug.gan.network import GeneratorNetwork, Look, paste_background
from faceaug.labels import BACKGROUND

INSTANCE_FEATURES = 3
"""Numbers that pix2pixHD keeps of each instance."""

CODE = 8
"""Length of BicycleGAN's code."""


class Pix2PixHD(GeneratorNetwork):
    """pix2pixHD (Wang et al., CVPR 2018): instance-wise average-pooled features beside the one-hot mask.

    An encoder as wide as the photo gives three numbers a pixel; their mean over each class of the source is generated into that
    class's region of the target mask. Trained on reconstructions with adversarial and feature matching loss.
    """

    paired_only = True

    def __init__(self, config: GeneratorConfig) -> None:
        super().__init__()
        self.config = config
        width = config.width
        self.encoder = nn.Sequential(
            conv(3, width // 2, 7),
            conv(width // 2, width, 3, 2),
            conv(width, 2 * width, 3, 2),
            up(2 * width, width),
            up(width, width // 2),
            to_rgb(width // 2, 7),
        )
        self.mask_guided = MaskGuided(config, source=0, beside=INSTANCE_FEATURES)
        self.to_rgb = to_rgb(width, 7)
        initialise(self)

    def encode(self, images: Tensor, anatomies: Tensor) -> Look:
        """``(N, 11, 3)``: means over the parts of the anatomy, 0 for those that are absent."""
        features = self.encoder(images).float()
        regions = one_hot(anatomies)
        sums = torch.einsum("nkhw,nchw->nkc", regions, features)
        return Look(sums / regions.sum((2, 3)).clamp(min=1.0)[:, :, None])

    def generate(self, look: Look, images: Tensor, labels: Tensor) -> Tensor:
        """See :class:`GeneratorNetwork`."""
        parts = anatomy(labels, self.config.scheme)
        features = torch.einsum("nkhw,nkc->nchw", one_hot(parts), look.codes.float())
        classes = one_hot(labels, len(self.config.scheme))
        condition = torch.cat([classes, features], 1).contiguous(memory_format=torch.channels_last)
        return paste_background(self.to_rgb(self.mask_guided(condition, [])), images, parts)


class BicycleGan(GeneratorNetwork):
    """BicycleGAN (Zhu et al., NeurIPS 2017): a noise code with its encoder.

    Paired steps are its cVAE-GAN (photo to code to photo), unpaired steps its cLR-GAN (noise to photo to code). In use the code
    is drawn, not encoded.
    """

    sampled = True

    def __init__(self, config: GeneratorConfig) -> None:
        super().__init__()
        self.config = config
        self.encoder = encoder(FACE, config, 2 * CODE)
        self.mask_guided = MaskGuided(config, source=0, beside=CODE)
        self.to_rgb = to_rgb(config.width, 7)
        initialise(self)

    def _encode(self, images: Tensor, anatomies: Tensor) -> tuple[Tensor, Tensor]:
        face = images * (anatomies != BACKGROUND)[:, None]
        mean, log_variance = self.encoder(face.contiguous(memory_format=torch.channels_last)).float().chunk(2, dim=1)
        return mean, log_variance

    def encode(self, images: Tensor, anatomies: Tensor) -> Look:
        """``(N, 1, 8)``: the mean of the code's distribution."""
        return Look(self._encode(images, anatomies)[0][:, None])

    def embed(
        self, images: Tensor, anatomies: Tensor, guides: Tensor, noise: Tensor, *, paired: bool
    ) -> tuple[Look, dict[str, Tensor]]:
        """Paired: a draw from the code's distribution, and its divergence from the standard normal one. Unpaired: noise."""
        if not paired:
            return Look(noise[:, None, :CODE]), {}
        mean, log_variance = self._encode(images, anatomies)
        code = mean + noise[:, :CODE] * torch.exp(0.5 * log_variance)
        return Look(code[:, None]), {"kl": kl_divergence(mean, log_variance)}

    def generate(self, look: Look, images: Tensor, labels: Tensor) -> Tensor:
        """See :class:`GeneratorNetwork`."""
        regions = one_hot(labels, len(self.config.scheme))
        noise = look.codes.flatten(1).float()[:, :, None, None].expand(-1, -1, *regions.shape[2:])
        condition = torch.cat([regions, noise], 1).contiguous(memory_format=torch.channels_last)
        return paste_background(self.to_rgb(self.mask_guided(condition, [])), images, anatomy(labels, self.config.scheme))

    def read_back(self, picture: Tensor, labels: Tensor, codes: Tensor, *, paired: bool) -> dict[str, Tensor]:
        """On unpaired steps the code is to be read from the picture it generated."""
        if paired:
            return {}
        mean, _ = self._encode(picture, anatomy(labels, self.config.scheme))
        return {"latent": latent_regression(mean, codes[:, 0].detach())}
