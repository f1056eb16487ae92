"""Frozen dataclasses as configurations: to JSON, back, and with all problems reported at once."""

from __future__ import annotations

import dataclasses
import json
import math
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar, get_args

from faceaug.errors import ConfigError

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

T = TypeVar("T")


def to_dict(config: Any) -> dict[str, Any]:
    """A configuration dataclass, and those in it, as a JSON-able dict (tuples become lists, as JSON would have them)."""

    def plain(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: plain(entry) for key, entry in value.items()}
        return [plain(entry) for entry in value] if isinstance(value, (list, tuple)) else value

    found: dict[str, Any] = plain(dataclasses.asdict(config))
    return found


def from_dict(kind: type[T], values: dict[str, Any], *, where: str) -> T:
    """Rebuild a configuration.

    Args:
        kind: the dataclass.
        values: what :func:`to_dict` gave.
        where: the file it came from, for the message.

    Raises:
        ConfigError: a field is unknown or missing, or a value out of range.
    """
    fields = {field.name: field for field in dataclasses.fields(kind)}  # type: ignore[arg-type]
    unknown = sorted(set(values) - set(fields))
    if unknown:
        raise ConfigError(
            f"{where}: unknown settings {', '.join(unknown)}; made by another version of faceaug; train anew, or use that one"
        )

    def built(name: str, value: Any) -> Any:
        inner = fields[name].default
        if isinstance(value, dict) and dataclasses.is_dataclass(inner):
            return from_dict(type(inner), value, where=f"{where}, {name}")
        return _tuples(value)

    try:
        return kind(**{name: built(name, value) for name, value in values.items()})
    except TypeError as error:
        raise ConfigError(f"{where}: incomplete settings ({error}); it was written by another version") from error


def _tuples(value: Any) -> Any:
    return tuple(_tuples(entry) for entry in value) if isinstance(value, list) else value


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


def check_choice(option: str, value: str, kind: Any) -> None:
    """Raise ConfigError unless ``value`` of ``option`` is one of the strings of ``kind``, a ``Literal``."""
    if value not in get_args(kind):
        raise ConfigError(f"{option} {value}: unknown; use {', '.join(get_args(kind))}")


def apply_settings(configs: dict[str, Any], *, file: Path | None = None, pairs: Sequence[str] = ()) -> dict[str, Any]:
    """Configurations with settings from a file, then from ``NAME=VALUE`` pairs.

    Args:
        configs: dataclasses by section, for example ``generator`` and ``training``.
        file: TOML whose keys, at the top or in a table named after a section, are fields; or a run's ``config.json``, of which
            these sections are taken.
        pairs: a name that several sections have sets them all.

    Returns:
        The sections anew.

    Raises:
        ConfigError: the file cannot be read, a name is unknown (the message lists the known ones), a value does not fit.
    """
    changes: dict[str, dict[str, Any]] = {section: {} for section in configs}

    def change(where: str, name: str, value: Any, sections: Iterable[str]) -> None:
        fits = [section for section in sections if name in _fields(configs[section])]
        if not fits:
            known = sorted({field for section in sections for field in _fields(configs[section])})
            raise ConfigError(f"{where} {name}: unknown; known are {', '.join(known)}")
        for section in fits:
            converted = _converted(f"{where} {name}", value, getattr(configs[section], name))
            for one in converted if isinstance(converted, tuple) else (converted,):
                check_number(f"{where} {name}", one)
            changes[section][name] = converted

    if file is not None:
        for section, name, value in _read_settings(file, configs):
            change(f"--config {file}:", name, value, configs if section is None else [section])
    for pair in pairs:
        name, equals, text = pair.partition("=")
        if not equals:
            raise ConfigError(f"--set {pair}: needs NAME=VALUE, for example --set seed=1")
        change("--set", name.strip(), text.strip(), configs)
    return {section: dataclasses.replace(config, **changes[section]) for section, config in configs.items()}


def configured(config: T, *, section: str, file: Path | None, pairs: Sequence[str] | None, given: dict[str, Any]) -> T:
    """A configuration with settings from a file, then from ``NAME=VALUE`` pairs, then from options.

    Args:
        config: the defaults.
        section: its name in the file, see :func:`apply_settings`.
        file: see there; or None.
        pairs: see there.
        given: fields by option; None where the option was not given.

    Raises:
        ConfigError: as :func:`apply_settings`.
    """
    found: T = apply_settings({section: config}, file=file, pairs=pairs or ())[section]
    return dataclasses.replace(found, **without_none(given))  # type: ignore[type-var]


def without_none(options: dict[str, Any]) -> dict[str, Any]:
    """Those of a command's options that were given.

    Raises:
        ConfigError: a number that is none, or no seed, see :func:`check_number`.
    """
    found = {name: value for name, value in options.items() if value is not None}
    for name, value in found.items():
        check_number(f"--{name.replace('_', '-')}", value)
    return found


LARGEST_SEED = 2**32 - 1


def check_number(option: str, value: Any) -> None:
    """Raise ConfigError for a number that is not finite, and for a seed that numpy and torch do not both take."""
    if isinstance(value, float) and not math.isfinite(value):
        raise ConfigError(f"{option} {value}: must be a finite number")
    if option.endswith("seed") and not 0 <= value <= LARGEST_SEED:
        raise ConfigError(f"{option} {value}: must be within 0..{LARGEST_SEED}")


def _fields(config: Any) -> set[str]:
    """Names of the settings; what is a dataclass itself (a label scheme) follows from the data."""
    return {field.name for field in dataclasses.fields(config) if not dataclasses.is_dataclass(getattr(config, field.name))}


def read_toml(file: Path) -> dict[str, Any]:
    """A TOML file, also one with a byte order mark.

    Raises:
        ConfigError: it cannot be read.
    """
    try:
        return tomllib.loads(file.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError) as error:
        raise ConfigError(f"{file}: cannot be read ({error}); name a TOML file") from error


def _read_settings(file: Path, sections: Iterable[str]) -> Iterator[tuple[str | None, str, Any]]:
    """Section (None at the top), name and value of each setting in a file."""
    try:
        found = json.loads(file.read_text(encoding="utf-8-sig")) if file.suffix == ".json" else read_toml(file)
    except (OSError, ValueError) as error:
        raise ConfigError(f"{file}: cannot be read ({error}); name a TOML file or a run's config.json") from error
    if not isinstance(found, dict):
        raise ConfigError(f"--config {file}: holds no settings by name; name a TOML file or a run's config.json")
    for key, value in found.items():
        if isinstance(value, dict) and key in sections:
            yield from ((key, name, entry) for name, entry in value.items() if not isinstance(entry, dict))
        elif file.suffix != ".json":  # a run's config.json also says what the run was on
            yield None, key, value


_TRUTHS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


def _converted(name: str, value: Any, now: Any) -> Any:
    """A value from text, TOML or JSON as the type that the setting has now."""
    problem = ConfigError(f"{name}: {value!r} does not fit; it is {now!r} by default")
    try:
        if isinstance(now, bool):
            return _TRUTHS[str(value).lower()]
        if isinstance(now, tuple):
            parts = value.split(",") if isinstance(value, str) else list(value)
            if len(parts) != len(now):
                raise problem
            return tuple(_converted(name, part, one) for part, one in zip(parts, now, strict=True))
        if isinstance(now, int):
            whole = int(value.replace("_", "") if isinstance(value, str) else value)
            if whole != float(value.replace("_", "") if isinstance(value, str) else value):
                raise problem
            return whole
        return type(now)(value)
    except (KeyError, TypeError, ValueError) as error:
        raise problem from error


def choose_preset(presets: dict[str, T], name: str) -> T:
    """Look a preset up.

    Raises:
        ConfigError: there is no such preset; the message lists them.
    """
    if name not in presets:
        raise ConfigError(f"--preset {name}: unknown; choose from {', '.join(presets)}")
    return presets[name]
