"""Looks of source faces, encoded once: what :class:`faceaug.datasets.repaint.GanAugment` paints other faces in."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from faceaug.arrays import Float32Array, IntArray
from faceaug.compute.device import choose_compute
from faceaug.errors import CheckpointMismatch, ConfigError
from faceaug.gan.inference import Generator, load_generator
from faceaug.gan.network import Look
from faceaug.prepare.faces import LabelledFaces
from faceaug.prepare.likeness import Likeness
from faceaug.runs.checkpoint import load_weights, save_weights

_KIND = "looks"
_TOGETHER = 256


def open_generator(generator: str | Path | Generator, device: str | torch.device = "auto") -> Generator:
    """A generator as it is, or read from its file or run folder; the caller's threads stay as they are.

    Raises:
        CheckpointMismatch: as :func:`faceaug.gan.inference.load_generator`.
        ConfigError: the device is not usable here.
    """
    if isinstance(generator, Generator):
        return generator
    return load_generator(Path(generator), dataclasses.replace(choose_compute(str(device)), threads=None))


@dataclass(frozen=True)
class LookBank:
    """What a generator knows of source faces.

    Attributes:
        look: of N faces; photos in it are ``(N, S, S, 3)`` uint8.
        male: ``(N,)`` int64: 1 male, 0 female, -1 unknown.
        shapes: ``(N, D)`` float16: where each face has what, to compare shapes by (:mod:`faceaug.prepare.likeness`).
        generator: hash of the generator that encoded them.
    """

    look: Look
    male: IntArray
    shapes: Any
    generator: str

    def __len__(self) -> int:
        return len(self.look)

    @classmethod
    def encode(
        cls,
        generator: str | Path | Generator,
        sources: LabelledFaces,
        male: IntArray | None = None,
        *,
        device: str | torch.device = "auto",
    ) -> LookBank:
        """Encode source faces, once; of 1,000 faces at 256 px the bank takes about 260 MB, most of it photos.

        Args:
            generator: with trained weights, or where they are.
            sources: of the generator's size, with label maps of any scheme; ``AlignedFaces(...).faces``, for example.
            male: ``(N,)`` their genders, 1, 0, or -1 for unknown, where they are not the set's own.
            device: where a generator that is read encodes.

        Raises:
            CheckpointMismatch: the generator cannot be read, or the faces are of another size.
            ConfigError: there are no sources, or not as many genders as sources.
        """
        generator = open_generator(generator, device)
        genders = np.asarray(sources.male if male is None else male, dtype=np.int64)
        if not len(sources) or genders.shape != (len(sources),):
            raise ConfigError(f"LookBank: {len(sources)} sources, {genders.size} genders; give it sources, and as many genders")
        if sources.size != generator.config.size:
            raise CheckpointMismatch(
                f"LookBank: the generator generates {generator.config.size} px, sources are {sources.size} px; align them anew"
            )
        parts = [slice(at, at + _TOGETHER) for at in range(0, len(sources), _TOGETHER)]
        looks = [generator.encode(sources.images[part], sources.labels[part], sources.scheme) for part in parts]
        return cls(Look.join(looks), genders, Likeness(sources).vectors, generator.hash)

    def to(self, device: str | torch.device) -> LookBank:
        """The same bank with its looks on a device, which saves copying a batch's to it at each call."""
        return dataclasses.replace(self, look=self.look.map(lambda tensor: tensor.to(device)))

    def save(self, path: str | Path) -> None:
        """Write the bank as safetensors.

        Raises:
            OutputError: it cannot be written.
        """
        look = {f"look.{name}": value for name, value in vars(self.look).items() if value is not None}
        own = {"male": torch.from_numpy(self.male), "shapes": torch.from_numpy(self.shapes)}
        save_weights(Path(path), {**look, **own}, kind=_KIND, config={"generator": self.generator})

    @classmethod
    def load(cls, path: str | Path) -> LookBank:
        """Read a bank back, onto the CPU.

        Raises:
            CheckpointMismatch: missing, truncated, or no bank of looks.
        """
        tensors, config = load_weights(Path(path), kind=_KIND)
        look = {name.removeprefix("look."): value for name, value in tensors.items() if name.startswith("look.")}
        try:
            return cls(Look(**look), tensors["male"].numpy(), tensors["shapes"].numpy(), config["generator"])
        except (KeyError, TypeError) as error:
            raise CheckpointMismatch(f"{path}: not a whole bank of looks ({error}); encode it anew") from error

    def choose(self, wanted: Float32Array | None, male: int, rng: np.random.Generator, candidates: int) -> int:
        """A source for one target.

        Args:
            wanted: ``(D,)`` the target's shape; None takes any.
            male: 1 or 0 draws only sources of that gender, -1 all.
            rng: draws them.
            candidates: how many are drawn, of which the one most like the target in shape is taken.

        Raises:
            ConfigError: no source is of that gender.
        """
        pool = np.flatnonzero(self.male == male) if male >= 0 else np.arange(len(self))
        if not len(pool):
            raise ConfigError(f"GanAugment: the bank has no source of gender {male}; encode some, or leave out male=")
        drawn = pool[rng.integers(len(pool), size=candidates)]
        return int(drawn[0] if wanted is None else drawn[np.argmax(self.shapes[drawn].astype(np.float32) @ wanted)])

    def rows(self, numbers: IntArray, device: torch.device) -> Look:
        """The looks of some sources on a device, as networks take them: photos in [-1, 1], channels first."""

        def some(tensor: Tensor) -> Tensor:
            return tensor[torch.from_numpy(numbers).to(tensor.device)].to(device)

        found = self.look.map(some)
        if found.image is None:
            return found
        photos = found.image.permute(0, 3, 1, 2).to(torch.float32, memory_format=torch.channels_last)
        return dataclasses.replace(found, image=photos / 127.5 - 1.0)
