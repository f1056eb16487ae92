"""Jobs of a benchmark or a set: each computed once, by one of the processes that run the same command."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from faceaug.files import locked, read_json, write_json
from faceaug.progress import clock, say

DONE = "cell.json"


@dataclass(frozen=True)
class Cell:
    """One training and its scores, or something else that takes long and is kept.

    Attributes:
        folder: of the cell's run; :data:`DONE` in it holds the result.
        compute: gives the result; resumes what an earlier process left in the folder.
        summary: the line that is shown of a result; none where it is empty.
        needs: cells that have to be done before, which are in the same list.
    """

    folder: Path
    compute: Callable[[], dict[str, Any]]
    summary: Callable[[dict[str, Any]], str]
    needs: tuple[Cell, ...] = field(default=(), kw_only=True)

    def result(self) -> dict[str, Any] | None:
        """What was computed, by whichever process; None where nobody did yet."""
        done = self.folder / DONE
        if not done.is_file():
            return None
        return read_json(done, advice="delete it to compute this cell again")

    @property
    def ready(self) -> bool:
        """Whether all that it needs is done."""
        return all(cell.result() is not None for cell in self.needs)


def compute_cells(cells: Sequence[Cell], *, after: Callable[[], object] | None = None) -> list[dict[str, Any]]:
    """The results of all cells, in their order.

    Other processes may do the same at the same time, on this machine or on others that share the disk: each cell is computed by
    the first that comes to it. If that one dies, its lock is gone with it, and a process that waits for the cell goes on with it.

    Args:
        cells: most urgent first; one that needs others waits for them.
        after: called after each cell that this process has computed.

    Raises:
        OutputError: a folder cannot be written.
    """
    pending, wait = list(cells), False
    computed, taken = 0, 0.0
    while pending:
        left: list[Cell] = []
        moved = False
        for number, cell in enumerate(pending):
            if cell.result() is not None:
                continue
            if not cell.ready:
                left.append(cell)
                continue
            if waiting := wait and not moved:
                say(f"waiting for {cell.folder}, which another process is at")
            with locked(cell.folder, ".lock", wait=waiting) as mine:
                if not mine:
                    left.append(cell)
                    continue
                moved = True
                if cell.result() is None:
                    began = time.monotonic()
                    result = cell.compute()
                    write_json(cell.folder / DONE, result)
                    taken, computed = taken + time.monotonic() - began, computed + 1
                    if told := cell.summary(result):
                        say(told + _outlook([*left, *pending[number + 1 :]], taken / computed))
                    if after is not None:
                        after()
        pending, wait = left, not moved
    found = [cell.result() for cell in cells]
    return [result for result in found if result is not None]


def _outlook(cells: Sequence[Cell], each: float) -> str:
    """What is still to be computed, by whom ever."""
    left = sum(cell.result() is None for cell in cells)
    return f"; {left} to go, about {clock(left * each)} of one process" if left else ""
