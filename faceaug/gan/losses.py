"""Every term of Section 3.2, and the terms of the systems it is compared with, each a pure function.

The paper's squared norms are read per position: summed over colour channels, averaged over pixels and the batch, so that a
weight means the same at every face size. In feature matching the norm is averaged over channels too.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from faceaug.gan.components import COMPONENTS, Part, region
from faceaug.gan.discriminator import Judgement
from faceaug.labels import IGNORE


def _half_squared_norm(difference: Tensor) -> Tensor:
    return 0.5 * difference.float().square().sum(1).mean()


def local_reconstruction(parts: list[Part], generated: list[Tensor]) -> Tensor:
    """Eq. 1, summed over the five components; absent ones cost nothing."""
    terms = []
    for part, image in zip(parts, generated, strict=True):
        present = part.present.to(image.dtype)[:, None, None, None]
        terms.append(_half_squared_norm((image * part.mask - part.image) * present))
    return torch.stack(terms).sum()


def global_reconstruction(result: Tensor, source: Tensor) -> Tensor:
    """Eq. 2, for paired data."""
    return _half_squared_norm(result - source)


def discriminator_loss(real: list[Judgement], fake: list[Judgement]) -> Tensor:
    """Eq. 3, averaged over the scales: 2 log 2 at chance, whatever their number."""
    terms = [F.softplus(-r.logits.float()).mean() + F.softplus(f.logits.float()).mean() for r, f in zip(real, fake, strict=True)]
    return torch.stack(terms).mean()


def adversarial(fake: list[Judgement]) -> Tensor:
    """Eq. 4 (L_sigmoid), averaged over the scales: log 2 at chance."""
    return torch.stack([F.softplus(-f.logits.float()).mean() for f in fake]).mean()


def feature_matching(real: list[Judgement], fake: list[Judgement]) -> Tensor:
    """Eq. 5 on the last features of each scale, averaged over the scales; the real ones are constants."""
    terms = [0.5 * F.mse_loss(f.features.float(), r.features.detach().float()) for r, f in zip(real, fake, strict=True)]
    return torch.stack(terms).mean()


def parsing(logits: Tensor, labels: Tensor, balance: float = 0.0) -> Tensor:
    """Eq. 8: the frozen parser's cross-entropy against the target mask, averaged over the pixels of each face, then over faces.

    So a batch's loss is the mean of its parts', however many pixels are left out in each.

    Args:
        logits: ``(N, K, S, S)`` of P_F on the generated face.
        labels: ``(N, S, S)`` uint8 target mask; 255 is left out.
        balance: 0 weighs all pixels the same (the paper); else a pixel weighs its class's frequency in that face to the power
            of ``-balance``. An eye has 0.2 % of the pixels.
    """
    wanted = labels.flatten(1).long()
    loss = F.cross_entropy(logits.float().flatten(2), wanted, ignore_index=IGNORE, reduction="none")
    counts = torch.zeros(len(labels), IGNORE + 1, device=labels.device).scatter_add_(1, wanted, torch.ones_like(loss))
    weights = torch.where(wanted == IGNORE, 0.0, counts.gather(1, wanted) ** -balance)
    return ((weights * loss).sum(1) / weights.sum(1).clamp(min=1e-12)).mean()


def perceptual(result: list[Tensor], source: list[Tensor]) -> Tensor:
    """Distance of features, each pixel's scaled to length 1 (Zhang et al., CVPR 2018, without their learned weights).

    Stands where the official code has VGG features; ``result`` and ``source`` are maps ``(N, C, h, w)`` of several depths.
    """
    terms = []
    for a, b in zip(result, source, strict=True):
        difference = F.normalize(a.float(), dim=1) - F.normalize(b.detach().float(), dim=1)
        terms.append(difference.square().sum(1).mean())
    return torch.stack(terms).sum()


def component_colours(result: Tensor, anatomies: Tensor, source: Tensor, source_anatomies: Tensor) -> Tensor:
    """Squared distance of each component's mean colour and of its standard deviation to the source's, for unpaired data.

    Averaged over the five components; those that either face lacks cost nothing.

    Args:
        result: ``(N, 3, S, S)`` generated faces in [-1, 1].
        anatomies: ``(N, S, S)`` uint8, the targets'; 255 belongs to no component.
        source: ``(N, 3, S, S)`` sources in [-1, 1], constants.
        source_anatomies: ``(N, S, S)`` uint8, theirs.
    """
    mean, deviation, present = _colours(result, anatomies)
    wanted_mean, wanted_deviation, there = _colours(source.detach(), source_anatomies)
    distance = (mean - wanted_mean).square().sum(2) + (deviation - wanted_deviation).square().sum(2)
    return (distance * (present & there)).mean()


def _colours(images: Tensor, anatomies: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Mean and standard deviation ``(N, 5, 3)`` of each component's pixels, and ``(N, 5)`` bool: there are any."""
    inside = torch.stack([region(anatomies, component) for component in COMPONENTS], 1).flatten(2)[:, :, None].float()
    pixels = images.float().flatten(2)[:, None]
    area = inside.sum(3)
    weights = inside / area.clamp(min=1.0)[..., None]
    # Sums of products, not matrix products: those would be rounded to 8 or 10 bits in mixed precision.
    mean = (weights * pixels).sum(3)
    variance = (weights * (pixels - mean[..., None]).square()).sum(3)
    return mean, (variance + _FLAT).sqrt(), area[..., 0] > 0


_FLAT = 1e-4
"""A variance that nobody sees; keeps the slope of the deviation finite where all pixels are the same."""


def l1_reconstruction(result: Tensor, source: Tensor) -> Tensor:
    """BicycleGAN's reconstruction term."""
    return (result.float() - source.float()).abs().mean()


def kl_divergence(mean: Tensor, log_variance: Tensor) -> Tensor:
    """BicycleGAN's divergence of ``(N, C)`` Gaussians from the standard normal one, summed over C, averaged over N."""
    return 0.5 * (mean.square() + log_variance.exp() - 1.0 - log_variance).sum(1).mean()


def latent_regression(read: Tensor, code: Tensor) -> Tensor:
    """BicycleGAN's distance between the code that generated a picture and the one read from it, both ``(N, C)``."""
    return (read.float() - code.float()).abs().mean()
