"""CelebA: aligned photos of 178x218 with attributes, landmarks and identities; the source photos."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from torchvision import tv_tensors

from faceaug.arrays import FloatArray, IntArray
from faceaug.errors import DatasetDamaged, DatasetNotFound
from faceaug.images import stem
from faceaug.prepare.faces import UNKNOWN

from .layout import Layout
from .listing import Index, Table, read_table, say_once

PARTITION = "list_eval_partition"

ATTRIBUTES = (
    "5_o_Clock_Shadow", "Arched_Eyebrows", "Attractive", "Bags_Under_Eyes", "Bald", "Bangs", "Big_Lips", "Big_Nose",
    "Black_Hair", "Blond_Hair", "Blurry", "Brown_Hair", "Bushy_Eyebrows", "Chubby", "Double_Chin", "Eyeglasses", "Goatee",
    "Gray_Hair", "Heavy_Makeup", "High_Cheekbones", "Male", "Mouth_Slightly_Open", "Mustache", "Narrow_Eyes", "No_Beard",
    "Oval_Face", "Pale_Skin", "Pointy_Nose", "Receding_Hairline", "Rosy_Cheeks", "Sideburns", "Smiling", "Straight_Hair",
    "Wavy_Hair", "Wearing_Earrings", "Wearing_Hat", "Wearing_Lipstick", "Wearing_Necklace", "Wearing_Necktie", "Young",
)  # fmt: skip
"""The columns of an attribute list without header lines."""

_FOLDERS = [f"{place}{name}" for place in ("", "Img/") for name in ("img_align_celeba", "img_align_celeba_png")]


def find_list(root: Path, name: str) -> Path | None:
    """A list in its official folder, beside the photos, or as Kaggle's CSV; None where it is in no place."""
    for folder in (root, root / "Anno", root / "Eval"):
        for suffix in (".txt", ".csv"):
            if (folder / f"{name}{suffix}").is_file():
                return folder / f"{name}{suffix}"
    return None


def male_of(table: Table, names: Sequence[str]) -> IntArray:
    """``(N,)`` int64: 1 male, 0 female, -1 for names without a row.

    Raises:
        DatasetDamaged: the table has no such column.
    """
    header = table.header or (ATTRIBUTES if table.values.shape[1] == len(ATTRIBUTES) else ())
    if "Male" not in header:
        raise DatasetDamaged(f"{table.path}: names no attribute Male; copy the list again")
    rows = [table.get(name) for name in names]
    return np.array([UNKNOWN if row is None else row[header.index("Male")] > 0 for row in rows], dtype=np.int64)


def read_partition(path: Path) -> Table:
    """Read which split each photo is in: 0, 1 or 2.

    Raises:
        DatasetNotFound, DatasetDamaged: as :func:`faceaug.datasets.listing.read_table`; or a photo is in no split.
    """
    found = read_table(path, "CelebA has this list", 1)
    unknown = np.flatnonzero(~np.isin(found.values[:, 0], (0, 1, 2)))
    if len(unknown):
        row = unknown[0]
        raise DatasetDamaged(
            f"{path}: {found.names[row]} is in split {found.values[row, 0]:g}, there are 0 (train), 1 (valid) and 2 (test); "
            f"copy the list again"
        )
    return found


class CelebA(Layout):
    """CelebA's layouts; a torch dataset of ``(Image, attributes)``.

    ``img_align_celeba/*.jpg`` (nested as on Kaggle, in ``Img/``, or ``img_align_celeba_png``) and the lists
    ``list_eval_partition``, ``list_landmarks_align_celeba`` and, where there are some, ``list_attr_celeba`` and
    ``identity_CelebA``: ``.txt`` or Kaggle's ``.csv``, beside the photos or in ``Anno/`` and ``Eval/``. Photos without
    landmarks are left out when faces are aligned; without attributes genders are unknown.

    Args:
        root: the dataset's folder.
        split: ``train``, ``valid`` (or ``tuning``), ``test`` (or ``testing``) or ``all``.
        limit: only the first so many of the split.
        transforms: called as ``transforms(image)``, for example a torchvision v2 transform.
        whole: refuse at once where listed photos are missing.
        partial: take the photos that are there and leave out the others.

    Raises:
        DatasetNotFound: the folder or a list is missing.
        DatasetDamaged: a list cannot be read, or a listed photo is missing.
    """

    key = "celeba"
    label = "CelebA"
    licence = "non-commercial research purposes only"
    needs = "CelebA's img_align_celeba/ and lists"
    labelled = False
    partitions: ClassVar[dict[str, tuple[int, ...]]] = {
        "train": (0,), "valid": (1,), "tuning": (1,), "test": (2,), "testing": (2,), "all": (0, 1, 2),
    }  # fmt: skip
    splits = tuple(partitions)

    def __init__(
        self,
        root: str | Path,
        split: str = "all",
        *,
        limit: int | None = None,
        transforms: Callable[..., Any] | None = None,
        whole: bool = True,
        partial: bool = False,
    ) -> None:
        self.partial = partial
        super().__init__(root, split, limit=limit, transforms=transforms, whole=whole)

    def _open(self) -> Iterable[str]:
        self._photos = Index(self._photo_folder())
        parts = read_partition(self._list(PARTITION))
        wanted = self.partitions[self.split]
        names = [name for name, part in zip(parts.names, parts.values[:, 0], strict=True) if part in wanted]
        if self.partial:
            names = [name for name in names if name in self._photos]
        self._identity = self._table("identity_CelebA", 1, needed=False)
        self._points = self._table("list_landmarks_align_celeba", 10)
        self._read_attributes()
        return names

    def _photo_folder(self) -> Path:
        folder = next((self.root / one for one in _FOLDERS if (self.root / one).is_dir()), self.root / _FOLDERS[0])
        inner = folder / folder.name
        return inner if inner.is_dir() else folder

    def _table(self, name: str, columns: int | None, *, needed: bool = True) -> Table | None:
        if not needed and find_list(self.root, name) is None:
            return None
        return read_table(self._list(name), "CelebA has this list", columns)

    def _list(self, name: str) -> Path:
        path = find_list(self.root, name)
        if path is None:
            raise DatasetNotFound(
                f"{self.root / f'{name}.txt'}: no such list, nor as .csv, nor in Anno/ or Eval/; CelebA has this list"
            )
        self._lists.append(path)
        return path

    def _read_attributes(self) -> None:
        self._attributes = self._table("list_attr_celeba", None, needed=False)
        if self._attributes is None:
            say_once(f"{self.root}: has no list_attr_celeba.txt; genders are unknown")
            self.attributes: tuple[str, ...] = ()
            return
        male_of(self._attributes, ())
        self.attributes = self._attributes.header or ATTRIBUTES

    def _advice(self) -> str:
        return f", or take what is there with {self.key}:{self.root}@partial"

    def landmarks(self, index: int) -> FloatArray | None:
        """``(5, 2)`` landmarks from the list; NaN where it has none."""
        row = None if self._points is None else self._points.get(self.names[index])
        return np.full((5, 2), np.nan) if row is None else row.reshape(5, 2)

    def traits(self) -> dict[str, IntArray]:
        """``male`` from the attribute list, ``identity`` from the list of identities, where these exist."""
        found: dict[str, IntArray] = {}
        if self._attributes is not None:
            found["male"] = male_of(self._attributes, self.names)
        if self._identity is not None:
            rows = [self._identity.get(name) for name in self.names]
            found["identity"] = np.array([UNKNOWN if row is None else row[0] for row in rows], dtype=np.int64)
        return found

    def origins(self) -> Sequence[str]:
        """CelebA's own names."""
        return [f"CelebA {stem(name)}" for name in self.names]

    def __getitem__(self, index: int) -> tuple[Any, torch.Tensor]:
        image = tv_tensors.Image(torch.from_numpy(self.pixels(index)[0]).permute(2, 0, 1).contiguous())
        row = None if self._attributes is None else self._attributes.get(self.names[index])
        count = len(self.attributes)
        values = torch.full((count,), -1) if row is None else torch.from_numpy((row > 0).astype(np.int64))
        return (image if self.transforms is None else self.transforms(image)), values
