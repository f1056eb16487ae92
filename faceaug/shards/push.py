"""Publishing a set: its folder as a dataset repository of the Hugging Face hub."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from faceaug.errors import ConfigError, OutputError
from faceaug.shards.card import CARD, describe, write_card
from faceaug.shards.croissant import CROISSANT
from faceaug.shards.index import COMPLETE, read_index
from faceaug.shards.verify import verify

_ALSO = ("config.json", "faces.png")
"""Files of a set that are published where they are there."""
_NAME = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*", re.ASCII)


@dataclass(frozen=True)
class Pushed:
    """What was published, or would be.

    Attributes:
        url: the repository's page.
        files: names in the set's folder.
        size: of all of them, in bytes.
    """

    url: str
    files: tuple[str, ...]
    size: int


def push(folder: Path, repository: str, *, private: bool = False, dry_run: bool = False) -> Pushed:
    """Check a finished set, describe it and upload it.

    An edited ``README.md`` stays as it is; ``croissant.json`` gets the repository's address. A dry run writes and sends nothing.

    Args:
        folder: the set.
        repository: ``OWNER/NAME``; made where it is not there.
        private: make a new repository private.
        dry_run: only say what would be uploaded.

    Raises:
        ConfigError: not such a name, the hub's library or the token is missing, or it is set to work offline.
        ShardDamaged: the set is not finished, or a shard is not as it was written.
        OutputError: the hub refuses, or cannot be reached.
    """
    if not _NAME.fullmatch(repository):
        raise ConfigError(f"REPO {repository!r}: must be OWNER/NAME, letters, digits, '-', '_' and '.'")
    index = read_index(folder)
    bad = verify(folder)
    if bad:
        raise ConfigError(f"{bad[0].path}: {bad[0].reason}; repeat the `faceaug generate` command before the set is published")
    url = f"https://huggingface.co/datasets/{repository}"
    shards = [str(shard["file"]) for shard in index["shards"]]
    files = (CARD, CROISSANT, COMPLETE, *(name for name in _ALSO if (folder / name).is_file()), *shards)
    hub = None if dry_run else _hub()
    if not dry_run:
        name = repository.partition("/")[2]
        if not (folder / CARD).is_file():
            write_card(folder, name=name)
        describe(folder, name=name, url=url)
    size = sum((folder / name).stat().st_size for name in files if (folder / name).is_file())
    if hub is not None:
        _send(hub, folder, repository, files, private=private)
    return Pushed(url, files, size)


def _hub() -> Any:
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


def _send(hub: Any, folder: Path, repository: str, files: tuple[str, ...], *, private: bool) -> None:
    try:
        hub.create_repo(repository, repo_type="dataset", private=private, exist_ok=True)
        hub.upload_folder(
            repo_id=repository,
            repo_type="dataset",
            folder_path=folder,
            allow_patterns=list(files),
            commit_message="Labelled synthetic faces, uploaded by faceaug",
        )
    except Exception as error:  # the client raises errors of its own, of its HTTP library, and of the system
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise OutputError(f"{repository}: cannot be uploaded ({reason}); mend that and run the same command again") from error
