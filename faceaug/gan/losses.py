"""Every term of Section 3.2, and the terms of the systems it is compared with, each a pure function.

The paper's squared norms are read per position: summed over colour channels, averaged over pixels and the batch, so that a
weight means the same at every face size. In feature matching the norm is averaged over channels too.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from faceaug.gan.components import Part
from faceaug.gan.discriminator import Judgement
from faceaug.labels import IGNORE


def _half_squared_norm(difference: Tensor) -> Tensor:
    return 0.5 * difference.float().square().sum(1).mean()


def local_reconstruction(parts: list[Part], painted: list[Tensor]) -> Tensor:
    """Eq. 1, summed over the five components; absent ones cost nothing."""
    terms = []
    for part, image in zip(parts, painted, strict=True):
        present = part.present.to(image.dtype)[:, None, None, None]
        terms.append(_half_squared_norm((image * part.mask - part.image) * present))
    return torch.stack(terms).sum()


def global_reconstruction(result: Tensor, source: Tensor) -> Tensor:
    """Eq. 2, for paired data."""
    return _half_squared_norm(result - source)


def discriminator_loss(real: list[Judgement], fake: list[Judgement], kind: str = "log") -> Tensor:
    """Eq. 3 (``log``) or the hinge loss, summed over the scales."""
    if kind == "hinge":
        terms = [
            F.relu(1.0 - r.logits.float()).mean() + F.relu(1.0 + f.logits.float()).mean()
            for r, f in zip(real, fake, strict=True)
        ]
    else:
        terms = [
            F.softplus(-r.logits.float()).mean() + F.softplus(f.logits.float()).mean() for r, f in zip(real, fake, strict=True)
        ]
    return torch.stack(terms).sum()


def adversarial(fake: list[Judgement], kind: str = "log") -> Tensor:
    """Eq. 4 (L_sigmoid; ``log``) or the hinge loss's other side, summed over the scales."""
    if kind == "hinge":
        return torch.stack([-f.logits.float().mean() for f in fake]).sum()
    return torch.stack([F.softplus(-f.logits.float()).mean() for f in fake]).sum()


def gradient_penalty(real: list[Judgement], images: Tensor) -> Tensor:
    """R1 (Mescheder et al., ICML 2018): half the squared gradient of the logits at real photos, averaged over the batch.

    Args:
        real: judgements of ``images``.
        images: ``(N, 3, S, S)``, requiring a gradient.
    """
    total = torch.stack([r.logits.float().mean((1, 2, 3)).sum() for r in real]).sum()
    (gradient,) = torch.autograd.grad(total, images, create_graph=True)
    return 0.5 * gradient.float().square().sum((1, 2, 3)).mean()


def feature_matching(real: list[Judgement], fake: list[Judgement]) -> Tensor:
    """Eq. 5 on the last features of each scale; the real ones are constants."""
    terms = [0.5 * F.mse_loss(f.features.float(), r.features.detach().float()) for r, f in zip(real, fake, strict=True)]
    return torch.stack(terms).sum()


def parsing(logits: Tensor, labels: Tensor) -> Tensor:
    """Eq. 8: the frozen parser's cross-entropy against the target mask, averaged over pixels.

    Args:
        logits: ``(N, 11, S, S)`` of P_F on the painted face.
        labels: ``(N, S, S)`` uint8 target mask; 255 is left out.
    """
    return F.cross_entropy(logits.float(), labels.long(), ignore_index=IGNORE)


def perceptual(result: list[Tensor], source: list[Tensor]) -> Tensor:
    """Distance of features, each pixel's scaled to length 1 (Zhang et al., CVPR 2018, without their learned weights).

    Stands where the official code has VGG features; ``result`` and ``source`` are maps ``(N, C, h, w)`` of several depths.
    """
    terms = []
    for a, b in zip(result, source, strict=True):
        difference = F.normalize(a.float(), dim=1) - F.normalize(b.detach().float(), dim=1)
        terms.append(difference.square().sum(1).mean())
    return torch.stack(terms).sum()


def l1_reconstruction(result: Tensor, source: Tensor) -> Tensor:
    """BicycleGAN's reconstruction term."""
    return (result.float() - source.float()).abs().mean()


def kl_divergence(mean: Tensor, log_variance: Tensor) -> Tensor:
    """BicycleGAN's divergence of ``(N, C)`` Gaussians from the standard normal one, summed over C, averaged over N."""
    return 0.5 * (mean.square() + log_variance.exp() - 1.0 - log_variance).sum(1).mean()


def latent_regression(read: Tensor, code: Tensor) -> Tensor:
    """BicycleGAN's distance between the code that painted a picture and the one read from it, both ``(N, C)``."""
    return (read.float() - code.float()).abs().mean()
