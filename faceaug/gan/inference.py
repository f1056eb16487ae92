"""A trained generator for use: sources to latent codes, codes and targets to generated faces."""

from __future__ import annotations

import dataclasses
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from faceaug.arrays import ByteArray
from faceaug.compute.device import Compute
from faceaug.config import from_dict
from faceaug.errors import CheckpointMismatch
from faceaug.gan.batches import NOISE
from faceaug.gan.config import GeneratorConfig
from faceaug.gan.network import GeneratorNetwork, Look
from faceaug.gan.variants import build_generator
from faceaug.labels import Scheme, fill_ignored
from faceaug.runs.checkpoint import content_hash, load_state, load_weights, trained_on, weights_file
from faceaug.tensors import to_bytes, to_float

CHUNK = 16
"""Faces that a network takes at once where many are generated."""


@dataclass(frozen=True)
class Generator:
    """The framework G (or a variant of it) with trained weights, taking and giving uint8 arrays.

    Attributes:
        network: in eval mode, without gradients.
        config: its shape.
        record: the whole configuration of the run that made it.
        hash: SHA-256 of weights and shape.
        compute: where it runs.
        chunk: faces that the network takes at once, always; see :func:`_chunks`.
    """

    network: GeneratorNetwork
    config: GeneratorConfig
    record: dict[str, Any]
    hash: str
    compute: Compute
    chunk: int = CHUNK

    @property
    def trained_on(self) -> str:
        """What it was trained on, for people."""
        return trained_on(self.record)

    @torch.inference_mode()
    def encode(self, images: ByteArray, labels: ByteArray, scheme: Scheme | None = None) -> Look:
        """The look of source faces, once for any number of targets.

        Args:
            images: ``(N, S, S, 3)`` uint8 RGB.
            labels: ``(N, S, S)`` uint8; 255 takes its nearest class.
            scheme: of the labels; the generator's own where None.

        Returns:
            On the CPU: codes ``(N, 5, code)`` float32, and, where the variant uses the source's pixels, the photos as
            ``(N, S, S, 3)`` uint8 with their label maps. Of a variant whose codes are drawn: a draw that belongs to the photo.
        """
        scheme = scheme or self.config.scheme
        if self.network.sampled:
            shape = self.network.encode(self._image(images[:1]), self._anatomy(labels[:1], scheme)).codes.shape[1:]
            seeds = [zlib.crc32(photo.tobytes()) for photo in images]
            return Look(torch.stack([torch.randn(shape, generator=torch.Generator().manual_seed(seed)) for seed in seeds]))
        return self._kept(
            images, lambda rows: self.network.encode(self._image(images[rows]), self._anatomy(labels[rows], scheme))
        )

    @torch.inference_mode()
    def disguise(self, images: ByteArray, labels: ByteArray, guides: ByteArray) -> Look:
        """The look of faces as on paired training steps: in the shape of other people's masks.

        Generated on its own mask, it is a reconstruction as difficult as a transfer between two people.

        Args:
            images: ``(N, S, S, 3)`` uint8 RGB.
            labels: ``(N, S, S)`` uint8 of the generator's scheme, or 255.
            guides: ``(N, S, S)`` uint8: the other people's anatomies, see :meth:`faceaug.labels.Scheme.anatomy`.
        """

        def embed(rows: npt.NDArray[np.int64]) -> Look:
            noise = torch.zeros(len(rows), NOISE, device=self.compute.device)
            source = self._image(images[rows]), self._anatomy(labels[rows], self.config.scheme)
            return self.network.embed(*source, self._labels(guides[rows]), noise, paired=True)[0]

        return self._kept(images, embed)

    def _kept(self, images: ByteArray, looks: Callable[[npt.NDArray[np.int64]], Look]) -> Look:
        """Looks of all rows on the CPU, pictures as bytes."""
        found = []
        for rows in _chunks(len(images), self.chunk):
            with self.compute.autocast():
                look = looks(rows)
            photos = None if look.image is None else torch.from_numpy(to_bytes(look.image))
            found.append(dataclasses.replace(look, codes=look.codes.float(), image=photos).map(Tensor.cpu))
        return Look.join(found)[: len(images)]

    @torch.inference_mode()
    def generate(self, look: Look, target_images: ByteArray, target_labels: ByteArray) -> ByteArray:
        """Faces with a look in the shape of the target masks, on the targets' backgrounds.

        Args:
            look: of N faces, from :meth:`encode`.
            target_images: ``(N, S, S, 3)`` uint8 RGB; only the background is seen.
            target_labels: ``(N, S, S)`` uint8 of the generator's scheme; 255 takes its nearest class.

        Returns:
            ``(N, S, S, 3)`` uint8 RGB.
        """
        found = []
        for rows in _chunks(len(look), self.chunk):
            some = look[torch.from_numpy(rows)]
            photos = None if some.image is None else self._photos(some.image.numpy())
            some = dataclasses.replace(some.map(lambda tensor: tensor.to(self.compute.device)), image=photos)
            with self.compute.autocast():
                found.append(
                    to_bytes(self.network.generate(some, self._image(target_images[rows]), self._labels(target_labels[rows])))
                )
        return np.concatenate(found)[: len(look)]

    def _photos(self, images: ByteArray) -> Tensor:
        """Photos of looks, ``(N, S, S, 3)``, or of mixtures, ``(N, M, S, S, 3)``."""
        found = self._image(images.reshape(-1, *images.shape[-3:]))
        return found if images.ndim == 4 else found.reshape(*images.shape[:2], *found.shape[1:])

    def _image(self, images: ByteArray) -> Tensor:
        return self.compute.image(to_float(images))

    def _labels(self, labels: ByteArray) -> Tensor:
        return torch.from_numpy(fill_ignored(labels)).to(self.compute.device)

    def _anatomy(self, labels: ByteArray, scheme: Scheme) -> Tensor:
        return torch.from_numpy(scheme.anatomy(fill_ignored(labels))).to(self.compute.device)


def _chunks(count: int, chunk: int) -> list[npt.NDArray[np.int64]]:
    """Row numbers in groups of equal length, the last filled up with the last row.

    Convolution kernels are chosen by shape and round differently: with one shape, a row's result cannot depend on how many
    others were asked for with it.
    """
    padded = np.minimum(np.arange(-(-count // chunk) * chunk), count - 1)
    return list(padded.reshape(-1, chunk))


def load_generator(path: Path, compute: Compute) -> Generator:
    """Read a generator's weights file.

    Args:
        path: ``weights.safetensors`` of a ``train-gan`` run, or its folder.
        compute: where to run it.

    Raises:
        CheckpointMismatch: missing, truncated, not a generator of this label scheme, or not fitting its configuration.
    """
    path = weights_file(path, "gan")
    tensors, record = load_weights(path, kind="gan")
    if "generator" not in record:
        raise CheckpointMismatch(f"{path}: its configuration names no generator; train anew")
    config = from_dict(GeneratorConfig, record["generator"], where=str(path))
    network = build_generator(config)
    load_state(network, tensors, path)
    network = compute.module(network).eval().requires_grad_(False)
    return Generator(network, config, record, content_hash(tensors, record["generator"]), compute)
