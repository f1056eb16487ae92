"""Training batches of the GAN: the order of the photos, mirroring, and who is whose source.

Everything follows from the seed and the number of images seen, so a resumed run sees what an uninterrupted one would have.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from faceaug.arrays import IntArray
from faceaug.errors import ConfigError
from faceaug.gan.shift import NUMBERS
from faceaug.labels import Scheme, fill_ignored
from faceaug.prepare.faces import LabelledFaces
from faceaug.prepare.likeness import Likeness
from faceaug.tensors import to_float
from faceaug.training.order import Shuffled

NOISE = 64
"""Random numbers that come with each row: the first 8 are drawn codes (BicycleGAN), the next ones disguise faces
(:func:`faceaug.gan.correspondence.disguise`)."""


_ATTEMPTS = 4


@dataclass
class Batch:
    """Faces of one step, on one device.

    Attributes:
        images: ``(N, 3, S, S)`` float32 in [-1, 1], channels_last: the targets x_t.
        labels: ``(N, S, S)`` uint8 of the set's scheme, without 255: their masks m_t.
        source_images: likewise the sources x_s; the targets themselves on paired steps.
        source_labels: likewise their masks m_s.
        guides: ``(N, S, S)`` uint8: label maps of other people; the sources' on unpaired steps.
        noise: ``(N, 64)`` float32, standard normal.
        shifts: ``(N, 2)`` float32 in 0..1, which move what judges see (:mod:`faceaug.gan.shift`).
    """

    images: Tensor
    labels: Tensor
    source_images: Tensor
    source_labels: Tensor
    guides: Tensor
    noise: Tensor
    shifts: Tensor

    def split(self, parts: int) -> list[Batch]:
        """The same rows in ``parts`` equal groups."""
        return [Batch(*rows) for rows in zip(*(tensor.chunk(parts) for tensor in vars(self).values()), strict=True)]


class Batches:
    """Batches of a labelled set, by number.

    On unpaired steps each target's source is another person, on paired steps its guide is; both of like shape, as in use.

    Args:
        faces: labelled faces; ignored pixels take their nearest class, see :func:`faceaug.labels.fill_ignored`.
        batch: rows a step, over all devices.
        seed: of everything random here.
        flip: mirror half of the rows.
        human: share of the rows whose targets are drawn from those with human label maps, where there are such and predicted
            ones; the others are drawn from all.
        candidates: how many others are drawn for each row, of which the one most like it in shape is taken; 1 takes any.
        rank: which device's rows are given.
        ranks: how many devices share a batch.

    Raises:
        ConfigError: fewer faces than a batch, or rows that cannot be shared evenly.
    """

    def __init__(
        self,
        faces: LabelledFaces,
        *,
        batch: int,
        seed: int,
        flip: bool,
        human: float = 0.0,
        candidates: int = 1,
        rank: int = 0,
        ranks: int = 1,
    ) -> None:
        if len(faces) < 2:
            raise ConfigError(f"{faces.title}: {len(faces)} face; a GAN needs at least 2, better hundreds: name more")
        if len(faces) < batch:
            raise ConfigError(f"--batch {batch}: larger than the {len(faces)} faces of {faces.title}; make it smaller")
        if batch % ranks:
            raise ConfigError(f"--batch {batch}: cannot be shared by {ranks} devices; make it a multiple of {ranks}")
        self.images, self.labels, self.scheme = faces.images, faces.labels, faces.scheme
        self.identity = faces.identity
        self.batch, self.seed, self.flip, self.candidates = batch, seed, flip, candidates
        self._likeness = Likeness(faces)
        self._mine = slice(rank * batch // ranks, (rank + 1) * batch // ranks)
        self._everyone = Shuffled(np.arange(len(faces)), seed=seed, stream=1)
        anchors = np.flatnonzero(faces.human)
        self._anchors = Shuffled(anchors, seed=seed, stream=4)
        self._anchored = round(human * batch) if 0 < len(anchors) < len(faces) else 0

    def _rows(self, step: int) -> IntArray:
        anchored, others = self._anchored, self.batch - self._anchored
        rows = np.concatenate([self._anchors.get(step * anchored, anchored), self._everyone.get(step * others, others)])
        if not anchored:
            return rows
        return np.random.default_rng([self.seed, 5, step]).permutation(rows)  # devices share a batch by its order

    def get(self, step: int, *, paired: bool) -> Batch:
        """The batch of step number ``step``."""
        rows = self._rows(step)
        rng = np.random.default_rng([self.seed, 2, step])
        mirrored = (rng.random(self.batch) < 0.5) & self.flip
        others, other_mirrored = self._others(rng, rows, mirrored)
        noise = rng.standard_normal((self.batch, NOISE), dtype=np.float32)
        shifts = rng.random((self.batch, NUMBERS), dtype=np.float32)
        images, labels = self._load(rows[self._mine], mirrored[self._mine])
        other_images, other_labels = self._load(others[self._mine], other_mirrored[self._mine])
        sources = (images, labels) if paired else (other_images, other_labels)
        numbers = (torch.from_numpy(drawn[self._mine]) for drawn in (noise, shifts))
        return Batch(images, labels, *sources, other_labels, *numbers)

    def _others(
        self, rng: np.random.Generator, rows: IntArray, mirrored: npt.NDArray[np.bool_]
    ) -> tuple[IntArray, npt.NDArray[np.bool_]]:
        """Another person for each row: of some drawn at random, as they are or mirrored, the one most like it in shape."""
        others, flipped = np.empty_like(rows), np.empty_like(mirrored)
        for place, (row, flip) in enumerate(zip(rows, mirrored, strict=True)):
            drawn = self._strangers(rng, int(row))
            turned = (rng.random(self.candidates) < 0.5) & self.flip
            (target,) = self._likeness.of(np.array([row]), np.array([flip]))
            best = int(np.argmax(self._likeness.of(drawn, turned) @ target))
            others[place], flipped[place] = drawn[best], turned[best]
        return others, flipped

    def _strangers(self, rng: np.random.Generator, row: int) -> IntArray:
        """:attr:`candidates` photos of other people than a row's, with repeats; other photos where there is no other person."""
        person = self.identity[row]
        drawn = np.empty(0, dtype=np.int64)
        for _ in range(_ATTEMPTS):  # nearly always one is enough, and a set of 200,000 need not be looked through
            some = rng.integers(len(self.identity), size=2 * self.candidates)
            others = (some != row) & ((self.identity[some] != person) | (person < 0))
            drawn = np.concatenate([drawn, some[others]])[: self.candidates]
            if len(drawn) == self.candidates:
                return drawn
        strangers = np.flatnonzero((self.identity != person) | (person < 0))
        strangers = strangers[strangers != row]
        if not len(strangers):
            strangers = np.array([(row + 1) % len(self.identity)])
        return strangers[rng.integers(len(strangers), size=self.candidates)]

    def _load(self, rows: IntArray, mirrored: npt.NDArray[np.bool_]) -> tuple[Tensor, Tensor]:
        images, labels = mirror_rows(self.images[rows], fill_ignored(self.labels[rows]), mirrored, self.scheme)
        return to_float(images), torch.from_numpy(labels)


def mirror_rows(
    images: npt.NDArray[np.uint8], labels: npt.NDArray[np.uint8], mirrored: npt.NDArray[np.bool_], scheme: Scheme
) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8]]:
    """Copies of ``(N, S, S, 3)`` photos and ``(N, S, S)`` label maps, some rows mirrored, left and right classes exchanged."""
    images, labels = np.array(images), np.array(labels)
    images[mirrored] = images[mirrored, :, ::-1]
    labels[mirrored] = scheme.flip(labels[mirrored])
    return images, labels
