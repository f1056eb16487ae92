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
from faceaug.tensors import to_float

IntArray = npt.NDArray[np.int64]


NOISE = 16
"""Random numbers that come with each row: the first are drawn codes (BicycleGAN), the last move what judges see."""


@dataclass
class Batch:
    """Faces of one step, on one device.

    Attributes:
        images: ``(N, 3, S, S)`` float32 in [-1, 1], channels_last: the targets x_t.
        labels: ``(N, S, S)`` uint8, 0..10: their masks m_t.
        source_images: likewise the sources x_s; the targets themselves on paired steps.
        source_labels: likewise their masks m_s.
        noise: ``(N, 16)`` float32, standard normal.
    """

    images: Tensor
    labels: Tensor
    source_images: Tensor
    source_labels: Tensor
    noise: Tensor

    def split(self, parts: int) -> list[Batch]:
        """The same rows in ``parts`` equal groups."""
        return [Batch(*rows) for rows in zip(*(tensor.chunk(parts) for tensor in vars(self).values()), strict=True)]


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

    On unpaired steps the sources are the same photos as the targets in another order, over all devices together: each photo is
    encoded once, on the device that paints with it, and no code has to travel.

    Args:
        faces: labelled faces; ignored pixels take their nearest class, see :func:`faceaug.labels.fill_ignored`.
        batch: rows a step, over all devices.
        seed: of everything random here.
        flip: mirror half of the rows.
        rank: which device's rows are given.
        ranks: how many devices share a batch.

    Raises:
        ConfigError: fewer faces than a batch, or rows that cannot be shared evenly.
    """

    def __init__(self, faces: FaceSet, *, batch: int, seed: int, flip: bool, rank: int = 0, ranks: int = 1) -> None:
        if faces.labels is None:
            raise ValueError("GAN training needs label maps")
        if len(faces) < batch:
            raise ConfigError(f"--batch {batch}: larger than the {len(faces)} faces of {faces.title}; make it smaller")
        if batch % ranks:
            raise ConfigError(f"--batch {batch}: cannot be shared by {ranks} devices; make it a multiple of {ranks}")
        self.images = faces.images
        self.labels = fill_ignored(faces.labels)
        self.identity = faces.identity
        self.batch, self.seed, self.flip = batch, seed, flip
        self._mine = slice(rank * batch // ranks, (rank + 1) * batch // ranks)
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
        mirrored = (rng.random(self.batch) < 0.5) & self.flip
        source = np.arange(self.batch) if paired else derangement(rng, self.identity[rows])
        noise = rng.standard_normal((self.batch, NOISE), dtype=np.float32)
        images, labels = self._load(rows[self._mine], mirrored[self._mine])
        if paired:
            source_images, source_labels = images, labels
        else:
            source_images, source_labels = self._load(rows[source[self._mine]], mirrored[source[self._mine]])
        return Batch(images, labels, source_images, source_labels, torch.from_numpy(noise[self._mine]))

    def _load(self, rows: IntArray, mirrored: npt.NDArray[np.bool_]) -> tuple[Tensor, Tensor]:
        images, labels = np.array(self.images[rows]), self.labels[rows]
        if mirrored.any():
            images[mirrored] = images[mirrored, :, ::-1]
            labels[mirrored] = FLIP_TABLE[labels[mirrored]][..., ::-1]
        return to_float(images), torch.from_numpy(labels)
