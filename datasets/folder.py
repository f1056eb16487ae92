"""Plain folders: labelled faces as ``images/`` and ``masks/``, and any folder of photos."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from torchvision import tv_tensors

from faceaug.arrays import ByteArray, FloatArray, IntArray
from faceaug.errors import ConfigError, DatasetDamaged, DatasetNotFound
from faceaug.images import read_rgb, stem
from faceaug.labels import Scheme, find_scheme
from faceaug.prepare.faces import UNKNOWN, Photo

from .layout import Layout
from .listing import Index, Table, read_lines, read_names, read_rows, read_table, say_once, seeded_split, tell_repeats

_MALE = {"1": 1, "male": 1, "m": 1, "0": 0, "-1": 0, "female": 0, "f": 0}  # CelebA has -1
_OWN = {"traits.csv": "male", "identity.csv": "identity"}


class _WithTables(Layout):
    """What both kinds of folders may have beside their photos: landmarks, traits and identities as CSV."""

    def _read_tables(self) -> None:
        self._points = self._csv_numbers("landmarks.csv", 10)
        self._males = self._csv("traits.csv", "male")
        self._persons = self._csv("identity.csv", "identity") or self._csv("traits.csv", "identity")

    def _csv_numbers(self, name: str, columns: int) -> Table | None:
        path = self.root / name
        if not path.is_file():
            return None
        self._lists.append(path)
        return read_table(path, f"it has a name and {columns} numbers a line", columns)

    def _csv(self, name: str, column: str) -> dict[str, str]:
        """One column of a CSV file by stem: the one of that name; without a header a file has a second column, its own."""
        path = self.root / name
        if not path.is_file():
            return {}
        if path not in self._lists:
            self._lists.append(path)
        rows = list(read_rows(path, f"it has a name and {column} a line"))
        header = [cell.lower() for cell in rows[0][1]] if rows and rows[0][1][0].lower() == "name" else []
        if column not in header if header else column != _OWN[name]:
            return {}
        at = header.index(column) if header else 1
        found: dict[str, str] = {}
        for number, row in rows[bool(header) :]:
            if len(row) <= at:
                raise DatasetDamaged(f"{path}: line {number} has no {column}; mend the line")
            found[stem(row[0])] = row[at]
        tell_repeats([stem(row[0]) for _, row in rows[bool(header) :]], path)
        return found

    def landmarks(self, index: int) -> FloatArray | None:
        """``(5, 2)`` landmarks from ``landmarks.csv``, NaN where it has none; None without that file."""
        if self._points is None:
            return None
        row = self._points.get(self.names[index])
        return np.full((5, 2), np.nan) if row is None else row.reshape(5, 2)

    def traits(self) -> dict[str, IntArray]:
        """``male`` from ``traits.csv``, ``identity`` from ``identity.csv`` or ``traits.csv``, where these are there."""
        found: dict[str, IntArray] = {}
        if self._males:
            given = [self._males.get(stem(name), "").lower() for name in self.names]
            found["male"] = np.array([_MALE.get(value.removesuffix(".0"), UNKNOWN) for value in given], dtype=np.int64)
        if self._persons:
            numbers = {person: number for number, person in enumerate(sorted({*self._persons.values()} - {"", "-1"}))}
            persons = [self._persons.get(stem(name), "") for name in self.names]
            found["identity"] = np.array([numbers.get(person, UNKNOWN) for person in persons], dtype=np.int64)
        return found

    def person(self, name: str) -> str:
        """Who is in a photo, as the lists say; else empty."""
        found = self._persons.get(stem(name), "")
        return "" if found == "-1" else found

    def persons(self) -> Sequence[str]:
        """Who is in each photo: names can be compared between folders, numbers only within one."""
        named = any(not person.isdigit() for person in self._persons.values())
        found = [self.person(name) for name in self.names] if self._persons else []
        return [f"{'named' if named else self.root.resolve()} {person}" if person else "" for person in found]

    def _splits(self, names: Sequence[str]) -> list[str]:
        """Split of each name, by the hash of the person, where known, else of the name."""
        return seeded_split([f"person {self.person(name)}" if self.person(name) else stem(name) for name in names])


class Folder(_WithTables):
    """Labelled photos in a plain folder; a torch dataset of ``(Image, Mask)``.

    ``images/`` and ``masks/`` (or ``labels/``) hold files of equal stems in any picture format. What the label maps mean says
    ``scheme``, else ``scheme.toml``, else one line with a scheme's name in ``scheme.txt``. ``train.txt``, ``tuning.txt`` and
    ``testing.txt`` (or val, valid, validation, test) list the splits; without them 80, 10 and 10 % are taken by the hash of the
    person, where ``identity.csv`` (name, identity) knows them, else of the name. ``landmarks.csv`` (name, x1, y1 .. x5, y5) and
    ``traits.csv`` (name, male) may be there.

    Args:
        root: the folder.
        split: ``train``, ``tuning`` or ``testing``.
        scheme: a scheme, its name, or its TOML file.
        limit: only the first so many of the split.
        transforms: called as ``transforms(image, mask)``, for example a torchvision v2 transform.
        whole: refuse at once where files of listed faces are missing.

    Raises:
        ConfigError: no label scheme is named, or none of that name is known.
        DatasetNotFound, DatasetDamaged: as :class:`faceaug.datasets.layout.Layout`.
    """

    key = "folder"
    label = ""
    licence = "unknown; the user's own"
    needs = "images/, masks/ and scheme.toml"
    few = "; few faces may all be of another split: add some, or lists train.txt, tuning.txt, testing.txt"
    lists: ClassVar[dict[str, tuple[str, ...]]] = {
        "train": ("train.txt",),
        "tuning": ("tuning.txt", "val.txt", "valid.txt", "validation.txt"),
        "testing": ("testing.txt", "test.txt"),
    }

    def __init__(
        self,
        root: str | Path,
        split: str = "train",
        *,
        scheme: Scheme | str | Path | None = None,
        limit: int | None = None,
        transforms: Callable[..., Any] | None = None,
        whole: bool = True,
    ) -> None:
        self._given = scheme
        super().__init__(root, split, limit=limit, transforms=transforms, whole=whole)

    def _open(self) -> Iterable[str]:
        self.scheme = self._find_scheme()
        masks = self.root / "masks"
        self._photos = Index(self.root / "images")
        self._maps = Index(masks if masks.is_dir() else self.root / "labels", ".png")
        for folder in (self._photos.folder, self._maps.folder):
            if not folder.is_dir():
                raise DatasetNotFound(f"{self.root}: has no {'images' if folder.name == 'images' else 'masks'}/; put one there")
        self._read_tables()
        listed = self._listed()
        if listed is not None:
            return listed
        names = self._photos.stems
        return [name for name, split in zip(names, self._splits(names), strict=True) if split == self.split]

    def _find_scheme(self) -> Scheme:
        if isinstance(self._given, Scheme):
            return self._given
        if self._given is not None:
            return find_scheme(self._given)
        for name in ("scheme.toml", "scheme.txt"):
            if (self.root / name).is_file():
                self._lists.append(self.root / name)
                lines = read_lines(self.root / name, "it names the label scheme")
                return find_scheme(self.root / name if name == "scheme.toml" else next((one.strip() for one in lines), ""))
        raise ConfigError(
            f"{self.root}: which label scheme? name it as in folder:{self.root}@celebamask-19, or put a scheme.toml there"
        )

    def _listed(self) -> list[str] | None:
        """The names in this split's list; None where the folder has no lists at all."""
        files = {split: [self.root / one for one in names if (self.root / one).is_file()] for split, names in self.lists.items()}
        if not any(files.values()):
            return None
        if not files[self.split]:
            wanted = " or ".join(self.lists[self.split])
            raise DatasetNotFound(f"{self.root}: has no {wanted}; add that list, or delete the others for a split by hash")
        self._lists.append(files[self.split][0])
        return read_names(files[self.split][0], "it lists the names of this split")


class PhotoFolder(_WithTables):
    """Any folder of photos, with its subfolders; a torch dataset of images.

    ``landmarks.csv`` (name, x1, y1 .. x5, y5) and ``traits.csv`` (name, male, identity) may be there; of landmarks, the photos
    are those that are listed, read as stored. Without them a detector finds the face in the photo turned upright as EXIF says.

    Args:
        root: the folder.
        split: ``all``, or a share of 80, 10 and 10 % by the hash of the person, where known, else of the name.
        limit: only the first so many of the split.
        transforms: called as ``transforms(image)``, for example a torchvision v2 transform.
        whole: of no effect: the photos are those that are there.

    Raises:
        DatasetNotFound: no such folder.
        DatasetDamaged: no photos in it; when one is read: it is of no use.
    """

    key = "photos"
    label = ""
    licence = "unknown; the user's own"
    needs = "photos"
    labelled = False
    splits = ("train", "tuning", "testing", "all")

    def __init__(
        self,
        root: str | Path,
        split: str = "all",
        *,
        limit: int | None = None,
        transforms: Callable[..., Any] | None = None,
        whole: bool = True,
    ) -> None:
        super().__init__(root, split, limit=limit, transforms=transforms, whole=whole)

    def _open(self) -> Iterable[str]:
        self._read_tables()
        names = []
        seen: set[Path] = set()
        for folder, inner, files in os.walk(self.root, followlinks=True):
            inner[:] = [one for one in sorted(inner) if not one.startswith(".") and self._is_new(Path(folder, one), seen)]
            places = [Path(folder, file) for file in files if stem(file) != file and not file.startswith(".")]
            names += [place.relative_to(self.root).as_posix() for place in sorted(places) if place.is_file()]
        if self._points is not None:
            listed = [name for name in names if self._points.get(name) is not None]
            if len(listed) < len(names):
                say_once(f"{self.root}: {len(names) - len(listed)} pictures are not in landmarks.csv and are left out")
            names = listed
        if self.split == "all":
            return names
        return [name for name, split in zip(names, self._splits(names), strict=True) if split == self.split]

    def _is_new(self, folder: Path, seen: set[Path]) -> bool:
        """Whether a folder's photos are not met otherwise: links may lead to where the others are, or in a circle."""
        home, real = self.root.resolve(), folder.resolve()
        if real in seen or (real.is_relative_to(home) and real != home / folder.relative_to(self.root)) or home == real:
            return False
        seen.add(real)
        return True

    def lacks(self, name: str) -> list[str]:
        """Nothing: the names are those of the files that are there."""
        return []

    def photo_file(self, name: str) -> Path:
        """The photo of a name."""
        return self.root / name

    def pixels(self, index: int) -> tuple[ByteArray, None]:
        """The photo alone."""
        return read_rgb(self.photo_file(self.names[index]), upright=self._points is None), None

    def photo(self, index: int) -> Photo:
        """Read one photo; its landmarks are those of the list, else a detector's, or None where it finds no face.

        Raises:
            DatasetDamaged: unreadable.
            ConfigError: there is no list, and the detector is not installed.
        """
        image, _ = self.pixels(index)
        points = self.landmarks(index)
        if points is None:
            from faceaug.prepare.detect import detect_landmarks

            points = detect_landmarks(image)
        return Photo(image, None, points)

    def fingerprint(self) -> Any:
        """Names, sizes and times of every file that is read."""
        return [*super().fingerprint(), "detected" if self._points is None else "listed"]

    def __getitem__(self, index: int) -> Any:
        image = tv_tensors.Image(torch.from_numpy(self.pixels(index)[0]).permute(2, 0, 1).contiguous())
        return image if self.transforms is None else self.transforms(image)
