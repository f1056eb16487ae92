"""Publishing a model: a run or a folder of the hub's layout as a model repository of the Hugging Face hub."""

from __future__ import annotations

import tempfile
from pathlib import Path

from faceaug import hub
from faceaug.export.card import model_card
from faceaug.export.hub import FILES, from_pretrained, is_saved, read_about, save_pretrained
from faceaug.files import write_text


def push_model(source: Path, repository: str, *, private: bool = False, dry_run: bool = False) -> hub.Pushed:
    """Check a model, describe it and upload it, with the ONNX files that lie in its folder.

    Of a run a folder is written aside first. An edited ``README.md`` of a folder stays as it is. A dry run sends nothing.

    Args:
        source: weights, their run's folder, or a folder that :func:`faceaug.export.hub.save_pretrained` wrote.
        repository: ``OWNER/NAME``; made where it is not there.
        private: make a new repository private.
        dry_run: only say what would be uploaded.

    Raises:
        ConfigError: not such a name, the hub's library or the token is missing, or it is set to work offline.
        CheckpointMismatch: the weights are missing, damaged, or not those that the folder describes.
        OutputError: the hub refuses, or cannot be reached.
    """
    hub.check_repository(repository)
    if not is_saved(source):
        with tempfile.TemporaryDirectory() as aside:
            folder = save_pretrained(source, Path(aside) / "model", name=repository)
            return push_model(folder, repository, private=private, dry_run=dry_run)
    from_pretrained(source, device="cpu", precision="fp32")
    files = (*FILES, *sorted(path.name for path in source.glob("*.onnx")))
    if dry_run:
        return hub.pushed(source, repository, "model", files)
    client = hub.client()
    if not (source / hub.CARD).is_file():
        write_text(source / hub.CARD, model_card(read_about(source), repository))
    message = "A model for labelled faces, uploaded by faceaug"
    hub.send(client, source, repository, "model", files, private=private, message=message)
    return hub.pushed(source, repository, "model", files)
