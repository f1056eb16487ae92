"""Strong augmentation of whole batches: colours, grey, blur, noise, patches, and rectangles of other faces (CutMix)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torchvision.transforms import v2

from faceaug.labels import IGNORE

USUAL_SIZE = 300
"""Pixels of the photos for which the usual strengths of blur were chosen; smaller photos are blurred by as much of their side."""


def photometric(size: int) -> list[Any]:
    """Changes of colour and sharpness as torchvision has them, at the strengths that are usual in segmentation.

    Args:
        size: side of the images, pixels; the blur is as wide as a share of it.
    """
    sigma = max(2.0 * size / USUAL_SIZE, 0.2)
    return [
        v2.RandomApply([v2.ColorJitter(0.5, 0.5, 0.5, 0.25)], p=0.8),
        v2.RandomGrayscale(0.2),
        v2.RandomApply([v2.GaussianBlur(2 * math.ceil(2 * sigma) + 1, (0.1, sigma))], p=0.5),
        v2.RandomApply([v2.GaussianNoise(sigma=0.02)], p=0.5),
    ]


@dataclass(frozen=True)
class Rectangles:
    """Rectangles that replace a part of a face.

    Attributes:
        probability: share of the faces that have one.
        smallest: area, as a share of the face's.
        largest: likewise.
        ratio: largest ratio of the sides.
    """

    probability: float = 0.5
    smallest: float = 0.02
    largest: float = 0.4
    ratio: float = 1 / 0.3

    def draw(self, count: int, size: int, random: torch.Generator) -> Tensor:
        """``(N, S, S)`` bool, True inside."""
        area = self.smallest + (self.largest - self.smallest) * torch.rand(count, generator=random)
        ratio = torch.exp((torch.rand(count, generator=random) * 2 - 1) * math.log(self.ratio))
        height, width = ((area * r).sqrt().clamp(max=1.0) for r in (ratio, 1 / ratio))
        top, left = (torch.rand(count, generator=random) * (1 - side) for side in (height, width))
        line = (torch.arange(size) + 0.5) / size
        rows, columns = (
            (line >= start[:, None]) & (line < (start + side)[:, None]) for start, side in ((top, height), (left, width))
        )
        drawn = torch.rand(count, generator=random) < self.probability
        return rows[:, :, None] & columns[:, None, :] & drawn[:, None, None]


CUTMIX, PATCHES = Rectangles(), Rectangles(probability=0.25, largest=0.2)
"""Rectangles of another face, and of the face's mean colour, whose labels are unknown."""


def strengthen(images: Tensor, labels: Tensor, random: torch.Generator) -> tuple[Tensor, Tensor]:
    """Strong views of faces that were moved already.

    Args:
        images: ``(N, 3, S, S)`` float32 in [-1, 1].
        labels: ``(N, S, S)`` uint8 of a scheme, or 255.
        random: random numbers (CPU).

    Returns:
        New tensors of the same shapes. A rectangle of the face before it in the batch comes with its labels.
    """
    count, size = len(images), images.shape[-1]
    if not count:
        return images, labels
    transform = v2.Compose(photometric(size))
    # torchvision draws from torch's global numbers; they go on afterwards as if nothing had been drawn.
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(int(torch.randint(2**62, (), generator=random)))
        # Moved pixels overshoot, and of values below 0 torchvision's hue may be no number.
        within = ((images.cpu() + 1) / 2).clamp(0, 1)
        seen = torch.stack([transform(image) for image in within]).clamp(0, 1).to(images.device) * 2 - 1
    patch, mixed = (kind.draw(count, size, random).to(images.device) for kind in (PATCHES, CUTMIX))
    seen = torch.where(patch[:, None], seen.mean((2, 3), keepdim=True), seen)
    labels = torch.where(patch, IGNORE, labels)
    return torch.where(mixed[:, None], seen.roll(1, 0), seen), torch.where(mixed, labels.roll(1, 0), labels)
