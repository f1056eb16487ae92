"""Training on photos without labels: strong views are to get the labels of the weak one (UniMatch, Yang et al., CVPR 2023)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from faceaug.compute.device import Compute
from faceaug.labels import IGNORE
from faceaug.parser.batches import Batch
from faceaug.parser.photometric import strengthen

VIEWS = 2
"""Strong views of each photo; a view weighs half of a labelled face, so that photos weigh as much as faces do."""

CONFIDENT = 0.95
"""Probability below which a pixel's class is not believed."""


@torch.no_grad()
def teach(batch: Batch, teacher: nn.Module, compute: Compute, *, seed: int) -> tuple[Tensor, Tensor, Tensor | None]:
    """A batch whose photos without labels are strong views with the labels that a teacher gives their weak ones.

    Args:
        batch: weak views.
        teacher: the parser's weight average, in eval mode.
        compute: device and precision.
        seed: of the views.

    Returns:
        Images ``(M, 3, S, S)``, labels ``(M, S, S)`` uint8 with 255 where the teacher is unsure, and the rows' weights ``(M,)``,
        None where there are no such photos.
    """
    if not len(batch.taught):
        return batch.images, batch.labels, None
    known = batch.images.new_ones(len(batch.images))
    with compute.autocast():
        likely, classes = teacher(compute.image(batch.taught)).float().softmax(1).max(1)
    labels = torch.where(likely >= CONFIDENT, classes, IGNORE).to(torch.uint8)
    random = torch.Generator().manual_seed(seed)
    views = [strengthen(batch.taught, labels, random) for _ in range(VIEWS)]
    return (
        torch.cat([batch.images, *(images for images, _ in views)]),
        torch.cat([batch.labels, *(maps for _, maps in views)]),
        torch.cat([known, known.new_full((VIEWS * len(batch.taught),), 1 / VIEWS)]),
    )
