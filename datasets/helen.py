"""Helen's parsing set (SmithCVPR2013, original or resized), and HELEN*, its relabelled successor."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import ClassVar

from faceaug.arrays import ByteArray
from faceaug.errors import DatasetDamaged
from faceaug.images import read_grey
from faceaug.labels import HELEN_11, Scheme

from .label_maps import read_labels
from .layout import Layout, argmax_labels
from .listing import Index, read_names, say_once, seeded_split


class Helen(Layout):
    """Labelled photos in Helen's own layout; a torch dataset of ``(Image, Mask)``.

    ``images/<name>.jpg``, ``labels/<name>/<name>_lbl00.png`` .. ``_lbl10.png`` (8-bit probabilities; the largest wins, ties go
    to the lower class) or one label map ``labels/<name>.png`` (values 0..10), and ``exemplars.txt``, ``tuning.txt``,
    ``testing.txt`` with ``<number> , <name>`` a line. Arguments and errors as :class:`faceaug.datasets.layout.Layout`.
    """

    key = "helen"
    label = "Helen"
    licence = "non-commercial research"
    needs = "Helen's images/, labels/ and lists"
    scheme: Scheme = HELEN_11
    lists: ClassVar[dict[str, str]] = {"train": "exemplars.txt", "tuning": "tuning.txt", "testing": "testing.txt"}

    def _open(self) -> Iterable[str]:
        path = self.root / self.lists[self.split]
        self._lists.append(path)
        names = read_names(path, "Helen's layout has this list of '<number> , <name>' lines")
        self._photos, self._maps = Index(self.root / "images"), Index(self.root / "labels", ".png")
        return names

    def lacks(self, name: str) -> list[str]:
        """Which files of a name are missing: ``photo``, ``labels``."""
        return [kind for kind in super().lacks(name) if kind == "photo" or not self._folder(name).is_dir()]

    def place(self, name: str, kind: str) -> tuple[Path, str]:
        """Where a missing file should be, and what is there instead."""
        path, near = super().place(name, kind)
        return (path if kind == "photo" else self._folder(name)), near

    def _folder(self, name: str) -> Path:
        return self._maps.folder / name

    def label_files(self, name: str) -> list[Path]:
        """The eleven soft maps of a name, or its one label map."""
        folder = self._folder(name)
        if not folder.is_dir():
            return super().label_files(name)
        files = [folder / f"{name}_lbl{label:02d}.png" for label in range(len(self.scheme))]
        if all(file.is_file() for file in files):
            return files
        index = Index(folder, ".png")
        return [index.path(file.name) for file in files]

    def _read_labels(self, name: str) -> tuple[ByteArray, Path]:
        files = self.label_files(name)
        if len(files) == 1:
            return read_labels(files[0], self.scheme), files[0]
        folder = files[0].parent
        return argmax_labels([read_grey(file) for file in files], folder), folder


class HelenStar(Layout):
    """HELEN*: Helen with skin and hair labelled anew; a torch dataset of ``(Image, Mask)``.

    ``train/``, ``test/`` and ``test_resize/`` with ``<id>_image.jpg`` and ``<id>_label.png`` (0..10). Testing reads
    ``test_resize/`` where it is there. Every tenth training face, by the hash of its name, is for tuning. Arguments and errors as
    :class:`faceaug.datasets.layout.Layout`.
    """

    key = "helenstar"
    label = "HELEN*"
    licence = "non-commercial research"
    needs = "HELEN*'s train/, test/ and test_resize/"
    photo_form = "{}_image"
    label_form = "{}_label"
    scheme: Scheme = HELEN_11

    def _open(self) -> Iterable[str]:
        folder = self.root / "train"
        if self.split == "testing":
            resized = self.root / "test_resize"
            folder = resized if resized.is_dir() else self.root / "test"
        self._photos, self._maps = Index(folder), Index(folder, ".png")
        end = self.photo_form.format("")
        names = [one.removesuffix(end) for one in self._photos.stems if one.endswith(end)]
        if not names:
            raise DatasetDamaged(f"{folder}: holds no <id>_image.jpg; put {self.needs} there")
        if self.split == "testing":
            return names
        say_once(f"{self.root}: HELEN* has no tuning split; a tenth of its training faces is taken, by the hash of the name")
        splits = seeded_split(names, (0.9, 0.1, 0.0))
        return [name for name, split in zip(names, splits, strict=True) if split == self.split]
