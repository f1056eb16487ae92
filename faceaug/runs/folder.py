"""Run folders: the same command finds the same folder again, and a later command the newest finished one."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from faceaug.embedded import FOLDER, KINDS, NAME
from faceaug.errors import CheckpointMismatch
from faceaug.files import ensure_folder, locked, read_json, short_hash, write_json
from faceaug.runs.checkpoint import WEIGHTS, content_hash, load_weights, weights_file


def run_folder(root: Path, kind: str, name: str, config: dict[str, Any]) -> Path:
    """``<root>/<kind>/<name>-<hash of config>``: one folder for each distinct set of settings."""
    return root / kind / f"{name}-{short_hash(config)}"


CONFIG = "config.json"
"""In every run folder: what the run is."""


def claim(run: Path, config: dict[str, Any], *, movable: tuple[str, ...] = ()) -> None:
    """Make a folder a run's own, or check that it already is; one in which nothing was ever made is anybody's.

    Args:
        run: the folder.
        config: all that the run's results depend on: settings, and which data (:meth:`faceaug.prepare.faces.FaceSet.about`).
        movable: top-level keys that are kept and may change: where files lie whose hashes are elsewhere in ``config``.

    Raises:
        CheckpointMismatch: it holds another run; the message names what differs.
        OutputError: it cannot be written.
    """
    file = run / CONFIG
    wanted = json.loads(json.dumps(config))
    if file.is_file():
        known = read_json(file, advice="delete the run to start it anew")
        if known == wanted:
            return  # nothing is written: a finished run may lie on a disk that is read-only
        kept = {key: wanted.get(key) for key in movable}
        found = list(dict.fromkeys(_differences({**known, **kept}, wanted)))
        if found and any(path.name != CONFIG for path in run.iterdir()):
            told = ", ".join(found[:6]) + (", ..." if len(found) > 6 else "")
            raise CheckpointMismatch(f"{run}: made with other settings ({told}); use another --out, or delete the run")
    ensure_folder(run)
    write_json(file, config)


@contextlib.contextmanager
def alone(run: Path) -> Iterator[None]:
    """Keep other processes from training in a run's folder.

    Raises:
        CheckpointMismatch: another one does.
    """
    with locked(run, ".training", wait=False) as held:
        if not held:
            raise CheckpointMismatch(f"{run}: another process trains there; wait for it, or use another --out")
        yield


def _differences(one: Any, other: Any, name: str = "") -> Iterator[str]:
    """Names of what differs between two JSON values."""
    if isinstance(one, dict) and isinstance(other, dict):
        for key in sorted(one.keys() | other.keys()):
            yield from _differences(one.get(key), other.get(key), f"{name}.{key}" if name else key)
    elif one != other:
        yield name.removesuffix(".sha256").removesuffix(".count").removesuffix(".title")


def finished(run: Path, kind: str) -> Path | None:
    """The run's weights where it is finished, which means that they load; None where it is not.

    Raises:
        CheckpointMismatch: the file is damaged or of another kind.
    """
    weights = run / WEIGHTS
    if not weights.is_file():
        return None
    load_weights(weights, kind=kind)
    return weights


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
        small = f", or {NAME}, the small one that comes with faceaug" if kind in KINDS else ""
        raise CheckpointMismatch(f"{root / kind}: no finished run there; run `faceaug {command}` first, or name its file{small}")
    return found


def own_parser(record: dict[str, Any], root: Path) -> Path:
    """The weights of the P_F that a generator was trained with, also where they have been moved together with the runs.

    Args:
        record: the generator's configuration.
        root: where runs are kept.

    Returns:
        The file that the record names; where there is none, the run in ``root`` that has the same weights, or the parser
        inside the package.
    """
    named, wanted = Path(str(record.get("parser", ""))), record.get("parser_hash")
    return _moved(named, wanted, root) or named


def own_teachers(record: dict[str, Any], root: Path) -> list[Path]:
    """The weights of the parsers that labelled a generator's training photos together, also where they have been moved.

    Args:
        record: the generator's configuration.
        root: where runs are kept.

    Returns:
        Their files; none where it had no such parsers, or where one of them is no longer there.
    """
    named = record.get("teachers") or {}
    found = [_moved(Path(path), wanted, root) for wanted, path in named.items()]
    return [path for path in found if path is not None] if None not in found else []


def _moved(named: Path, wanted: Any, root: Path) -> Path | None:
    """A weights file with a parser of a hash, where a record names it or elsewhere; None where there is none."""
    if named.is_file() and (wanted is None or _is(named, wanted)):  # another parser may have been trained there since
        return named
    others = [*sorted((root / "parser").glob(f"*/{WEIGHTS}")), weights_file(FOLDER / "parser")]
    return next((path for path in others if _is(path, wanted)), None)


def _is(path: Path, wanted: Any) -> bool:
    """Whether a parser's weights file has this hash."""
    try:
        tensors, config = load_weights(path, kind="parser")
    except CheckpointMismatch:
        return False
    return bool(content_hash(tensors, config.get("parser", {})) == wanted)
