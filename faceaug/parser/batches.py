"""Training batches of a parser: labelled faces and additions in a fixed proportion, augmented, by step number."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from faceaug.labels import IGNORE
from faceaug.parser.additions import Addition, check_additions
from faceaug.parser.augment import augment
from faceaug.parser.config import ParserTraining
from faceaug.parser.photometric import strengthen
from faceaug.prepare.faces import LabelledFaces
from faceaug.tensors import to_float
from faceaug.training.order import Shuffled


class Batch(NamedTuple):
    """The rows of a step.

    Attributes:
        images: ``(N, 3, S, S)`` float32 in [-1, 1].
        labels: ``(N, S, S)`` uint8 of the scheme, or 255.
        taught: ``(T, 3, S, S)`` float32: photos whose labels the parser's average has to give.
    """

    images: Tensor
    labels: Tensor
    taught: Tensor


class MixedBatches:
    """Batches by step number: a resumed run sees what an uninterrupted one would have.

    In the first ``training.pretrain_steps`` all rows are additions, in the proportion of their shares, and after that none;
    without such steps every step has all shares, as closely as whole rows allow: they hold over the run, whatever the batch.

    Args:
        real: labelled faces.
        additions: beside them.
        training: batch, seed, augmentation, schedule.
        device: where batches are augmented and given.

    Raises:
        ConfigError: see :func:`faceaug.parser.additions.check_additions`; or a schedule without additions.
    """

    def __init__(
        self,
        real: LabelledFaces,
        additions: Sequence[Addition],
        training: ParserTraining,
        *,
        device: torch.device = torch.device("cpu"),  # noqa: B008  a constant
    ) -> None:
        check_additions(real, additions)
        training.check_schedule(bool(additions))
        self._real, self._additions, self._training, self._device = real, additions, training, device
        self._orders = [
            Shuffled(np.arange(len(faces)), seed=training.seed, stream=10 + part)
            for part, faces in enumerate([real, *(addition.faces for addition in additions)])
        ]

    def get(self, step: int) -> Batch:
        """The rows of one step."""
        images, labels, taught = [], [], []
        for addition, order, before, after in zip(
            [None, *self._additions], self._orders, self._rows_before(step), self._rows_before(step + 1), strict=True
        ):
            rows = order.get(before, after - before)
            if not len(rows):
                continue
            faces = self._real if addition is None else addition.faces
            if addition is not None and addition.taught:
                taught.append(faces.images[rows])
            else:
                assert faces.labels is not None  # additions without are taught
                images.append(faces.images[rows])
                labels.append(faces.labels[rows])
        photos = to_float(np.concatenate([*images, *taught])).to(self._device)
        unknown = [np.full(some.shape[:3], IGNORE, np.uint8) for some in taught]
        maps = torch.from_numpy(np.concatenate([*labels, *unknown])).to(self._device)
        known = sum(map(len, labels))
        photos, maps = self._augmented(photos, maps, known, step)
        return Batch(photos[:known], maps[:known], photos[known:])

    def _augmented(self, images: Tensor, labels: Tensor, known: int, step: int) -> tuple[Tensor, Tensor]:
        how = self._training.augment
        if how == "none":
            return images, labels
        random = torch.Generator().manual_seed(self._training.seed * 1_000_003 + step)
        images, labels = augment(images, labels, self._real.scheme, random)
        if how == "strong":  # the strong views of taught rows are made of weak ones, later
            strong = strengthen(images[:known], labels[:known], random)
            images, labels = torch.cat([strong[0], images[known:]]), torch.cat([strong[1], labels[known:]])
        return images, labels

    def _rows_before(self, step: int) -> list[int]:
        """How many rows of each part, the labelled faces first, all steps before ``step`` had."""
        batch, first = self._training.batch, self._training.pretrain_steps
        whole = sum(addition.share for addition in self._additions)
        if not first:
            added = [math.floor(step * batch * addition.share + 1e-9) for addition in self._additions]
            return [step * batch - sum(added), *added]
        # The last addition takes what rounding leaves, so that these steps have no labelled row.
        done = min(step, first) * batch
        added = [math.floor(done * addition.share / whole + 1e-9) for addition in self._additions[:-1]]
        return [step * batch - done, *added, done - sum(added)]
