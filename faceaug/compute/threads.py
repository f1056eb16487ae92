"""How many threads compute on a CPU, where other processes want its cores too."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import torch

from faceaug.compute.parallel import cores

_STAT = Path("/proc/stat")
_EVERY = 1.0
"""Seconds between two looks at the cores."""
_WORTH_IT = 0.35
"""Share of a core that others take, above which it is left to them."""


@dataclass(frozen=True)
class Times:
    """Seconds since whenever.

    Attributes:
        clock: that went by.
        busy: that this process's cores were at work, in all.
        own: that they were at work for this process.
    """

    clock: float
    busy: float
    own: float


class FreeCores:
    """Gives torch as many threads as there are cores that other processes leave free.

    OpenMP's threads wait for each other after every operation, and at first without sleeping, which is the fastest way while
    each has a core of its own. Where one of them shares its core with another process, all of them wait for it, and most of the
    time is lost: one thread less is several times faster then.

    Sums in another order round differently, so that two runs of one seed may differ in the last digits; with OMP_NUM_THREADS set
    they do not.

    Args:
        read: gives the times now.
    """

    def __init__(self, read: Callable[[], Times] | None = None) -> None:
        self._read = read or _times
        self._most = torch.get_num_threads()
        self._cores = cores()
        self._before = self._read()

    def adapt(self) -> None:
        """Look how much others took since the last look, where that was a second ago, and choose the number of threads.

        It counts for the thread that calls this, so that has to be the one that computes.
        """
        if time.monotonic() - self._before.clock < _EVERY:
            return
        before, now = self._before, self._read()
        self._before = now
        others = (now.busy - before.busy - now.own + before.own) / max(now.clock - before.clock, 1e-9)
        wanted = min(max(int(self._cores - others + _WORTH_IT), 1), self._most)
        if wanted != torch.get_num_threads():
            torch.set_num_threads(wanted)


def free_cores(names: Iterable[str] = os.environ) -> FreeCores | None:
    """A choice of threads, or None where there is none: one thread, no Linux, or the user chose for OpenMP himself.

    Args:
        names: of the environment's variables.
    """
    chosen = any(name.startswith(("OMP_", "GOMP_", "KMP_", "MKL_")) for name in names)
    return None if chosen or torch.get_num_threads() < 2 or not _STAT.is_file() else FreeCores()


def _times() -> Times:
    """The kernel's counters; processes that yield to others (nice) are left out, unless this is one."""
    here = {f"cpu{number}" for number in os.sched_getaffinity(0)}
    rows = (line.split() for line in _STAT.read_text().splitlines())
    user, nice, system, interrupts, steal = 0, 0, 0, 0, 0
    for name, *counts in rows:
        if name in here:
            user, nice, system = user + int(counts[0]), nice + int(counts[1]), system + int(counts[2])
            interrupts, steal = interrupts + int(counts[5]) + int(counts[6]), steal + int(counts[7])
    ticks = user + system + interrupts + steal + (nice if os.nice(0) > 0 else 0)
    return Times(time.monotonic(), ticks / os.sysconf("SC_CLK_TCK"), time.process_time())
