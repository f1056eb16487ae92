"""Where uploads lie until they are read: a folder of this process that no other user sees, and that ends with it."""

from __future__ import annotations

import contextlib
import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from threading import Lock

from faceaug.errors import DatasetDamaged

_AGE = 60.0
"""Seconds after which a file that nobody fetched, or of which only a part came, is removed."""

_KEPT = 10.0
"""Seconds for which an upload that was taken is kept in memory, for another session that has sent the same file."""


@contextlib.contextmanager
def private_folder() -> Iterator[Path]:
    """An empty folder with mode 0700 that Gradio keeps uploads in; removed at the end."""
    with tempfile.TemporaryDirectory(prefix="faceaug-web-") as name:
        before = os.environ.get("GRADIO_TEMP_DIR")
        os.environ["GRADIO_TEMP_DIR"] = name
        try:
            yield Path(name)
        finally:
            os.environ.pop("GRADIO_TEMP_DIR")
            if before is not None:
                os.environ["GRADIO_TEMP_DIR"] = before


def take(file: Path, folder: Path) -> bytes:
    """What was uploaded; its file is gone afterwards.

    Args:
        file: below the folder, in one of its own.
        folder: the private one.

    Raises:
        DatasetDamaged: it is not there, or not an upload.
    """
    where = file.resolve()
    if where.parent.parent != folder.resolve():
        raise DatasetDamaged(f"{file.name}: no upload; drop it again")
    with _taking:
        try:
            data = where.read_bytes()
        except OSError as error:
            if where not in _taken:
                raise DatasetDamaged(f"{file.name}: the upload is no longer there; drop it again") from error
            return _taken[where][1]
        _taken[where] = time.monotonic(), data
        where.unlink(missing_ok=True)
    with contextlib.suppress(OSError):
        where.parent.rmdir()
    return data


_taking = Lock()
_taken: dict[Path, tuple[float, bytes]] = {}
"""What was taken a moment ago, and when: sessions that send one file at the same time share its name."""


def sweep(folder: Path, age: float = _AGE) -> None:
    """Remove what has lain in a private folder for some seconds, and what was taken from it so long ago."""
    with _taking:
        for path in [path for path, (when, _) in _taken.items() if when < time.monotonic() - min(age, _KEPT)]:
            del _taken[path]
    for path in sorted(folder.rglob("*"), reverse=True):  # files before their folders
        with contextlib.suppress(OSError):
            if path.is_dir():
                path.rmdir()
            elif path.stat().st_mtime < time.time() - age:
                path.unlink()
