"""Ctrl-C and SIGTERM while a run trains: the step ends, a checkpoint is written, the command stops."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from types import FrameType
from typing import Any

from faceaug.errors import Interrupted

SIGNALS = (signal.SIGINT, signal.SIGTERM)


def stop(number: int, frame: FrameType | None) -> None:
    """Signal handler: raise :class:`faceaug.errors.Interrupted` where the program is."""
    raise Interrupted(number)


@dataclass
class Held:
    """A signal that waits.

    Attributes:
        number: of the signal that came; 0 where none did.
    """

    number: int = 0

    def release(self) -> None:
        """Raise :class:`faceaug.errors.Interrupted` where a signal came."""
        if self.number:
            raise Interrupted(self.number)


@contextlib.contextmanager
def held_back() -> Iterator[Held]:
    """Within this, a first signal only sets :attr:`Held.number`, so that a step can end; a second one comes through at once.

    In a thread that is not the main one signals are left alone.
    """
    held = Held()

    def remember(number: int, frame: FrameType | None) -> None:
        if held.number:
            stop(number, frame)
        held.number = number

    if threading.current_thread() is not threading.main_thread():
        yield held
        return
    before: dict[int, Any] = {number: signal.signal(number, remember) for number in SIGNALS}
    try:
        yield held
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
