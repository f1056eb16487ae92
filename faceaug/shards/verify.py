"""Whether a set's shards are what its index says."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from faceaug.errors import FaceaugError
from faceaug.progress import Progress
from faceaug.shards.index import read_index as read_index
from faceaug.shards.reader import check_shard

_AT_ONCE = 2**22


@dataclass(frozen=True)
class BadShard:
    """A shard that is not as it was written.

    Attributes:
        path: its file.
        reason: what is wrong with it.
    """

    path: Path
    reason: str


def verify(folder: Path) -> list[BadShard]:
    """The shards of a set that are missing, of another length, of other bytes, or cannot be read.

    Of sets written before the index held hashes every shard is only opened.

    Raises:
        ShardDamaged: the set is not finished, or its index is damaged.
    """
    shards = read_index(folder)["shards"]
    found = []
    with Progress("verify", len(shards), unit="shards") as progress:
        for number, shard in enumerate(shards, 1):
            reason = _reason(folder / shard["file"], shard)
            if reason:
                found.append(BadShard(folder / shard["file"], reason))
            progress.update(number)
    return found


def _reason(path: Path, shard: dict[str, Any]) -> str:
    try:
        if not path.is_file():
            return "is missing"
        if "sha256" not in shard:
            check_shard(path)
            return ""
        size = path.stat().st_size
        if size != shard["bytes"]:
            return f"has {size:,} bytes instead of {shard['bytes']:,}"
        return "" if file_hash(path) == shard["sha256"] else "has other bytes than were written"
    except (OSError, FaceaugError) as error:
        return f"cannot be read ({error})"


def file_hash(path: Path) -> str:
    """SHA-256 of a file in hexadecimal digits."""
    found = hashlib.sha256()
    with open(path, "rb") as file:
        while part := file.read(_AT_ONCE):
            found.update(part)
    return found.hexdigest()
