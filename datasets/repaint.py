"""Other people's looks on the faces of a batch, painted while a parser trains."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torchvision import tv_tensors

from faceaug.arrays import ByteArray, IntArray
from faceaug.errors import CheckpointMismatch, ConfigError
from faceaug.gan.inference import Generator
from faceaug.labels import BACKGROUND, fill_ignored
from faceaug.prepare.likeness import shape_vectors

from .looks import LookBank, open_generator


class GanAugment:
    """Repaints some faces of any batch in the look of other people; the masks stay, and stay true.

    Call it in the training loop, on the batch that a DataLoader gave, before normalisation: on a GPU it is one pass of the
    generator, on a CPU as slow as that is there. Workers cannot call it: they would all draw the same numbers, and share no GPU.

    Random numbers come from the seed, the number of the call and the row's place in the batch, and from nothing else; a run that
    goes on sets ``calls``. Ranks of one run need seeds of their own.

    Args:
        generator: with trained weights, or where they are: a ``train-gan`` run, or its ``weights.safetensors``.
        bank: looks that it encoded, or where they are; see :class:`LookBank`.
        p: probability that a row is repainted.
        seed: of the rows, and of their sources.
        candidates: sources drawn for a row, of which the one most like its mask in shape is taken; 1 takes any. More fit better,
            but a mask meets the same few people again.
        device: where a generator that is read paints.

    Attributes:
        calls: how many there were; it chooses the next one's random numbers.

    Raises:
        CheckpointMismatch: generator or bank cannot be read, or the looks are another generator's.
        ConfigError: p or candidates out of range.
    """

    def __init__(
        self,
        generator: str | Path | Generator,
        bank: str | Path | LookBank,
        *,
        p: float = 0.5,
        seed: int = 0,
        candidates: int = 16,
        device: str | torch.device = "auto",
    ) -> None:
        if not 0 <= p <= 1 or candidates < 1:
            raise ConfigError(f"GanAugment: p {p}, candidates {candidates}; p is within 0..1, candidates 1 or more")
        self.generator = open_generator(generator, device)
        self.bank = bank if isinstance(bank, LookBank) else LookBank.load(bank)
        if self.bank.generator != self.generator.hash:
            raise CheckpointMismatch("GanAugment: the bank's looks are another generator's; encode them with this one")
        self.p, self.seed, self.candidates = p, seed, candidates
        self.calls = 0

    def __call__(self, images: Tensor, masks: Tensor, male: Any = None) -> tuple[Tensor, Tensor]:
        """Repaint some rows.

        Args:
            images: ``(N, 3, S, S)`` RGB, uint8 or float in [0, 1], on any device.
            masks: ``(N, S, S)`` of the generator's scheme or 255, any integer type.
            male: ``(N,)`` genders of the faces, 1, 0, or -1 for unknown; then sources are of the same one.

        Returns:
            New images of the same type, shape and device, with the targets' own pixels where nothing of the face is; and the
            masks themselves.

        Raises:
            ConfigError: the batch is not like that, no source has the gender asked for, or a DataLoader worker calls.
        """
        if torch.utils.data.get_worker_info() is not None:
            raise ConfigError("GanAugment: called in a DataLoader worker; call it in the training loop, on the batch")
        self._check(images, masks)
        genders = np.full(len(images), -1) if male is None else np.asarray(torch.as_tensor(male).cpu())
        if genders.shape != (len(images),):
            raise ConfigError(f"GanAugment: male has shape {genders.shape}; give it one for each of {len(images)} images")
        draws = [np.random.default_rng([self.seed, self.calls, row]) for row in range(len(images))]
        self.calls += 1
        rows = np.array([row for row, rng in enumerate(draws) if rng.random() < self.p], dtype=np.int64)
        if not len(rows):
            return images, masks
        labels = masks[torch.from_numpy(rows).to(masks.device)].to(torch.uint8).cpu().numpy()
        self.generator.config.scheme.check_range(labels, "GanAugment")
        sources = self._sources(labels, genders[rows], [draws[row] for row in rows])
        return self._paint(images, labels, rows, sources), masks

    def _check(self, images: Tensor, masks: Tensor) -> None:
        size = self.generator.config.size
        if images.ndim != 4 or tuple(images.shape[1:]) != (3, size, size) or masks.shape != (len(images), size, size):
            raise ConfigError(
                f"GanAugment: images are {tuple(images.shape)}, masks {tuple(masks.shape)}; the generator needs (N, 3, {size}, "
                f"{size}) and (N, {size}, {size})"
            )
        if masks.is_floating_point() or not (images.dtype == torch.uint8 or images.is_floating_point()):
            raise ConfigError(f"GanAugment: images are {images.dtype}, masks {masks.dtype}; give it uint8 or float, and integers")
        if images.is_floating_point() and len(images):
            low, high = float(images.min()), float(images.max())
            if low < -_SLACK or high > 1 + _SLACK:
                raise ConfigError(f"GanAugment: images are in {low:.2f}..{high:.2f}, not 0..1; call it before normalising")

    def _sources(self, labels: ByteArray, genders: IntArray, draws: list[np.random.Generator]) -> IntArray:
        """A source for each label map ``(K, S, S)``."""
        shapes: Any = [None] * len(labels)
        if self.candidates > 1:
            shapes = shape_vectors(self.generator.config.scheme.anatomy(labels))
        found = [
            self.bank.choose(shape, int(gender), rng, self.candidates)
            for shape, gender, rng in zip(shapes, genders, draws, strict=True)
        ]
        return np.array(found, dtype=np.int64)

    @torch.no_grad()
    def _paint(self, images: Tensor, labels: ByteArray, rows: npt.NDArray[np.int64], sources: IntArray) -> Tensor:
        network, compute = self.generator.network, self.generator.compute
        found = images.clone()
        place = torch.from_numpy(rows).to(images.device)
        own = images.as_subclass(Tensor)[place]
        scale = 255.0 if images.dtype == torch.uint8 else 1.0
        filled = fill_ignored(labels)
        with compute.autocast():
            painted = network.generate(
                self.bank.rows(sources, compute.device),
                compute.image(own.float().mul(2 / scale).sub(1)),
                torch.from_numpy(filled).to(compute.device),
            )
        painted = painted.float().add(1).mul(scale / 2).clamp(0, scale)
        if images.dtype == torch.uint8:
            painted = painted.round()
        # The background went through the generator's arithmetic, which may be bfloat16.
        kept = torch.from_numpy(self.generator.config.scheme.anatomy(filled) == BACKGROUND)[:, None].to(images.device)
        found[place] = torch.where(kept, own, painted.to(images.device, images.dtype))
        return tv_tensors.wrap(found, like=images) if isinstance(images, tv_tensors.TVTensor) else found


_SLACK = 1e-3
"""How far interpolation may leave the range."""
