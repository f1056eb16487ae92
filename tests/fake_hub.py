"""What stands in for the hub's client in tests."""

from __future__ import annotations

from typing import Any


class Hub:
    """Remembers what it was asked to do.

    Args:
        error: raised where files are uploaded.
    """

    def __init__(self, error: Exception | None = None) -> None:
        self.calls: list[Any] = []
        self.error = error

    def __call__(self, **_: Any) -> Hub:
        return self

    def create_repo(self, *args: Any, **named: Any) -> None:
        self.calls.append((args, named))

    def upload_folder(self, **named: Any) -> None:
        if self.error:
            raise self.error
        self.calls.append(named)
