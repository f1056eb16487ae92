"""``NAME`` or ``NAME:DIR`` on the command line, to a dataset."""

from __future__ import annotations

import os
from pathlib import Path

from faceaug.errors import ConfigError
from faceaug.prepare.faces import FaceSet, align

from .celeba import CelebA
from .helen import Helen

LABELLED = {"helen": Helen}
"""Datasets with label maps: targets, and what parsers train on."""

UNLABELLED = {"celeba": CelebA}
"""Datasets of photos alone: sources, and what a parser labels for the GAN."""


def data_root(given: Path | None) -> Path:
    """``--data-root``, else ``$FACEAUG_DATA``, else ``./data``."""
    return given or Path(os.environ.get("FACEAUG_DATA") or "data")


def resolve(spec: str, root: Path) -> tuple[str, Path]:
    """``helen`` -> ``<root>/helen``; ``helen:DIR`` -> ``DIR``.

    Raises:
        ConfigError: an unknown dataset name.
    """
    name, _, folder = spec.partition(":")
    known = {**LABELLED, **UNLABELLED}
    if name not in known:
        raise ConfigError(f"dataset {spec!r}: unknown; use NAME or NAME:DIR with NAME one of {', '.join(known)}")
    return name, Path(folder).expanduser() if folder else root / name


def open_labelled(spec: str, split: str, *, size: int, root: Path, cache: Path | None, limit: int | None = None) -> FaceSet:
    """Aligned faces with label maps.

    Args:
        spec: ``NAME`` or ``NAME:DIR``.
        split: ``train``, ``tuning`` or ``testing``.
        size: side of the crops in pixels.
        root: the data root.
        cache: where aligned faces are kept, see :func:`faceaug.prepare.faces.align`.
        limit: only the first so many of the split.

    Raises:
        ConfigError: not a labelled dataset's name.
        DatasetNotFound, DatasetDamaged: see the reader.
    """
    name, folder = resolve(spec, root)
    if name not in LABELLED:
        raise ConfigError(f"dataset {spec!r}: has no label maps; use one of {', '.join(LABELLED)}")
    return align(LABELLED[name](folder, split, limit=limit), size=size, cache=cache)


def open_photos(spec: str, *, size: int, root: Path, cache: Path | None, split: str = "all") -> FaceSet:
    """Aligned photos of an unlabelled dataset; arguments and errors as :func:`open_labelled`."""
    name, folder = resolve(spec, root)
    if name not in UNLABELLED:
        raise ConfigError(f"dataset {spec!r}: is no set of source photos; use one of {', '.join(UNLABELLED)}")
    return align(UNLABELLED[name](folder, split), size=size, cache=cache)
