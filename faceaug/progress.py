"""Progress lines with an estimate, and what else library work reports to a person."""

from __future__ import annotations

import math
import os
import sys
import time
from types import TracebackType

_quiet = False


def be_quiet() -> None:
    """From now on nothing is reported, on standard output neither: in all processes but the first of a group."""
    global _quiet
    _quiet = True
    sys.stdout = open(os.devnull, "w")  # noqa: SIM115 - for as long as the process lives


def say(text: str) -> None:
    """The one place where library work reports to a person: a line on standard error."""
    if not _quiet:
        print(text, file=sys.stderr, flush=True)


_SOON = 5.0
"""Seconds to the first line where standard error is no terminal: an estimate is wanted early."""


class Progress:
    """A counter with rate and time left, on standard error: one rewritten line on a terminal, else a line now and then.

    Args:
        label: what is counted, for example ``train-gan``.
        total: where the count ends.
        start: where it begins (a resumed run).
        unit: what one count is.
        every: seconds between lines where standard error is no terminal.
    """

    def __init__(self, label: str, total: int, *, start: int = 0, unit: str = "images", every: float = 30.0) -> None:
        self.label, self.total, self.count, self.unit = label, total, start, unit
        self._first = start
        self._began = time.monotonic()
        self._live = sys.stderr.isatty()
        self._every = 0.5 if self._live else every
        self._shown = 0.0 if self._live else self._began - max(self._every - _SOON, 0.0)
        self._width = 0

    def update(self, count: int, note: str = "") -> None:
        """Set the count; ``note`` is shown behind it."""
        self.count = count
        now = time.monotonic()
        if _quiet or (now - self._shown < self._every and count < self.total):
            return
        self._shown = now
        rate = (count - self._first) / max(now - self._began, 1e-9)
        left = (self.total - count) / rate if rate > 0 else math.inf
        share = 100 * count / max(self.total, 1)
        text = f"{self.label}: {count:,}/{self.total:,} {self.unit} ({share:.0f} %), {rate:,.1f}/s, {clock(left)} left"
        text += f"  {note}" if note else ""
        if self._live:
            print("\r" + text.ljust(self._width), end="", file=sys.stderr, flush=True)
        else:
            print(text, file=sys.stderr, flush=True)
        self._width = len(text)

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._live and self._width:
            print(file=sys.stderr, flush=True)


def clock(seconds: float) -> str:
    """Seconds as ``1 h 05 min``, ``3 min 20 s`` or ``12 s``."""
    if not math.isfinite(seconds):
        return "?"
    whole = round(seconds)
    if whole >= 3600:
        return f"{whole // 3600} h {whole % 3600 // 60:02d} min"
    if whole >= 60:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole} s"
