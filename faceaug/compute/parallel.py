"""Work on many photos at once: decoding and warping leave Python's lock alone."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import TypeVar

Given = TypeVar("Given")
Found = TypeVar("Found")

_MOST = 16
_AHEAD = 4


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def in_order(function: Callable[[Given], Found], given: Iterable[Given]) -> Iterator[Found]:
    """Results in the order of what is given, computed a few ahead on all cores.

    Raises:
        Exception: the first that ``function`` raises, in its place in the order; what waits is cancelled.
    """
    workers = min(cores(), _MOST)
    if workers == 1:
        yield from map(function, given)
        return
    waiting: deque[Future[Found]] = deque()
    rest = iter(given)
    with ThreadPoolExecutor(workers) as pool:
        try:
            waiting.extend(pool.submit(function, one) for one in islice(rest, _AHEAD * workers))
            while waiting:
                yield waiting.popleft().result()
                waiting.extend(pool.submit(function, one) for one in islice(rest, 1))
        finally:
            for future in waiting:
                future.cancel()
