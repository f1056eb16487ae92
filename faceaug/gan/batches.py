"""Training batches of the GAN: the order of the photos, mirroring, and who is whose source.

Everything follows from the seed and the number of images seen, so a resumed run sees what an uninterrupted one would have.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from faceaug.errors import ConfigError
from faceaug.labels import FLIP_TABLE, fill_ignored
from faceaug.prepare.faces import FaceSet

IntArray = npt.NDArray[np.int64]


@dataclass
class Batch:
    """Faces of one step.

    Attributes:
        images: ``(N, 3, S, S)`` float32 in [-1, 1], channels_last.
        labels: ``(N, S, S)`` uint8, 0..10.
        source: ``(N,)`` int64: which row of the batch is the source of each; the rows themselves on paired steps.
        seed: of what else is drawn in this step (the noise of BicycleGAN's codes).
    """

    images: Tensor
    labels: Tensor
    source: Tensor
    seed: int = 0


def derangement(rng: np.random.Generator, identity: IntArray) -> IntArray:
    """A random permutation that gives every row another person.

    Args:
        rng: random numbers.
        identity: ``(N,)``; rows of equal non-negative identity are one person, -1 is nobody else's.

    Returns:
        ``(N,)`` int64: no row maps to itself, nor to its own identity unless one person fills more than half of the batch.
    """
    count = len(identity)
    order = rng.permutation(count)
    people = identity[order]
    # Sorted by person, a shift by the largest group's size never stays within a group.
    _, group, sizes = np.unique(np.where(people < 0, -1 - np.arange(count), people), return_inverse=True, return_counts=True)
    ranked = order[np.argsort(group, kind="stable")]
    largest = int(sizes.max())
    shift = int(rng.integers(largest, count - largest + 1)) if 2 * largest <= count else max(count // 2, 1)
    result = np.empty(count, dtype=np.int64)
    result[ranked] = np.roll(ranked, shift)
    return result


class Batches:
    """Batches of a labelled set, by number.

    Args:
        faces: labelled faces; ignored pixels take their nearest class, see :func:`faceaug.labels.fill_ignored`.
        batch: rows a step.
        seed: of everything random here.
        flip: mirror half of the rows.

    Raises:
        ConfigError: fewer faces than a batch.
    """

    def __init__(self, faces: FaceSet, *, batch: int, seed: int, flip: bool) -> None:
        if faces.labels is None:
            raise ValueError("GAN training needs label maps")
        if len(faces) < batch:
            raise ConfigError(f"--batch {batch}: larger than the {len(faces)} faces of {faces.title}; make it smaller")
        self.images = faces.images
        self.labels = fill_ignored(faces.labels)
        self.identity = faces.identity
        self.batch, self.seed, self.flip = batch, seed, flip
        self._per_epoch = len(faces) // batch
        self._epoch = -1
        self._order: IntArray = np.empty(0, dtype=np.int64)

    def _rows(self, step: int) -> IntArray:
        epoch, within = divmod(step, self._per_epoch)
        if epoch != self._epoch:
            self._order = np.random.default_rng([self.seed, 1, epoch]).permutation(len(self.labels))
            self._epoch = epoch
        return self._order[within * self.batch : (within + 1) * self.batch]

    def get(self, step: int, *, paired: bool) -> Batch:
        """The batch of step number ``step``."""
        rows = self._rows(step)
        rng = np.random.default_rng([self.seed, 2, step])
        images, labels = self.images[np.sort(rows)], self.labels[np.sort(rows)]
        mirrored = rng.random(self.batch) < 0.5
        if self.flip and mirrored.any():
            images, labels = images.copy(), labels.copy()
            images[mirrored] = images[mirrored, :, ::-1]
            labels[mirrored] = FLIP_TABLE[labels[mirrored]][..., ::-1]
        identity = self.identity[np.sort(rows)]
        source = np.arange(self.batch) if paired else derangement(rng, identity)
        drawn = int(rng.integers(2**63))
        return Batch(to_float(images), torch.from_numpy(labels), torch.from_numpy(source), drawn)


def to_float(images: npt.NDArray[np.uint8]) -> Tensor:
    """``(N, S, S, 3)`` uint8 to ``(N, 3, S, S)`` float32 in [-1, 1], channels_last."""
    return torch.from_numpy(np.array(images)).permute(0, 3, 1, 2).to(torch.float32).div_(127.5).sub_(1.0)


def to_bytes(images: Tensor) -> npt.NDArray[np.uint8]:
    """The way back: ``(N, 3, S, S)`` in [-1, 1] to ``(N, S, S, 3)`` uint8, rounded."""
    scaled = images.detach().float().add(1.0).mul(127.5).round().clamp(0, 255).to(torch.uint8)
    return np.ascontiguousarray(scaled.permute(0, 2, 3, 1).cpu().numpy())
