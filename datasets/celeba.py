"""CelebA: aligned photos of 178x218 with attributes, landmarks and identities; the source photos."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
import torch
from torchvision import tv_tensors

from faceaug.errors import ConfigError, DatasetDamaged, DatasetNotFound
from faceaug.images import read_rgb
from faceaug.prepare.faces import IntArray, Photo

from .helen import dataset_title


class CelebA:
    """CelebA's own layout; a torch dataset of ``(Image, attributes)``.

    ``img_align_celeba/*.jpg``, ``list_attr_celeba.txt``, ``list_eval_partition.txt``, ``list_landmarks_align_celeba.txt`` and,
    where there is one, ``identity_CelebA.txt``. Photos without landmarks are left out when faces are aligned.

    Args:
        root: the dataset's folder.
        split: ``train``, ``valid``, ``test`` or ``all``.
        limit: only the first so many of the split.
        transforms: called as ``transforms(image)``, for example a torchvision v2 transform.

    Raises:
        DatasetNotFound: the folder or a list is missing.
        DatasetDamaged: a list cannot be read, or a listed photo is missing.
    """

    partitions: ClassVar[dict[str, tuple[int, ...]]] = {"train": (0,), "valid": (1,), "test": (2,), "all": (0, 1, 2)}

    def __init__(
        self,
        root: str | Path,
        split: str = "all",
        *,
        limit: int | None = None,
        transforms: Callable[..., Any] | None = None,
    ) -> None:
        self.root = Path(root)
        self.split = split
        self.transforms = transforms
        if split not in self.partitions:
            raise ConfigError(f"split {split!r}: unknown; choose from {', '.join(self.partitions)}")
        if not self.root.is_dir():
            raise DatasetNotFound(
                f"{self.root}: no such folder; put CelebA's img_align_celeba/ and lists there, name another with "
                f"celeba:DIR, or run `faceaug draw` for drawn faces"
            )
        self.title = dataset_title(self.root, "CelebA")
        part_of = {row[0]: int(row[1]) for row in self._rows("list_eval_partition.txt", 1)}
        names = [name for name, part in part_of.items() if part in self.partitions[split]]
        self.names: tuple[str, ...] = tuple(names[:limit])
        self._check_files()
        self.attributes, self._attribute_rows = self._read_attributes()
        self._landmarks = {
            row[0]: np.array(row[1:], dtype=np.float64).reshape(5, 2)
            for row in self._rows("list_landmarks_align_celeba.txt", 10, header=2)
        }

    def _rows(self, filename: str, values: int, *, header: int = 0) -> list[list[str]]:
        """The rows of a list: a file name and ``values`` numbers, separated by any white space."""
        path = self.root / filename
        try:
            lines = path.read_text().splitlines()
        except OSError as error:
            raise DatasetNotFound(f"{path}: cannot be read ({error.strerror}); CelebA has this list") from error
        rows = []
        for number, line in enumerate(lines[header:], header + 1):
            row = line.split()
            if row and (len(row) != values + 1 or not all(value.lstrip("-").isdigit() for value in row[1:])):
                raise DatasetDamaged(f"{path}: line {number} is not a name and {values} integers; copy the list again")
            if row:
                rows.append(row)
        if not rows:
            raise DatasetDamaged(f"{path}: holds no rows; copy the list again")
        return rows

    def _read_attributes(self) -> tuple[tuple[str, ...], dict[str, npt.NDArray[np.int64]]]:
        path = self.root / "list_attr_celeba.txt"
        try:
            with open(path) as handle:
                handle.readline()
                names = tuple(handle.readline().split())
        except OSError as error:
            raise DatasetNotFound(f"{path}: cannot be read ({error.strerror}); CelebA has this list") from error
        if "Male" not in names:
            raise DatasetDamaged(f"{path}: line 2 names no attribute Male; copy the list again")
        rows = self._rows("list_attr_celeba.txt", len(names), header=2)
        return names, {row[0]: (np.array(row[1:], dtype=np.int64) > 0).astype(np.int64) for row in rows}

    def _check_files(self) -> None:
        have = {path.name for path in (self.root / "img_align_celeba").glob("*.jpg")}
        missing = [name for name in self.names if name not in have]
        if missing:
            raise DatasetDamaged(
                f"{self.root / 'img_align_celeba' / missing[0]}: {len(missing)} of {len(self.names)} listed photos are "
                f"missing; copy the dataset again or take them off list_eval_partition.txt"
            )

    def photo(self, index: int) -> Photo:
        """Read one photo; its landmarks are NaN where the list has none.

        Raises:
            DatasetDamaged: unreadable.
        """
        name = self.names[index]
        image = read_rgb(self.root / "img_align_celeba" / name)
        return Photo(image, None, self._landmarks.get(name, np.full((5, 2), np.nan)))

    def traits(self) -> dict[str, IntArray]:
        """``male`` from the attribute list, ``identity`` where the list of identities exists."""
        male_column = self.attributes.index("Male")
        found = {"male": self._attribute_rows, "identity": {}}
        male = [found["male"][name][male_column] if name in found["male"] else -1 for name in self.names]
        traits = {"male": np.array(male, dtype=np.int64)}
        if (self.root / "identity_CelebA.txt").is_file():
            identity = {row[0]: int(row[1]) for row in self._rows("identity_CelebA.txt", 1)}
            traits["identity"] = np.array([identity.get(name, -1) for name in self.names], dtype=np.int64)
        return traits

    def fingerprint(self) -> Any:
        """Names, sizes and times of the files read."""
        lists = [path.stat().st_mtime_ns for path in sorted(self.root.glob("*.txt"))]
        stats = [(self.root / "img_align_celeba" / name).stat() for name in self.names]
        rows = [[name, stat.st_size, stat.st_mtime_ns] for name, stat in zip(self.names, stats, strict=True)]
        return ["celeba", str(self.root.resolve()), self.split, lists, rows]

    def __len__(self) -> int:
        return len(self.names)

    def __getitem__(self, index: int) -> tuple[Any, torch.Tensor]:
        image = tv_tensors.Image(torch.from_numpy(self.photo(index).image).permute(2, 0, 1).contiguous())
        row = self._attribute_rows.get(self.names[index])
        values = torch.full((len(self.attributes),), -1) if row is None else torch.from_numpy(row)
        return (image if self.transforms is None else self.transforms(image)), values
