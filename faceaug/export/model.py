"""A trained model whose kind its file tells."""

from __future__ import annotations

from pathlib import Path

from faceaug.compute.device import Compute
from faceaug.embedded import is_embedded
from faceaug.errors import CheckpointMismatch
from faceaug.gan.inference import Generator, load_generator
from faceaug.parser.predict import Parser, load_parser
from faceaug.runs.checkpoint import MODEL, WEIGHTS, weights_file, weights_kind

Model = Parser | Generator


def load_model(path: Path, compute: Compute) -> Model:
    """Read a parser or a generator.

    Args:
        path: its weights file, its run's folder, or a folder of the hub's layout.
        compute: where to run it.

    Raises:
        CheckpointMismatch: missing, truncated, of another kind, or not fitting its configuration.
    """
    path = weights_file(path)
    kind = weights_kind(path)
    if kind == "parser":
        return load_parser(path, compute)
    if kind == "gan":
        return load_generator(path, compute)
    raise CheckpointMismatch(f"{path}: holds {kind}, no model; name weights of train-parser or train-gan, or their run's folder")


def holds_model(path: Path) -> bool:
    """Whether a path names a weights file, a folder that holds one, or a model inside the package."""
    return is_embedded(path) or path.is_file() or (path / WEIGHTS).is_file() or (path / MODEL).is_file()
