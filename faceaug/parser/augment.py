"""Geometric augmentation of whole batches: mirroring that knows left from right, rotation, scale, shift."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from faceaug.labels import IGNORE, Scheme


@dataclass(frozen=True)
class Geometry:
    """How far faces are moved.

    Aligned faces differ little in place, turn and size; moved further than that, a parser learns what it never meets. What
    these ranges are worth is in benchmarks/results/parser-64px.json.
    """

    rotation: float = 5.0
    """Largest turn to either side, degrees."""
    scale: float = 1.08
    """Largest enlargement; the largest reduction is its inverse."""
    shift: float = 0.02
    """Largest shift along each axis, as a share of the side."""
    probability: float = 0.5
    """Share of the rows that are warped at all; mirroring is decided apart, with 0.5."""


def augment(
    images: Tensor, labels: Tensor, scheme: Scheme, generator: torch.Generator, geometry: Geometry | None = None
) -> tuple[Tensor, Tensor]:
    """Mirror and warp every face of a batch by itself.

    Args:
        images: ``(N, 3, S, S)`` float, any range.
        labels: ``(N, S, S)`` uint8 of the scheme, or 255.
        scheme: of the labels.
        generator: random numbers (CPU).
        geometry: the ranges.

    Returns:
        New tensors of the same shapes; where a warped label map shows the outside of its photo it is 255, and the image there
        continues its border.
    """
    images, labels = mirror(images, labels, scheme, torch.rand(len(images), generator=generator) < 0.5)
    return warp(images, labels, random_affine(len(images), generator, geometry or Geometry()), classes=len(scheme))


def mirror(images: Tensor, labels: Tensor, scheme: Scheme, which: Tensor) -> tuple[Tensor, Tensor]:
    """Mirror the rows in ``which`` ``(N,)`` bool and exchange their left and right classes; twice gives the input back."""
    table = torch.from_numpy(scheme.flip_table).to(labels.device)
    which = which.to(images.device)
    flipped = torch.where(which[:, None, None, None], images.flip(-1), images)
    exchanged = table[labels.flip(-1).long()]
    return flipped, torch.where(which[:, None, None], exchanged, labels)


def random_affine(count: int, generator: torch.Generator, geometry: Geometry) -> Tensor:
    """``(N, 2, 3)`` matrices from output to input coordinates in [-1, 1], as :func:`torch.nn.functional.affine_grid` takes."""

    def uniform(limit: float) -> Tensor:
        return (torch.rand(count, generator=generator) * 2 - 1) * limit

    angle = uniform(math.radians(geometry.rotation))
    scale = torch.exp(uniform(math.log(geometry.scale)))
    shift_x, shift_y = uniform(2 * geometry.shift), uniform(2 * geometry.shift)
    cos, sin = torch.cos(angle) / scale, torch.sin(angle) / scale
    matrices = torch.stack([torch.stack([cos, -sin, shift_x], 1), torch.stack([sin, cos, shift_y], 1)], 1)
    kept = torch.rand(count, generator=generator) >= geometry.probability
    matrices[kept] = torch.tensor([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
    return matrices


def warp(images: Tensor, labels: Tensor, matrices: Tensor, *, classes: int) -> tuple[Tensor, Tensor]:
    """Resample images (bicubic, border continued) and label maps (outside 255) by ``matrices`` ``(N, 2, 3)``.

    A warped pixel gets the class that covers most of it, not the nearest pixel's: at 64 px a lip is two pixels high, and the
    half pixel that the nearest one is off would be seen.
    """
    grid = F.affine_grid(matrices.to(images.device), list(images.shape), align_corners=False)
    moved = F.grid_sample(images, grid, mode="bicubic", padding_mode="border", align_corners=False)
    known = (labels[:, None] == torch.arange(classes, device=labels.device)[:, None, None]).float()
    cover = F.grid_sample(known, grid, mode="bilinear", padding_mode="zeros", align_corners=False)
    most, found = cover.max(1)
    unknown = 1.0 - cover.sum(1) > most
    return moved, torch.where(unknown, IGNORE, found).to(torch.uint8)
