"""``complete.json``, the index of a finished set."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from faceaug.config import to_dict
from faceaug.errors import ShardDamaged
from faceaug.files import read_json
from faceaug.labels import Scheme
from faceaug.shards.writer import VERSION

COMPLETE = "complete.json"
"""Written last: a folder that has it is a whole set."""


def read_index(folder: Path) -> dict[str, Any]:
    """``complete.json`` of a finished set.

    Raises:
        ShardDamaged: there is none.
        CheckpointMismatch: it is damaged.
    """
    path = folder / COMPLETE
    if not path.is_file():
        raise ShardDamaged(f"{folder}: holds no finished set; run the same `faceaug generate` command to its end")
    return read_json(path, "faces", "planned", "dropped", "agreement", "shards", advice="delete it to generate what is missing")


def set_hash(folder: Path) -> str:
    """SHA-256 of which faces a finished set holds, in which order: the same wherever it lies, another where a shard differs.

    Of sets written before the index held hashes, of the index.

    Raises:
        ShardDamaged, CheckpointMismatch: as :func:`read_index`.
    """
    shards = read_index(folder)["shards"]
    if any("sha256" not in shard for shard in shards):
        return hashlib.sha256((folder / COMPLETE).read_bytes()).hexdigest()
    held = [[shard["rows"], shard["sha256"]] for shard in shards]
    return hashlib.sha256(json.dumps(held).encode()).hexdigest()


def common_facts(size: int, scheme: Scheme) -> dict[str, Any]:
    """What the index says of all shards, so that a reader need not open them: ``version``, ``size``, ``scheme``."""
    return {"version": VERSION, "size": size, "scheme": to_dict(scheme)}
