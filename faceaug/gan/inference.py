"""A trained generator for use: sources to latent codes, codes and targets to painted faces."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from faceaug.config import from_dict
from faceaug.errors import CheckpointMismatch
from faceaug.files import file_hash
from faceaug.gan.config import GeneratorConfig
from faceaug.gan.painter import Painter
from faceaug.gan.variants import build_painter
from faceaug.labels import fill_ignored
from faceaug.tensors import to_bytes, to_float
from faceaug.training.checkpoint import load_state, load_weights
from faceaug.training.device import Compute

ByteArray = npt.NDArray[np.uint8]

_CHUNK = 16


@dataclass(frozen=True)
class Generator:
    """The framework G (or a variant of it) with trained weights, taking and giving uint8 arrays.

    Attributes:
        network: in eval mode, without gradients.
        config: its shape.
        record: the whole configuration of the run that made it.
        hash: SHA-256 of the weights file.
        compute: where it runs.
    """

    network: Painter
    config: GeneratorConfig
    record: dict[str, Any]
    hash: str
    compute: Compute

    @torch.inference_mode()
    def encode(self, images: ByteArray, labels: ByteArray) -> Tensor:
        """Latent codes of source faces, once for any number of targets.

        Args:
            images: ``(N, S, S, 3)`` uint8 RGB.
            labels: ``(N, S, S)`` uint8, 0..10; 255 takes its nearest class.

        Returns:
            ``(N, 5, code)`` float32 on the CPU. Of a variant whose codes are drawn: a draw that belongs to the photo.
        """
        if self.network.sampled:
            shape = self.network.encode(self._image(images[:1]), self._labels(labels[:1])).shape[1:]
            seeds = [zlib.crc32(photo.tobytes()) for photo in images]
            return torch.stack([torch.randn(shape, generator=torch.Generator().manual_seed(seed)) for seed in seeds])
        found = []
        for rows in _chunks(len(images)):
            with self.compute.autocast():
                found.append(self.network.encode(self._image(images[rows]), self._labels(labels[rows])).float().cpu())
        return torch.cat(found)[: len(images)]

    @torch.inference_mode()
    def paint(self, codes: Tensor, target_images: ByteArray, target_labels: ByteArray) -> ByteArray:
        """Faces with the look of ``codes`` in the shape of the target masks, on the targets' backgrounds.

        Args:
            codes: ``(N, 5, code)`` from :meth:`encode`.
            target_images: ``(N, S, S, 3)`` uint8 RGB; only the background is seen.
            target_labels: ``(N, S, S)`` uint8, 0..10; 255 takes its nearest class.

        Returns:
            ``(N, S, S, 3)`` uint8 RGB.
        """
        found = []
        for rows in _chunks(len(codes)):
            some = codes[torch.from_numpy(rows)].to(self.compute.device)
            with self.compute.autocast():
                found.append(
                    to_bytes(self.network.paint(some, self._image(target_images[rows]), self._labels(target_labels[rows])))
                )
        return np.concatenate(found)[: len(codes)]

    def _image(self, images: ByteArray) -> Tensor:
        return self.compute.image(to_float(images))

    def _labels(self, labels: ByteArray) -> Tensor:
        return torch.from_numpy(fill_ignored(labels)).to(self.compute.device)


def _chunks(count: int) -> list[npt.NDArray[np.int64]]:
    """Row numbers in groups of equal length, the last filled up with the last row.

    Convolution kernels are chosen by shape and round differently: with one shape, a row's result cannot depend on how many
    others were asked for with it.
    """
    padded = np.minimum(np.arange(-(-count // _CHUNK) * _CHUNK), count - 1)
    return list(padded.reshape(-1, _CHUNK))


def load_generator(path: Path, compute: Compute) -> Generator:
    """Read a generator's weights file.

    Args:
        path: ``weights.safetensors`` of a ``train-gan`` run.
        compute: where to run it.

    Raises:
        CheckpointMismatch: missing, truncated, not a generator of this label scheme, or not fitting its configuration.
    """
    tensors, record = load_weights(path, kind="gan")
    if "generator" not in record:
        raise CheckpointMismatch(f"{path}: its configuration names no generator; train anew")
    config = from_dict(GeneratorConfig, record["generator"], where=str(path))
    network = build_painter(config)
    load_state(network, tensors, path)
    network = compute.module(network).eval().requires_grad_(False)
    return Generator(network, config, record, file_hash(path), compute)
