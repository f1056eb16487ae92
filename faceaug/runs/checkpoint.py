"""Weights files (safetensors with their configuration) and resumable checkpoints.

Neither can execute anything when read: safetensors holds tensors and strings, checkpoints load with ``weights_only``.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from faceaug.embedded import embedded, is_embedded
from faceaug.errors import CheckpointMismatch
from faceaug.files import atomic_file

FORMAT = "1"


def save_weights(path: Path, tensors: dict[str, Tensor], *, kind: str, config: dict[str, Any]) -> None:
    """Write a weights file atomically.

    Args:
        path: ``*.safetensors``.
        tensors: a state dict.
        kind: what the weights are of: ``parser`` or ``gan``.
        config: JSON-able configuration; whoever loads the file rebuilds the network from it.
    """
    metadata = {"faceaug_format": FORMAT, "kind": kind, "config": json.dumps(config)}
    plain = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    with atomic_file(path) as part, _as_os_error():
        save_file(plain, part, metadata=metadata)


@contextlib.contextmanager
def _as_os_error() -> Iterator[None]:
    """On a full disk torch and safetensors raise errors of their own."""
    try:
        yield
    except (SafetensorError, RuntimeError) as error:
        raise OSError(" ".join(str(error).split())[:160]) from error


WEIGHTS = "weights.safetensors"
"""Every training run ends by writing this file; a run folder that has it is finished."""


MODEL = "model.safetensors"
"""The same file in a folder of the hub's layout (:mod:`faceaug.export.hub`)."""


def weights_file(path: Path, kind: str | None = None) -> Path:
    """The weights that a path names: a file, or those in a run's folder or in one of the hub's layout.

    Args:
        path: the file or folder, or a model inside the package, see :mod:`faceaug.embedded`.
        kind: ``parser`` or ``gan``, for a model inside the package whose name does not say it.

    Raises:
        CheckpointMismatch: the name of no model inside the package.
    """
    if is_embedded(path):
        path = embedded(path, kind)
    if not path.is_dir():
        return path
    return path / MODEL if (path / MODEL).is_file() and not (path / WEIGHTS).is_file() else path / WEIGHTS


def trained_on(record: dict[str, Any]) -> str:
    """What a model was trained on, for people: ``drawn faces``, ``Helen + CelebA``.

    Args:
        record: the configuration in its weights file.
    """
    data = record.get("data") or {}
    faces = data if "title" in data else data.get("faces") or {}
    return str(faces.get("title") or "faces that are not recorded")


def content_hash(tensors: dict[str, Tensor], config: dict[str, Any]) -> str:
    """SHA-256 of a network: its weights and its shape, however its file is written."""
    found = hashlib.sha256(json.dumps(config, sort_keys=True).encode())
    for name in sorted(tensors):
        tensor = tensors[name].detach().cpu().contiguous()
        found.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        found.update(tensor.reshape(-1).view(torch.uint8).numpy().data)
    return found.hexdigest()


def load_weights(path: Path, *, kind: str) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Read a weights file and check what it is.

    Returns:
        The state dict on the CPU, and the configuration it was saved with.

    Raises:
        CheckpointMismatch: no such file, truncated, not faceaug's, of another kind or format.
    """
    metadata, tensors = _read(path)
    for key, wanted in (("faceaug_format", FORMAT), ("kind", kind)):
        found = metadata.get(key, "nothing")
        if found != wanted:
            raise CheckpointMismatch(f"{path}: {key} is {found!r}, needed {wanted!r}; name a weights file of that kind")
    try:
        config = dict(json.loads(metadata["config"]))
    except (KeyError, ValueError, TypeError) as error:
        raise CheckpointMismatch(f"{path}: has no configuration of its network; copy it again or train anew") from error
    return tensors, config


def weights_kind(path: Path) -> str:
    """What a weights file is of: ``parser``, ``gan`` or something else.

    Raises:
        CheckpointMismatch: no such file, truncated, or not faceaug's.
    """
    metadata, _ = _read(path, tensors=False)
    if "kind" not in metadata:
        raise CheckpointMismatch(f"{path}: not a weights file of faceaug; name that of train-parser or train-gan")
    return metadata["kind"]


def _read(path: Path, *, tensors: bool = True) -> tuple[dict[str, str], dict[str, Tensor]]:
    """Metadata and, unless they are not wanted, tensors of a safetensors file."""
    if not path.is_file():
        if (path.parent / "checkpoint.pt").is_file():
            raise CheckpointMismatch(f"{path}: not there yet, the run is unfinished; repeat the command that trains it")
        raise CheckpointMismatch(f"{path}: no such weights file; train one first, or name another")
    _readable(path)
    try:
        with safe_open(path, framework="pt") as handle:
            names = handle.keys() if tensors else ()
            return handle.metadata() or {}, {name: handle.get_tensor(name) for name in names}
    except (SafetensorError, OSError) as error:
        raise CheckpointMismatch(f"{path}: not a whole safetensors file ({error}); copy it again or train anew") from error


def _readable(path: Path) -> None:
    """Raise CheckpointMismatch where the system does not let a file be read: nothing is wrong with it then."""
    try:
        path.open("rb").close()
    except OSError as error:
        raise CheckpointMismatch(f"{path}: cannot be read ({error.strerror}); see who may read it") from error


def load_state(module: torch.nn.Module, tensors: dict[str, Tensor], path: Path) -> None:
    """Fill a network strictly.

    Raises:
        CheckpointMismatch: names or shapes differ.
    """
    try:
        module.load_state_dict(tensors)
    except RuntimeError as error:
        reason = " ".join(str(error).split())[:200]
        raise CheckpointMismatch(f"{path}: the weights do not fit the network ({reason}); train anew") from error


OFTEN = 300.0
"""Seconds after which a run saves a checkpoint although its number of images does not ask for one."""


def save_checkpoint(path: Path, state: dict[str, Any]) -> None:
    """Write everything a run needs to go on (state dicts, counters, random states), atomically."""
    with atomic_file(path) as part, _as_os_error():
        torch.save(state, part)


def load_checkpoint(path: Path, *, config: dict[str, Any]) -> dict[str, Any] | None:
    """Read a checkpoint back, or None where there is none.

    Args:
        path: the file :func:`save_checkpoint` wrote.
        config: the run's configuration now; the checkpoint's own (``state["config"]``) must equal it.

    Raises:
        CheckpointMismatch: truncated, or made with another configuration.
    """
    if not path.is_file():
        return None
    _readable(path)
    try:
        state: dict[str, Any] = dict(torch.load(path, map_location="cpu", weights_only=True))
    except Exception as error:  # on damaged bytes unpickling raises nearly anything
        reason = " ".join(str(error).split())[:100] or f"{path.stat().st_size} bytes"
        raise CheckpointMismatch(f"{path}: not a whole checkpoint ({reason}); delete it to start this run anew") from error
    stored = state.get("config")
    if stored != config:
        keys = sorted(set(config) | set(stored or {}))
        differing = [key for key in keys if (stored or {}).get(key) != config.get(key)]
        raise CheckpointMismatch(
            f"{path}: made with other settings ({', '.join(differing)}); use another --out, or delete the run"
        )
    return state
