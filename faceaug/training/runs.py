"""Run folders: the same command finds the same folder again, and a later command the newest finished one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from faceaug.errors import CheckpointMismatch
from faceaug.files import file_hash, short_hash

WEIGHTS = "weights.safetensors"
"""Every training run ends by writing this file; a run folder that has it is finished."""


def run_folder(root: Path, kind: str, name: str, config: dict[str, Any]) -> Path:
    """``<root>/<kind>/<name>-<hash of config>``: one folder for each distinct set of settings."""
    return root / kind / f"{name}-{short_hash(config)}"


def latest(root: Path, kind: str, filename: str = WEIGHTS) -> Path | None:
    """The newest ``<root>/<kind>/*/<filename>`` by modification time, or None."""
    found = sorted((root / kind).glob(f"*/{filename}"), key=lambda path: path.stat().st_mtime)
    return found[-1] if found else None


def find(root: Path, kind: str, command: str, filename: str = WEIGHTS) -> Path:
    """As :func:`latest`, but missing is an error that names the command to run.

    Raises:
        CheckpointMismatch: no finished run.
    """
    found = latest(root, kind, filename)
    if found is None:
        raise CheckpointMismatch(f"{root / kind}: no finished run there; run `faceaug {command}` first, or name its file")
    return found


def own_parser(record: dict[str, Any], root: Path) -> Path:
    """The weights of the P_F that a generator was trained with, also where they have been moved together with the runs.

    Args:
        record: the generator's configuration.
        root: where runs are kept.

    Returns:
        The file that the record names; where there is none, the run in ``root`` that has the same weights, if any.
    """
    named = Path(str(record.get("parser", "")))
    if named.is_file():
        return named
    found = (path for path in sorted((root / "parser").glob(f"*/{WEIGHTS}")) if file_hash(path) == record.get("parser_hash"))
    return next(found, named)
