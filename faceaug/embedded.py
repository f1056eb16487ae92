"""Models inside the package, trained on drawn faces: for trying every command out before anything is trained."""

from __future__ import annotations

from pathlib import Path

from faceaug.errors import CheckpointMismatch

NAME = "drawn"
"""What a path may say in place of a run: the model inside the package that is asked for."""

KINDS = ("parser", "gan")

FOLDER = Path(__file__).parent / "drawn"
"""A folder of the hub's layout for each of :data:`KINDS`."""


def is_embedded(path: Path) -> bool:
    """Whether a path names a model inside the package: ``drawn``, ``drawn/parser``, ``drawn/gan``, where no such file is."""
    return path.parts[:1] == (NAME,) and len(path.parts) <= 2 and not path.exists()


def lasting(path: Path) -> str:
    """A path as it can be written down for later: absolute, wherever a command is run; a model inside the package by its name."""
    return str(path if is_embedded(path) else path.absolute())


def embedded(path: Path, kind: str | None) -> Path:
    """The folder of a model that :func:`is_embedded`.

    Args:
        path: its name.
        kind: of :data:`KINDS`; None where either will do, and the name says which.

    Raises:
        CheckpointMismatch: no such model, or the name does not say which.
    """
    named = path.parts[1] if len(path.parts) == 2 else kind
    if named is None or named not in KINDS:
        told = "which of the two" if named is None else f"no {named}"
        raise CheckpointMismatch(f"{path}: {told}; name {' or '.join(f'{NAME}/{one}' for one in KINDS)}")
    return FOLDER / named
