"""CelebAMask-HQ: 30,000 faces with nineteen classes, one picture a class, in CelebA's own splits."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from faceaug.arrays import ByteArray, IntArray
from faceaug.errors import DatasetDamaged, DatasetNotFound
from faceaug.images import read_grey, stem
from faceaug.labels import CELEBAMASK_19, Scheme
from faceaug.prepare.faces import UNKNOWN

from .celeba import PARTITION, CelebA, find_list, male_of, read_partition
from .label_maps import SizesDiffer
from .layout import Layout, home
from .listing import SPLITS, Index, Table, read_rows, read_table, say_once, seeded_split

_MAPPING = "CelebA-HQ-to-CelebA-mapping.txt"
_ATTRIBUTES = "CelebAMask-HQ-attribute-anno.txt"


class CelebAMaskHQ(Layout):
    """Labelled photos in CelebAMask-HQ's layout; a torch dataset of ``(Image, Mask)``.

    ``CelebA-HQ-img/<k>.jpg`` and ``CelebAMask-HQ-mask-anno/<k // 2000>/<k:05d>_<part>.png``, laid over each other in the order
    of the classes. The official splits need ``CelebA-HQ-to-CelebA-mapping.txt`` and, beside it, CelebA's
    ``list_eval_partition.txt``, joined by CelebA's file names; without a mapping they are 80, 10 and 10 %, by the hash of the
    name. Genders come from ``CelebAMask-HQ-attribute-anno.txt``, identities from CelebA's ``identity_CelebA.txt``, where there
    are such. Arguments and errors as :class:`faceaug.datasets.layout.Layout`.
    """

    key = "celebamask"
    label = "CelebAMask-HQ"
    licence = "CC BY-NC 4.0, non-commercial research"
    needs = "CelebAMask-HQ's CelebA-HQ-img/ and CelebAMask-HQ-mask-anno/"
    scheme: Scheme = CELEBAMASK_19

    def _open(self) -> Iterable[str]:
        self._home = home(self.root, "CelebA-HQ-img")
        self._photos = Index(self._home / "CelebA-HQ-img")
        self._maps = Index(self._home / "CelebAMask-HQ-mask-anno", ".png")
        self._labelled_names = self._with_parts()
        self._celeba = self._mapping()
        self._attributes = self._table(self._home / _ATTRIBUTES, None)
        self._identities = self._table(find_list(self._home, "identity_CelebA"), 1)
        names = self._photos.stems
        if not self._celeba:
            say_once(f"{self.root}: has no {_MAPPING}; split 80, 10 and 10 % by the hash of the name, not officially")
            splits = seeded_split(names)
        else:
            splits = self._official(names)
        return [name for name, split in zip(names, splits, strict=True) if split == self.split]

    def _with_parts(self) -> set[str]:
        """Numbers of the faces that have any part."""
        found: set[str] = set()
        for _, _, files in os.walk(self._maps.folder):
            found.update(file.partition("_")[0].lstrip("0") or "0" for file in files)
        return found

    def _mapping(self) -> dict[str, str]:
        """CelebA's file stem of each face."""
        path = self._home / _MAPPING
        if not path.is_file():
            return {}
        self._lists.append(path)
        rows = [row for _, row in read_rows(path, "CelebAMask-HQ has this list") if len(row) >= 3 and row[0].isdigit()]
        if not rows:
            raise DatasetDamaged(f"{path}: holds no rows 'idx orig_idx orig_file ...'; copy the list again")
        return {row[0]: stem(row[2]) for row in rows}

    def _official(self, names: Sequence[str]) -> list[str]:
        """The splits of CelebA, joined by its file names: its numbers in the mapping count from 0 and its names from 1."""
        path = find_list(self._home, PARTITION)
        if path is None:
            raise DatasetNotFound(
                f"{self._home / f'{PARTITION}.txt'}: no such list; copy it from CelebA: with {_MAPPING} it gives the official "
                f"splits (or move that away for a seeded split)"
            )
        self._lists.append(path)
        parts = read_partition(path)
        found = []
        for name in names:
            part = parts.get(self._celeba.get(name, ""))
            if part is None:
                raise DatasetDamaged(f"{path}: says no split for {name}.jpg ({self._celeba.get(name, 'not in the mapping')})")
            found.append(SPLITS[int(part[0])])
        return found

    def lacks(self, name: str) -> list[str]:
        """Which files of a name are missing: ``photo``, ``labels``."""
        kinds = [] if name in self._photos else ["photo"]
        return kinds + ([] if name in self._labelled_names else ["labels"])

    def place(self, name: str, kind: str) -> tuple[Path, str]:
        """Where a missing file should be, and what is there instead."""
        return super().place(name, kind) if kind == "photo" else (self._part(name, "skin"), "")

    def _part(self, name: str, part: str) -> Path:
        number = int(name) if name.isdigit() else 0
        folder = self._maps.folder / str(number // 2000)
        file = f"{number:05d}_{part}.png"
        return folder / file if folder.is_dir() else self._maps.folder / file

    def label_files(self, name: str) -> list[Path]:
        """The parts of a name that are there."""
        return [path for path in (self._part(name, part) for part in self.scheme.classes[1:]) if path.is_file()]

    def _read_labels(self, name: str) -> tuple[ByteArray, Path]:
        labels: ByteArray | None = None
        where = self._part(name, "skin")
        for label, part in enumerate(self.scheme.classes):
            path = self._part(name, part)
            if label == 0 or not path.is_file():
                continue
            mask = read_grey(path)
            labels = np.zeros_like(mask) if labels is None else labels
            if mask.shape != labels.shape:
                raise SizesDiffer(f"{path}: is {mask.shape[1]}x{mask.shape[0]}, other parts are not; copy the dataset again")
            labels[mask > 127] = label
        if labels is None:
            raise DatasetDamaged(f"{where}: no labels, there is no part of {name}; copy the dataset again")
        return labels, where

    def _table(self, path: Path | None, columns: int | None) -> Table | None:
        if path is None or not path.is_file():
            return None
        self._lists.append(path)
        return read_table(path, "CelebAMask-HQ and CelebA have such lists", columns)

    def traits(self) -> dict[str, IntArray]:
        """``male`` and ``identity`` where the lists for them are there."""
        found: dict[str, IntArray] = {}
        if self._attributes is not None:
            found["male"] = male_of(self._attributes, self.names)
        if self._identities is not None and self._celeba:
            rows = [self._identities.get(self._celeba.get(name, "")) for name in self.names]
            found["identity"] = np.array([UNKNOWN if row is None else row[0] for row in rows], dtype=np.int64)
        return found

    def persons(self) -> Sequence[str]:
        """CelebA's people, as :class:`faceaug.datasets.celeba.CelebA` names them."""
        return [one.replace(self.key, CelebA.key, 1) for one in super().persons()]

    def origins(self) -> Sequence[str]:
        """CelebA's photo of each face."""
        return [f"CelebA {self._celeba[name]}" for name in self.names] if self._celeba else ()
