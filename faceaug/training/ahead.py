"""Batches made while the step before them runs."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Generic, TypeVar

T = TypeVar("T")


class Ahead(Generic[T]):
    """Gives what ``make(step)`` gives, made one step ahead in a thread.

    Batches are functions of their step number alone, so neither their content nor their order depends on the thread.

    Args:
        make: a batch from its step number.
        steps: there are no batches from this number on.

    Attributes:
        waited: seconds that steps had to wait for their batches, in all.
    """

    def __init__(self, make: Callable[[int], T], *, steps: int) -> None:
        self._make, self._steps = make, steps
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="batches")
        self._next: tuple[int, Future[T]] | None = None
        self.waited = 0.0

    def get(self, step: int) -> T:
        """The batch of ``step``; an error while it was made is raised here."""
        began = time.perf_counter()
        pending = self._next[1] if self._next is not None and self._next[0] == step else None
        batch = self._make(step) if pending is None else pending.result()
        self.waited += time.perf_counter() - began
        self._next = (step + 1, self._pool.submit(self._make, step + 1)) if step + 1 < self._steps else None
        return batch

    def __enter__(self) -> Ahead[T]:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._pool.shutdown(cancel_futures=True)
