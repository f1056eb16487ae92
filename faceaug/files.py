"""Writing so that a file or folder is either there whole or not at all, and reading so that a bad file has a name."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import json
import os
import secrets
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from faceaug.errors import CheckpointMismatch, DatasetDamaged, FaceaugError, OutputError


def _umask() -> int:
    found = os.umask(0o077)
    os.umask(found)
    return found


_UMASK = _umask()


def _reason(error: OSError, path: Path | None = None) -> str:
    """What the system says; writers that do not ask it say something of their own, so a full disk is looked for."""
    if error.strerror is None and path is not None:
        with contextlib.suppress(OSError):
            if shutil.disk_usage(path.parent).free < _FULL:
                return os.strerror(errno.ENOSPC)
    return error.strerror or " ".join(str(error).split())


_FULL = 2**20
"""Bytes that are free on a disk that is taken for full."""


@contextlib.contextmanager
def atomic_file(path: Path, *, option: str = "--out") -> Iterator[Path]:
    """Give a temporary name beside ``path``; on success sync it and rename it to ``path``, else remove it.

    Args:
        path: the file.
        option: of the command line that says where it goes, for the message.

    Raises:
        OutputError: the folder cannot be made, or the file not be written (full disk, no permission).
    """
    part = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")  # processes of two hosts may have one number
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield part
        os.chmod(part, 0o666 & ~_UMASK)  # safetensors makes files that only their owner can read
        with open(part, "rb") as handle:
            os.fsync(handle.fileno())
        os.replace(part, path)
        _sync_folder(path.parent)
    except OSError as error:
        raise OutputError(
            f"{path}: cannot be written ({_reason(error, path)}); free some space or choose another place with {option}"
        ) from error
    finally:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)


@contextlib.contextmanager
def atomic_folder(path: Path, *, option: str = "--out") -> Iterator[Path]:
    """Give a temporary folder beside ``path``; on success rename it to ``path``, else remove it.

    Where another process made ``path`` meanwhile, its folder stays: both hold the same. Arguments as :func:`atomic_file`.

    Raises:
        OutputError: as for :func:`atomic_file`.
    """
    part = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")  # processes of two hosts may have one number
    try:
        part.mkdir(parents=True)
        yield part
        for file in part.rglob("*"):
            if file.is_file():
                with open(file, "rb") as handle:
                    os.fsync(handle.fileno())
        try:
            os.replace(part, path)
        except OSError:
            if not path.is_dir():
                raise
        _sync_folder(path.parent)
    except OSError as error:
        raise OutputError(
            f"{path}: cannot be written ({_reason(error, path)}); free some space or choose another place with {option}"
        ) from error
    finally:
        shutil.rmtree(part, ignore_errors=True)


@contextlib.contextmanager
def locked(folder: Path, name: str, *, wait: bool) -> Iterator[bool]:
    """Hold a lock in a folder; gives whether it is held. It ends with the process, however that ends.

    Args:
        folder: made where it is not there.
        name: of the lock's file.
        wait: until another process gives it up; else do without where one holds it.

    Raises:
        OutputError: the folder cannot be written, or its disk has no locks.
    """
    ensure_folder(folder)
    try:
        lock = open(folder / name, "w", encoding="utf-8")  # noqa: SIM115 - closed below, where its errors are not the lock's
    except OSError as error:
        raise _unlockable(folder, error) from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            held = False
        except OSError as error:
            raise _unlockable(folder, error) from error
        else:
            held = True
        yield held


def _unlockable(folder: Path, error: OSError) -> OutputError:
    return OutputError(f"{folder}: cannot be locked ({error.strerror}); choose another place with --out")


def _sync_folder(path: Path) -> None:
    with contextlib.suppress(OSError):
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def write_text(path: Path, text: str, *, option: str = "--out") -> None:
    """Write a UTF-8 text file atomically; arguments as :func:`atomic_file`."""
    with atomic_file(path, option=option) as part:
        part.write_text(text, encoding="utf-8")


def write_json(path: Path, value: Any, *, option: str = "--out") -> None:
    """Write JSON atomically, indented, keys in the given order; arguments as :func:`atomic_file`."""
    write_text(path, json.dumps(value, indent=2) + "\n", option=option)


def ensure_folder(path: Path, *, option: str = "--out") -> Path:
    """Make ``path`` and see that it can be written to; arguments as :func:`atomic_file`.

    Raises:
        OutputError: it cannot.
    """
    probe = path / f".write-probe-{secrets.token_hex(4)}"
    try:
        path.mkdir(parents=True, exist_ok=True)
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise OutputError(f"{path}: cannot be written ({_reason(error)}); choose another place with {option}") from error
    return path


def read_json(path: Path, *keys: str, advice: str, error: type[FaceaugError] = CheckpointMismatch) -> dict[str, Any]:
    """Read an object that :func:`write_json` wrote.

    Args:
        path: the file.
        keys: that it must have.
        advice: what to do about a damaged one, for the message.
        error: what is raised.

    Raises:
        FaceaugError: ``error``: it cannot be read, or is not such an object.
    """
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except OSError as problem:
        raise error(f"{path}: cannot be read ({_reason(problem)})") from problem
    except ValueError as problem:
        raise error(f"{path}: damaged ({problem}); {advice}") from problem
    missing = [key for key in keys if not isinstance(found, dict) or key not in found]
    if missing or not isinstance(found, dict):
        raise error(f"{path}: damaged (no {', '.join(missing) or 'JSON object'}); {advice}")
    return found


def content_of(files: Sequence[Path]) -> str:
    """Eight hex digits that name some files' names and contents.

    Raises:
        DatasetDamaged: one cannot be read.
    """
    try:
        return short_hash([[file.name, hashlib.sha256(file.read_bytes()).hexdigest()] for file in files])
    except OSError as error:
        raise DatasetDamaged(f"{error.filename}: cannot be read ({error.strerror}); copy it again") from error


def short_hash(value: Any) -> str:
    """Eight hex digits that name a JSON-able value; the same value gives the same name everywhere."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:8]
