"""The Hugging Face hub: what publishing a set and publishing a model have in common."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from faceaug.errors import CheckpointMismatch, ConfigError, OutputError

Kind = Literal["dataset", "model"]
"""Kinds of repositories."""

CARD = "README.md"
"""A repository's card."""

_NAME = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*", re.ASCII)
_PAGES: dict[Kind, str] = {"dataset": "https://huggingface.co/datasets/", "model": "https://huggingface.co/"}


@dataclass(frozen=True)
class Pushed:
    """What was published, or would be.

    Attributes:
        url: the repository's page.
        files: names in the published folder.
        size: of all of them, in bytes.
    """

    url: str
    files: tuple[str, ...]
    size: int


def is_repository(name: str) -> bool:
    """Whether a text is a repository's name, OWNER/NAME."""
    return _NAME.fullmatch(name) is not None


def check_repository(name: str) -> None:
    """Raise ConfigError unless ``name`` is OWNER/NAME."""
    if not is_repository(name):
        raise ConfigError(f"REPO {name!r}: must be OWNER/NAME, letters, digits, '-', '_' and '.'")


def page(repository: str, kind: Kind) -> str:
    """A repository's address."""
    return _PAGES[kind] + repository


def client() -> Any:
    """The hub's client, logged in.

    Raises:
        ConfigError: it is not installed, offline, or has no token.
    """
    try:
        import huggingface_hub
        from huggingface_hub import constants
    except ImportError as error:
        raise ConfigError("push: needs the package huggingface_hub; pip install 'faceaug[push]'") from error
    if constants.HF_HUB_OFFLINE:
        raise ConfigError("push: HF_HUB_OFFLINE is set, so nothing can be uploaded; unset it, or use --dry-run")
    if not huggingface_hub.get_token():
        raise ConfigError("push: no access token; run `hf auth login`, or set HF_TOKEN to a token that may write")
    return huggingface_hub.HfApi(library_name="faceaug")


def pushed(folder: Path, repository: str, kind: Kind, files: Sequence[str]) -> Pushed:
    """What is published of a folder: those of the files that are there count for its size."""
    size = sum((folder / name).stat().st_size for name in files if (folder / name).is_file())
    return Pushed(page(repository, kind), tuple(files), size)


def send(hub: Any, folder: Path, repository: str, kind: Kind, files: Sequence[str], *, private: bool, message: str) -> None:
    """Upload files of a folder.

    Args:
        hub: from :func:`client`.
        folder: where they lie.
        repository: made where it is not there.
        kind: of it.
        files: their names.
        private: make a new repository private.
        message: of the commit.

    Raises:
        OutputError: the hub refuses, or cannot be reached.
    """
    try:
        hub.create_repo(repository, repo_type=kind, private=private, exist_ok=True)
        hub.upload_folder(
            repo_id=repository, repo_type=kind, folder_path=folder, allow_patterns=list(files), commit_message=message
        )
    except Exception as error:  # the client raises errors of its own, of its HTTP library, and of the system
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise OutputError(f"{repository}: cannot be uploaded ({reason}); mend that and run the same command again") from error


def fetch(repository: str, files: Sequence[str], *, revision: str | None = None) -> Path:
    """The folder of the local cache that holds files of a model's repository, downloaded where they are not there.

    Args:
        repository: OWNER/NAME.
        files: names of the files.
        revision: branch, tag or commit; the main branch where None.

    Raises:
        CheckpointMismatch: the library is not installed, or they are not in the cache and it is offline, or the hub refuses.
    """
    try:
        import huggingface_hub
    except ImportError as error:
        raise CheckpointMismatch(
            f"{repository}: no folder, and reading it from the hub needs huggingface_hub; pip install 'faceaug[push]'"
        ) from error
    try:
        return Path(huggingface_hub.snapshot_download(repository, revision=revision, allow_patterns=list(files)))
    except Exception as error:  # as in send
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise CheckpointMismatch(f"{repository}: cannot be downloaded ({reason}); mend that, or name a folder") from error
