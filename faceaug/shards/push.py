"""Publishing a set: its folder as a dataset repository of the Hugging Face hub."""

from __future__ import annotations

from pathlib import Path

from faceaug import hub
from faceaug.errors import ConfigError
from faceaug.shards.card import describe, write_card
from faceaug.shards.croissant import CROISSANT
from faceaug.shards.index import COMPLETE, read_index
from faceaug.shards.verify import verify

_ALSO = ("config.json", "faces.png")
"""Files of a set that are published where they are there."""


def push(folder: Path, repository: str, *, private: bool = False, dry_run: bool = False) -> hub.Pushed:
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
    hub.check_repository(repository)
    index = read_index(folder)
    bad = verify(folder)
    if bad:
        raise ConfigError(f"{bad[0].path}: {bad[0].reason}; repeat the `faceaug generate` command before the set is published")
    shards = [str(shard["file"]) for shard in index["shards"]]
    files = (hub.CARD, CROISSANT, COMPLETE, *(name for name in _ALSO if (folder / name).is_file()), *shards)
    if dry_run:
        return hub.pushed(folder, repository, "dataset", files)
    client = hub.client()
    name = repository.partition("/")[2]
    if not (folder / hub.CARD).is_file():
        write_card(folder, name=name)
    describe(folder, name=name, url=hub.page(repository, "dataset"))
    message = "Labelled synthetic faces, uploaded by faceaug"
    hub.send(client, folder, repository, "dataset", files, private=private, message=message)
    return hub.pushed(folder, repository, "dataset", files)
