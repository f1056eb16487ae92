"""Models in folders of the hub's layout: ``config.json``, ``model.safetensors`` and a card, ``README.md``.

``huggingface_hub.PyTorchModelHubMixin`` writes the same three files, but is a base class: every network would need the hub's
library at import, which is an extra here, and networks that a function builds (a U-Net of segmentation-models-pytorch) have no
class to give it. So the files are written here, and the library only downloads and uploads them.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from torch import Tensor

import faceaug
from faceaug.compute.device import Compute, choose_compute
from faceaug.embedded import embedded, is_embedded
from faceaug.errors import CheckpointMismatch, ConfigError, ExportFailed
from faceaug.export.card import model_card
from faceaug.export.model import Model, load_model
from faceaug.files import atomic_folder, read_json, write_json, write_text
from faceaug.hub import CARD, fetch, is_repository
from faceaug.parser.predict import Parser
from faceaug.parser.train import REPORT
from faceaug.runs.checkpoint import MODEL, content_hash, save_weights, weights_file

CONFIG = "config.json"
FILES = (CARD, CONFIG, MODEL)
"""What a folder holds."""


def is_saved(folder: Path) -> bool:
    """Whether :func:`save_pretrained` wrote a folder."""
    return (folder / MODEL).is_file() and (folder / CONFIG).is_file()


def save_pretrained(source: Path, folder: Path, *, name: str | None = None, half: bool = False) -> Path:
    """Write a trained model as a folder of the hub's layout, whole or not at all.

    Where files lie on this machine is left out.

    Args:
        source: weights of train-parser or train-gan, their run's folder, or another such folder.
        folder: the new one.
        name: OWNER/NAME, or another name for the card; the folder's where None.
        half: write 16-bit weights, half the size; what is loaded from them computes as ever.

    Returns:
        The folder.

    Raises:
        ConfigError: the folder is there already.
        CheckpointMismatch: the weights are missing, truncated, of no model, or do not fit their configuration.
        ExportFailed: a weight is too large for 16 bits.
        OutputError: the folder cannot be written.
    """
    if folder.exists():
        raise ConfigError(f"{folder}: is there already; name another folder")
    model = load_model(source, choose_compute("cpu", "fp32"))
    kind = "parser" if isinstance(model, Parser) else "gan"
    # A generator's record names the files of its P_F and teachers; their hashes are enough.
    config = {key: value for key, value in model.record.items() if not isinstance(value, str) or key != "parser"}
    if "teachers" in config:
        config["teachers"] = dict.fromkeys(config["teachers"], "")
    tensors = _half(model.network.state_dict()) if half else model.network.state_dict()
    shape = config["parser" if kind == "parser" else "generator"]
    about: dict[str, Any] = {"faceaug": faceaug.__version__, "kind": kind, "hash": content_hash(tensors, shape)}
    about |= {"score": _score(source, kind), "config": config}
    with atomic_folder(folder) as part:
        save_weights(part / MODEL, tensors, kind=kind, config=config)
        write_json(part / CONFIG, about)
        write_text(part / CARD, model_card(about, name or folder.resolve().name))
    return folder


def _half(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """Floating-point tensors as float16."""
    found = {name: tensor.half() if tensor.is_floating_point() else tensor for name, tensor in tensors.items()}
    for name, tensor in found.items():
        if not tensor.isfinite().all():
            raise ExportFailed(f"--half: {name} has values that 16 bits cannot hold; leave --half out")
    return found


def _score(source: Path, kind: str) -> dict[str, Any] | None:
    """A parser's best scores on its tuning faces, where they are known."""
    folder = weights_file(source, kind).parent
    advice = "delete it, and the card leaves the score out"
    if is_saved(folder):
        return read_about(folder)["score"]  # type: ignore[no-any-return]
    if kind == "parser" and (folder / REPORT).is_file():
        return dict(read_json(folder / REPORT, "best", advice=advice)["best"])
    return None


def read_about(folder: Path) -> dict[str, Any]:
    """``config.json`` of a folder: ``faceaug`` (the version), ``kind``, ``hash``, ``score`` and the run's ``config``.

    Raises:
        CheckpointMismatch: missing or damaged.
    """
    return read_json(folder / CONFIG, "kind", "hash", "score", "config", advice="write the folder again with save_pretrained")


def from_pretrained(name: str | Path, *, revision: str | None = None, device: str = "auto", precision: str = "auto") -> Model:
    """Load a parser or generator from a folder, or from a repository of the Hugging Face hub.

    Only a text that is no folder here and has the form OWNER/NAME is looked for on the hub: in its local cache first, and on the
    network where the hub's library is installed and not set to work offline.

    Args:
        name: a folder that :func:`save_pretrained` wrote, OWNER/NAME, or ``drawn/parser`` or ``drawn/gan`` in the package.
        revision: of a repository: branch, tag or commit; the main branch where None.
        device: ``auto`` or a torch device.
        precision: ``auto``, ``bf16`` or ``fp32``.

    Returns:
        For :func:`faceaug.parser.predict.predict_labels`, or with ``encode`` and ``generate``.

    Raises:
        CheckpointMismatch: no such folder or repository, or a file of it is missing, damaged or another model's.
        ConfigError: the device or precision is unknown.
    """
    folder = _folder(name, revision)
    about = read_about(folder)
    compute = choose_compute(device, precision)
    # The caller's threads stay as they are.
    model = load_model(folder / MODEL, Compute(compute.device, compute.precision))
    if model.hash != about["hash"] or model.record != about["config"]:
        raise CheckpointMismatch(f"{folder}: {MODEL} is not the model that {CONFIG} describes; copy both again")
    return model


def _saved(folder: Path) -> Path:
    if (folder / "log.jsonl").is_file():
        raise CheckpointMismatch(f"{folder}: a run, no saved model; write one with faceaug export-model {folder} --out FOLDER")
    if not (folder / CONFIG).is_file():
        raise CheckpointMismatch(f"{folder}: holds no saved model (no {CONFIG}); write it with save_pretrained")
    return folder


def _folder(name: str | Path, revision: str | None) -> Path:
    if Path(name).is_dir():
        return _saved(Path(name))
    if is_embedded(Path(name)):
        return embedded(Path(name), None)
    if isinstance(name, str) and is_repository(name):
        return fetch(name, FILES, revision=revision)
    raise CheckpointMismatch(f"{name}: no such folder; name one that save_pretrained wrote, or OWNER/NAME of the hub")
