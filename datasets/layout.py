"""What all readers share: a split's names, the files behind each, and what a sample is."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch

from faceaug.arrays import ByteArray, FloatArray, IntArray
from faceaug.errors import ConfigError, DatasetDamaged, DatasetNotFound
from faceaug.images import read_rgb
from faceaug.labels import HELEN_11, Scheme
from faceaug.prepare.faces import Photo

from .label_maps import SizesDiffer, fit_labels, read_labels
from .listing import SPLITS, Index, say_once
from .samples import face_sample


def dataset_title(root: Path, name: str) -> str:
    """What reports call a dataset: the ``title`` in its ``faceaug.json``, else its name, if it has one, and folder."""
    about = root / "faceaug.json"
    if about.is_file():
        try:
            return str(json.loads(about.read_text(encoding="utf-8"))["title"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise DatasetDamaged(f'{about}: must be JSON with a "title"; mend or delete it') from error
    folder = root.name or root.resolve().name
    if not name:
        return folder
    return name if folder.lower() == name.lower() else f"{name} ({folder})"


DRAWN, DRAWN_LICENCE = "drawn faces", "MIT (drawn by faceaug)"
"""Title and licence of what the package draws, in whatever layout."""


def folder_licence(root: Path, published: str) -> str:
    """The licence of a dataset in a folder: that of the published set, unless its ``faceaug.json`` knows another origin."""
    about = root / "faceaug.json"
    try:
        found = json.loads(about.read_text(encoding="utf-8")) if about.is_file() else {}
    except (OSError, ValueError) as error:
        raise DatasetDamaged(f'{about}: must be JSON with a "title"; mend or delete it') from error
    if not isinstance(found, dict):
        return published
    if found.get("title") == DRAWN:
        return DRAWN_LICENCE
    listed = found.get("licences")  # an exported set of generated faces
    return "; ".join(map(str, listed)) if isinstance(listed, list) and listed else published


class Layout(torch.utils.data.Dataset[Any]):
    """A dataset in a layout of files; with label maps a torch dataset of ``(Image, Mask)``.

    Photos, label maps and landmarks are read as stored: EXIF rotation is left out of account.

    Args:
        root: the dataset's folder.
        split: one of :attr:`splits`.
        limit: only the first so many of the split.
        transforms: called as ``transforms(image, mask)``, for example a torchvision v2 transform.
        whole: refuse at once where files of listed faces are missing; else only when they are read.

    Attributes:
        names: one a face.
        title: what reports call the set.
        scheme: of the label maps.

    Raises:
        ConfigError: no such split, or ``limit`` is out of range.
        DatasetNotFound: the folder, or a list in it, is missing.
        DatasetDamaged: a list is of no use, or files are missing; when a photo is read: its files are of no use.
    """

    key: ClassVar[str]
    """Name on the command line."""
    label: ClassVar[str]
    """Name in titles."""
    licence: ClassVar[str]
    """Terms of the published set, in a few words."""
    needs: ClassVar[str]
    """What has to lie in the folder, for the message."""
    few: ClassVar[str] = ""
    """What else to do where a split is empty, for the message."""
    splits: ClassVar[tuple[str, ...]] = SPLITS
    labelled: ClassVar[bool] = True
    photo_form: ClassVar[str] = "{}"
    """Stem of a face's photo."""
    label_form: ClassVar[str] = "{}"
    """Stem of its label map."""
    scheme: Scheme = HELEN_11
    _photos: Index
    _maps: Index

    def __init__(
        self,
        root: str | Path,
        split: str = "train",
        *,
        limit: int | None = None,
        transforms: Callable[..., Any] | None = None,
        whole: bool = True,
    ) -> None:
        self.root = Path(root)
        self.split = split
        self.transforms = transforms
        self._lists: list[Path] = []
        if split not in self.splits:
            raise ConfigError(f"split {split!r}: unknown; choose from {', '.join(self.splits)}")
        if not self.root.is_dir():
            raise DatasetNotFound(
                f"{self.root}: no such folder; put {self.needs} there, name another with {self.key}:DIR, "
                f"or run `faceaug draw` for drawn faces"
            )
        self.title = dataset_title(self.root, self.label)
        names = list(self._open())
        if limit is not None and not 0 < limit <= len(names):
            option = "--labelled" if self.labelled else "limit"
            raise ConfigError(f"{option} {limit}: {self.root} lists {len(names)} {split} faces; choose 1 to {len(names)}")
        self.names: tuple[str, ...] = tuple(names[:limit])
        if not self.names:
            raise DatasetDamaged(f"{self.root}: has no {split} faces; put {self.needs} there{self.few}")
        if whole:
            self._refuse_missing()

    def _open(self) -> Iterable[str]:
        """Read lists and folders into ``_photos``, ``_maps`` and ``_lists``; gives the names of the split."""
        raise NotImplementedError

    # The files of a face.

    def photo_file(self, name: str) -> Path:
        """The photo of a name."""
        return self._photos.path(self.photo_form.format(name))

    def label_files(self, name: str) -> list[Path]:
        """The files of its label map."""
        return [self._maps.path(self.label_form.format(name))]

    def other_files(self, name: str) -> list[Path]:
        """What else is read for a name."""
        return []

    def lacks(self, name: str) -> list[str]:
        """Which files of a name are missing: ``photo``, ``labels``."""
        found = [] if self.photo_form.format(name) in self._photos else ["photo"]
        return found + (["labels"] if self.labelled and self.label_form.format(name) not in self._maps else [])

    def place(self, name: str, kind: str) -> tuple[Path, str]:
        """Where a missing file should be, and what is there instead."""
        index, form = (self._photos, self.photo_form) if kind == "photo" else (self._maps, self.label_form)
        return index.path(form.format(name)), index.near(form.format(name))

    def _refuse_missing(self) -> None:
        """Half-copied datasets fail at once and not after an hour."""
        lacking = {name: self.lacks(name) for name in self.names}
        for kind in ("photo", "labels"):
            missing = [name for name, kinds in lacking.items() if kind in kinds]
            if missing:
                path, near = self.place(missing[0], kind)
                raise DatasetDamaged(
                    f"{path}: no {kind} for {len(missing)} of {len(self.names)} listed faces{near}; "
                    f"copy the dataset again{self._advice()}"
                )

    def _advice(self) -> str:
        """What else helps against missing files."""
        return " or take them off its list" if self._lists else ""

    # What is in them.

    def photo(self, index: int) -> Photo:
        """Read one photo, its label map and its landmarks.

        Raises:
            DatasetDamaged: unreadable, a label out of range, or sizes that differ.
        """
        image, labels = self.pixels(index)
        return Photo(image, labels, self._landmarks(index, image, labels))

    def pixels(self, index: int) -> tuple[ByteArray, ByteArray | None]:
        """Photo and label map alone; errors as :meth:`photo`."""
        name = self.names[index]
        image = read_rgb(self.photo_file(name))
        if not self.labelled:
            return image, None
        labels, where = self._read_labels(name)
        fitted = fit_labels(labels, (image.shape[0], image.shape[1]), str(where))
        if fitted is not labels:
            say_once(
                f"{self.root}: label maps are {labels.shape[1]}x{labels.shape[0]} for photos of "
                f"{image.shape[1]}x{image.shape[0]}; resized by the nearest pixel"
            )
        return image, fitted

    def _read_labels(self, name: str) -> tuple[ByteArray, Path]:
        """The label map of a name, and the file to name where it does not fit."""
        (path,) = self.label_files(name)
        return read_labels(path, self.scheme), path

    def landmarks(self, index: int) -> FloatArray | None:
        """``(5, 2)`` landmarks from a list, NaN where it has none; None where the set has no list."""
        return None

    def _landmarks(self, index: int, image: ByteArray, labels: ByteArray | None) -> FloatArray | None:
        return self.landmarks(index)

    def traits(self) -> dict[str, IntArray]:
        """``male`` and ``identity`` where the set knows them: ``(N,)`` int64, -1 for unknown."""
        return {}

    def persons(self) -> Sequence[str]:
        """Who is in each photo, comparable between sets; empty strings, or nothing at all, where it is not known."""
        identity = self.traits().get("identity")
        return () if identity is None else [f"{self.key} {one}" if one >= 0 else "" for one in identity.tolist()]

    def origins(self) -> Sequence[str]:
        """Which photo of another set each one was made from, for example ``CelebA 000001``; empty where it is not known."""
        return ()

    def fingerprint(self) -> Any:
        """Names, sizes and times of every file that is read, and the scheme: a JSON-able value."""
        lists = [[path.name, *_stat(path)] for path in self._lists]
        rows = []
        for name in self.names:
            files = [self.photo_file(name), *(self.label_files(name) if self.labelled else ()), *self.other_files(name)]
            rows.append([name, *([path.name, *_stat(path)] for path in files)])
        scheme = dataclasses.asdict(self.scheme) if self.labelled else None
        return [self.key, str(self.root.resolve()), self.split, scheme, lists, rows]

    def __len__(self) -> int:
        return len(self.names)

    def __getitem__(self, index: int) -> Any:
        image, labels = self.pixels(index)
        assert labels is not None  # sets without label maps give their own samples
        return face_sample(image, labels, self.transforms)


def _stat(path: Path) -> list[int]:
    try:
        found = path.stat()
    except OSError as error:
        raise DatasetDamaged(f"{path}: cannot be read ({error.strerror}); copy the dataset again") from error
    return [found.st_size, found.st_mtime_ns]


def argmax_labels(maps: Sequence[ByteArray], where: Path) -> ByteArray:
    """One label map of soft maps, one a class: the largest wins, ties go to the lower class.

    Raises:
        SizesDiffer: the maps differ in size.
    """
    if len({soft.shape for soft in maps}) > 1:
        raise SizesDiffer(f"{where}: its {len(maps)} maps differ in size; copy the dataset again")
    return np.asarray(np.stack(maps).argmax(axis=0), dtype=np.uint8)


def home(root: Path, *markers: str) -> Path:
    """The folder that holds one of the markers: ``root``, or its only subfolder that does, as archives unpack."""
    if not root.is_dir() or any((root / one).exists() for one in markers):
        return root
    inner = [path for path in root.iterdir() if path.is_dir() and any((path / one).exists() for one in markers)]
    return inner[0] if len(inner) == 1 else root
