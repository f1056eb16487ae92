"""Training batches of a parser: real and synthetic faces in a fixed proportion, augmented, by step number."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from faceaug.errors import ConfigError
from faceaug.parser.augment import augment
from faceaug.parser.config import ParserTraining
from faceaug.prepare.faces import LabelledFaces
from faceaug.tensors import to_float
from faceaug.training.order import Shuffled


class MixedBatches:
    """Batches by step number: a resumed run sees what an uninterrupted one would have.

    Args:
        real: labelled faces.
        synthetic: more of them, or None.
        training: batch, share of synthetic rows, seed, augmentation.
        device: where batches are augmented and given.

    Raises:
        ConfigError: a share of synthetic faces without any.
    """

    def __init__(
        self,
        real: LabelledFaces,
        synthetic: LabelledFaces | None,
        training: ParserTraining,
        *,
        device: torch.device = torch.device("cpu"),  # noqa: B008  a constant
    ) -> None:
        if synthetic is not None and synthetic.scheme != real.scheme:
            raise ConfigError(
                f"{synthetic.title}: labels are of {synthetic.scheme.name}, those of {real.title} of {real.scheme.name}; "
                f"generate from masks of the same scheme"
            )
        if training.synthetic_share > 0 and synthetic is None:
            raise ConfigError("--synthetic-share: there are no synthetic faces; generate some first")
        self._real, self._synthetic, self._training, self._device = real, synthetic, training, device
        self._orders = [
            Shuffled(np.arange(len(faces)), seed=training.seed, stream=10 + part)
            for part, faces in enumerate([real] if synthetic is None else [real, synthetic])
        ]

    def get(self, step: int) -> tuple[Tensor, Tensor]:
        """Images ``(N, 3, S, S)`` float32 in [-1, 1] and labels ``(N, S, S)`` uint8 of one step."""
        batch = self._training.batch
        before, after = self._synthetic_rows(step), self._synthetic_rows(step + 1)
        own = step * batch - before
        parts = [_rows(self._real, self._orders[0].get(own, batch - (after - before)))]
        if self._synthetic is not None and after > before:
            parts.append(_rows(self._synthetic, self._orders[1].get(before, after - before)))
        images = to_float(np.concatenate([photos for photos, _ in parts])).to(self._device)
        labels = torch.from_numpy(np.concatenate([maps for _, maps in parts])).to(self._device)
        if not self._training.augment:
            return images, labels
        return augment(images, labels, self._real.scheme, torch.Generator().manual_seed(self._training.seed * 1_000_003 + step))

    def _synthetic_rows(self, step: int) -> int:
        """How many synthetic rows all steps before ``step`` had: shares hold over the run, whatever the batch."""
        return math.floor(step * self._training.batch * self._training.synthetic_share + 1e-9)


def _rows(faces: LabelledFaces, rows: npt.NDArray[np.int64]) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8]]:
    return faces.images[rows], faces.labels[rows]
