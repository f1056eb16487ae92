"""Frozen dataclasses as configurations: to JSON, back, and with all problems reported at once."""

from __future__ import annotations

import dataclasses
from typing import Any, TypeVar

from faceaug.errors import ConfigError

T = TypeVar("T")


def to_dict(config: Any) -> dict[str, Any]:
    """A configuration dataclass as a JSON-able dict (tuples become lists, as JSON would have them)."""
    return {key: list(value) if isinstance(value, tuple) else value for key, value in dataclasses.asdict(config).items()}


def from_dict(kind: type[T], values: dict[str, Any], *, where: str) -> T:
    """Rebuild a configuration.

    Args:
        kind: the dataclass.
        values: what :func:`to_dict` gave.
        where: the file it came from, for the message.

    Raises:
        ConfigError: a field is unknown or missing, or a value out of range.
    """
    known = {field.name for field in dataclasses.fields(kind)}  # type: ignore[arg-type]
    unknown = sorted(set(values) - known)
    if unknown:
        raise ConfigError(
            f"{where}: unknown settings {', '.join(unknown)}; made by another version of faceaug; train anew, or use that one"
        )
    try:
        return kind(**{key: tuple(value) if isinstance(value, list) else value for key, value in values.items()})
    except TypeError as error:
        raise ConfigError(f"{where}: incomplete settings ({error}); it was written by another version") from error


def check(problems: dict[str, bool]) -> None:
    """Raise for every problem at once.

    Args:
        problems: message -> whether it applies.

    Raises:
        ConfigError: any applies.
    """
    found = [message for message, applies in problems.items() if applies]
    if found:
        raise ConfigError("; ".join(found))


def choose_preset(presets: dict[str, T], name: str) -> T:
    """Look a preset up.

    Raises:
        ConfigError: there is no such preset; the message lists them.
    """
    if name not in presets:
        raise ConfigError(f"--preset {name}: unknown; choose from {', '.join(presets)}")
    return presets[name]
