"""``NAME`` or ``NAME:DIR`` on the command line, to a dataset."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, NamedTuple

from faceaug.errors import ConfigError
from faceaug.prepare.faces import FaceSet, LabelledFaces, align

from .celeba import CelebA
from .celebamask import CelebAMaskHQ
from .facesynthetics import FaceSynthetics
from .fasseg import Fasseg
from .folder import Folder, PhotoFolder
from .helen import Helen, HelenStar
from .lapa import LaPa
from .layout import Layout, folder_licence

LABELLED: dict[str, type[Layout]] = {
    reader.key: reader for reader in (Helen, HelenStar, LaPa, CelebAMaskHQ, FaceSynthetics, Fasseg, Folder)
}
"""Datasets with label maps: targets, and what parsers train on."""

UNLABELLED: dict[str, type[Layout]] = {reader.key: reader for reader in (CelebA, PhotoFolder)}
"""Datasets of photos alone: sources, and what a parser labels for the GAN."""


def data_root(given: Path | None) -> Path:
    """``--data-root``, else ``$FACEAUG_DATA``, else ``./data``."""
    return given or Path(os.environ.get("FACEAUG_DATA") or "data")


class Spec(NamedTuple):
    """What ``NAME:DIR@OPTION`` says; ``option`` is empty where there is none."""

    name: str
    folder: Path
    option: str = ""


def resolve(spec: str, root: Path) -> Spec:
    """``helen`` -> ``<root>/helen``; ``helen:DIR`` -> ``DIR``; ``folder:DIR@helen-11`` and ``celeba:DIR@partial`` with an option.

    Raises:
        ConfigError: an unknown dataset name, or an option that it does not have.
    """
    name, _, rest = spec.partition(":")
    if "@" in name:
        name, _, option = name.partition("@")
        rest = f"{root / name}@{option}"
    known = {**LABELLED, **UNLABELLED}
    if name not in known:
        raise ConfigError(f"dataset {spec!r}: unknown; use NAME or NAME:DIR with NAME one of {', '.join(known)}")
    folder, option = (rest, "") if Path(rest).expanduser().exists() else _parted(rest)
    if option and not (name == Folder.key or (name == CelebA.key and option == "partial")):
        raise ConfigError(f"dataset {spec!r}: has no option {option}; there are folder:DIR@SCHEME and celeba:DIR@partial")
    return Spec(name, Path(folder).expanduser() if folder else root / name, option)


def _parted(rest: str) -> tuple[str, str]:
    folder, at, option = rest.rpartition("@")
    return (folder, option) if at else (rest, "")


def licence_of(spec: str, root: Path) -> str:
    """The licence of a dataset's photos in a few words; arguments as :func:`resolve`.

    Raises:
        ConfigError: an unknown dataset name or option.
        DatasetDamaged: its ``faceaug.json`` cannot be read.
    """
    name, folder, _ = resolve(spec, root)
    return folder_licence(folder, {**LABELLED, **UNLABELLED}[name].licence)


def open_reader(spec: str, split: str, *, root: Path, limit: int | None = None, whole: bool = True) -> Layout:
    """The reader of a dataset; arguments as :func:`open_labelled`, ``whole`` as in :class:`faceaug.datasets.layout.Layout`.

    Raises:
        ConfigError: an unknown name or option.
        DatasetNotFound, DatasetDamaged: see the reader.
    """
    name, folder, option = resolve(spec, root)
    options: dict[str, Any] = {}
    if option:
        options = {"partial": True} if name == CelebA.key else {"scheme": option}
    reader: Any = {**LABELLED, **UNLABELLED}[name]
    opened: Layout = reader(folder, split, limit=limit, whole=whole, **options)
    return opened


def open_labelled(spec: str, split: str, *, size: int, root: Path, cache: Path | None, limit: int | None = None) -> LabelledFaces:
    """Aligned faces with label maps.

    Args:
        spec: ``NAME``, ``NAME:DIR`` or ``NAME:DIR@OPTION``.
        split: ``train``, ``tuning`` or ``testing``.
        size: side of the crops in pixels.
        root: the data root.
        cache: where aligned faces are kept, see :func:`faceaug.prepare.faces.align`.
        limit: only the first so many of the split.

    Raises:
        ConfigError: not a labelled dataset's name.
        DatasetNotFound, DatasetDamaged: see the reader.
    """
    if resolve(spec, root).name not in LABELLED:
        raise ConfigError(f"dataset {spec!r}: has no label maps; use one of {', '.join(LABELLED)}")
    return align(open_reader(spec, split, root=root, limit=limit), size=size, cache=cache).labelled()


def open_photos(
    spec: str, *, size: int, root: Path, cache: Path | None, split: str | None = None, limit: int | None = None
) -> FaceSet:
    """Aligned source photos; those of a labelled dataset bring their own label maps.

    Arguments and errors as :func:`open_labelled`; without a split it is ``all``, and ``train`` of a labelled dataset, so that no
    face of its testing split becomes a source.
    """
    if split is None:
        split = "train" if resolve(spec, root).name in LABELLED else "all"
    return align(open_reader(spec, split, root=root, limit=limit), size=size, cache=cache)
