"""The cells of a benchmark: each computed once, by one of the processes that run the same command."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from faceaug.files import locked, read_json, write_json
from faceaug.progress import say

DONE = "cell.json"


@dataclass(frozen=True)
class Cell:
    """One training and its scores.

    Attributes:
        folder: of the cell's run; :data:`DONE` in it holds the result.
        compute: gives the result; resumes what an earlier process left in the folder.
        summary: the line that is shown of a result; none where it is empty.
    """

    folder: Path
    compute: Callable[[], dict[str, Any]]
    summary: Callable[[dict[str, Any]], str]

    def result(self) -> dict[str, Any] | None:
        """What was computed, by whichever process; None where nobody did yet."""
        done = self.folder / DONE
        if not done.is_file():
            return None
        return read_json(done, advice="delete it to compute this cell again")


def compute_cells(cells: Sequence[Cell]) -> list[dict[str, Any]]:
    """The results of all cells, in their order.

    Other processes may do the same at the same time, on this machine or on others that share the disk: each cell is computed by
    the first that comes to it. If that one dies, its lock is gone with it, and a process that waits for the cell goes on with it.

    Args:
        cells: most urgent first.

    Raises:
        OutputError: a folder cannot be written.
    """
    for wait in (False, True):
        for cell in cells:
            if cell.result() is not None:
                continue
            if wait:
                say(f"waiting for {cell.folder}, which another process is at")
            with locked(cell.folder, ".lock", wait=wait) as mine:
                if mine and cell.result() is None:
                    result = cell.compute()
                    write_json(cell.folder / DONE, result)
                    if told := cell.summary(result):
                        say(told)
    found = [cell.result() for cell in cells]
    return [result for result in found if result is not None]
