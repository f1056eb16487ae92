"""JSON-lines logs of training runs."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from faceaug.errors import DatasetDamaged, OutputError
from faceaug.files import write_text


class JsonLog:
    """Append-only log, one JSON object a line; a resumed run first drops the lines its checkpoint has not seen.

    Args:
        path: ``*.jsonl``.
        keep: keeps a line of an earlier process where it returns True.
    """

    def __init__(self, path: Path, *, keep: Callable[[dict[str, Any]], bool] = lambda row: True) -> None:
        self.path = path
        rows = [row for row in read_log(path) if keep(row)] if path.is_file() else []
        write_text(path, "".join(json.dumps(row) + "\n" for row in rows))

    def add(self, **row: Any) -> None:
        """Append one line."""
        try:
            with open(self.path, "a") as handle:
                handle.write(json.dumps(row) + "\n")
        except OSError as error:
            raise OutputError(f"{self.path}: cannot be written ({error.strerror}); free some space") from error


def read_log(path: Path) -> list[dict[str, Any]]:
    """All whole lines of a log; a last line cut by a kill is left out.

    Raises:
        DatasetDamaged: a line before the last is no JSON object.
    """
    lines = path.read_bytes().splitlines()
    rows: list[dict[str, Any]] = []
    for number, line in enumerate(lines, 1):
        try:
            rows.append(dict(json.loads(line)))
        except (ValueError, TypeError) as error:
            if number < len(lines):
                raise DatasetDamaged(f"{path}: line {number} is no JSON object; delete the log to start it anew") from error
    return rows
