"""A trained parser for use: photos to label maps."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from faceaug.arrays import ByteArray
from faceaug.compute.device import Compute
from faceaug.config import from_dict
from faceaug.errors import CheckpointMismatch
from faceaug.imagenet import in_batches
from faceaug.labels import IGNORE, Scheme
from faceaug.parser.config import ParserConfig
from faceaug.parser.network import build_parser
from faceaug.prepare.faces import LabelledFaces
from faceaug.progress import Progress
from faceaug.runs.checkpoint import content_hash, load_state, load_weights, weights_file
from faceaug.tensors import to_float


@dataclass(frozen=True)
class Parser:
    """P_F with trained weights.

    Attributes:
        network: ``(N, 3, S, S)`` in [-1, 1] to logits ``(N, K, S, S)`` of ``config.scheme``; frozen, in eval mode.
        config: its shape.
        record: the whole configuration of the run that made it.
        hash: SHA-256 of weights and shape.
        compute: where it runs.
        members: hashes of the parsers that it is the mean of (:mod:`faceaug.parser.ensemble`).
    """

    network: nn.Module
    config: ParserConfig
    record: dict[str, Any]
    hash: str
    compute: Compute
    members: tuple[str, ...] = ()


def load_parser(path: Path, compute: Compute) -> Parser:
    """Read a parser's weights file, or that of its run's folder.

    Raises:
        CheckpointMismatch: missing, truncated, of another kind or label scheme, or not fitting its own configuration.
    """
    path = weights_file(path, "parser")
    tensors, record = load_weights(path, kind="parser")
    if "parser" not in record:
        raise CheckpointMismatch(f"{path}: its configuration names no parser; train anew")
    config = from_dict(ParserConfig, record["parser"], where=str(path))
    network = build_parser(config, weights=False)
    load_state(network, tensors, path)
    network = compute.module(network).eval().requires_grad_(False)
    return Parser(network, config, record, content_hash(tensors, record["parser"]), compute)


def check_scheme(scheme: Scheme, faces: LabelledFaces, path: Path) -> None:
    """Raise CheckpointMismatch unless the weights in ``path`` have the label scheme of the faces."""
    if scheme != faces.scheme:
        raise CheckpointMismatch(
            f"{path}: trained on labels of {scheme.name}, those of {faces.title} are of {faces.scheme.name}; "
            f"name weights trained on such labels"
        )


def predict_labels(parser: Parser, images: ByteArray, *, batch: int = 32, label: str = "") -> ByteArray:
    """Label maps of photos.

    Args:
        parser: from :func:`load_parser`.
        images: ``(N, S, S, 3)`` uint8 RGB; photos of another size than the parser's are resized for it and the logits back.
        batch: photos at once.
        label: name for a progress line; none where empty.

    Returns:
        ``(N, S, S)`` uint8 of the parser's scheme.
    """
    found = np.empty(images.shape[:3], dtype=np.uint8)
    with Progress(label, len(images), unit="faces") as progress:
        for start in range(0, len(images), batch):
            classes = predict_logits(parser, to_float(images[start : start + batch])).argmax(dim=1)
            found[start : start + batch] = classes.to(torch.uint8).cpu().numpy()
            if label:
                progress.update(min(start + batch, len(images)))
    return found


def predict_against(
    parser: Parser, images: ByteArray, labels: ByteArray, *, batch: int = 32
) -> tuple[ByteArray, npt.NDArray[np.float32]]:
    """Label maps of photos, and how likely the parser finds the classes that other label maps give.

    Args:
        parser: from :func:`load_parser`.
        images: ``(N, S, S, 3)`` uint8 RGB.
        labels: ``(N, S, S)`` uint8 of the parser's scheme, or 255.
        batch: photos at once.

    Returns:
        ``(N, S, S)`` uint8: the predicted label maps; ``(N, S, S)`` float32, 0..1: the probability of ``labels``, 1 at 255.
    """
    found = np.empty(labels.shape, dtype=np.uint8)
    likely = np.empty(labels.shape, dtype=np.float32)
    for start in range(0, len(images), batch):
        rows = slice(start, start + batch)
        logits = predict_logits(parser, to_float(images[rows]))
        asked = torch.from_numpy(np.array(labels[rows])).to(logits.device).long()
        loss = F.cross_entropy(logits, asked, reduction="none", ignore_index=IGNORE)
        found[rows] = logits.argmax(dim=1).to(torch.uint8).cpu().numpy()
        likely[rows] = loss.neg().exp().cpu().numpy()
    return found, likely


@torch.inference_mode()
def predict_logits(parser: Parser, images: Tensor) -> Tensor:
    """Logits ``(N, K, H, W)`` float32 of ``(N, 3, H, W)`` in [-1, 1], whatever the parser's own size."""
    own, given = (parser.config.size, parser.config.size), images.shape[-2:]
    if given != own:
        images = F.interpolate(images, own, mode="bilinear", antialias=True)
    with parser.compute.autocast():
        logits: Tensor = parser.network(parser.compute.image(images))
    logits = logits.float()
    return logits if given == own else F.interpolate(logits, given, mode="bilinear", antialias=True)


@torch.inference_mode()
def predict_both_ways(parser: Parser, images: Tensor) -> Tensor:
    """Probabilities ``(N, K, H, W)`` float32: means of those for ``(N, 3, H, W)`` photos and for their mirror images."""
    straight = predict_logits(parser, images).softmax(1)
    exchanged = list(parser.config.scheme.mirror)
    mirrored = predict_logits(parser, images.flip(-1)).softmax(1).flip(-1)[:, exchanged]
    return (straight + mirrored) / 2


class ParserFeatures:
    """Pooled features of a parser's encoder: how faces look to a network that was trained on faces alone.

    Args:
        parser: from :func:`load_parser`.
    """

    def __init__(self, parser: Parser) -> None:
        self._parser = parser
        self._encoder: Any = parser.network.encoder

    @torch.inference_mode()
    def __call__(self, images: ByteArray, *, batch: int = 64, label: str = "") -> npt.NDArray[np.float32]:
        """Features of ``(N, S, S, 3)`` uint8 RGB pictures: ``(N, C)`` float32.

        Means of the encoder's second deepest maps; the deepest ones have a few cells at 64 px.

        Args:
            images: the pictures, of the parser's size.
            batch: how many at once.
            label: name for a progress line; none where empty.
        """
        return in_batches(self._features, images, int(self._encoder.out_channels[-2]), batch=batch, label=label)

    def _features(self, rows: Tensor) -> Tensor:
        compute = self._parser.compute
        with compute.autocast():
            maps: Tensor = self._encoder(compute.image(rows.float() / 127.5 - 1.0))[-2]
        return maps.float().mean((2, 3))
