"""Helen's parsing set (SmithCVPR2013): photos, eleven soft label maps each, three lists."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from faceaug.errors import ConfigError, DatasetDamaged, DatasetNotFound
from faceaug.images import read_grey, read_rgb
from faceaug.labels import IGNORE, NUM_CLASSES
from faceaug.prepare.faces import IntArray, Photo

from .samples import Sample, face_sample

ByteArray = npt.NDArray[np.uint8]


def dataset_title(root: Path, name: str) -> str:
    """What reports call a dataset: the ``title`` in its ``faceaug.json``, else its name and folder."""
    about = root / "faceaug.json"
    if about.is_file():
        try:
            return str(json.loads(about.read_text())["title"])
        except (json.JSONDecodeError, KeyError, TypeError) as error:
            raise DatasetDamaged(f'{about}: must be JSON with a "title"; mend or delete it') from error
    return name if root.name.lower() == name.lower() else f"{name} ({root.name})"


class Helen:
    """Labelled photos in Helen's own layout; a torch dataset of ``(Image, Mask)``.

    ``images/<name>.jpg``, ``labels/<name>/<name>_lbl00.png`` .. ``_lbl10.png`` (8-bit probabilities; the largest wins, ties go
    to the lower class) or one label map ``labels/<name>.png`` (values 0..10), and ``exemplars.txt``, ``tuning.txt``,
    ``testing.txt`` with ``<number> , <name>`` a line.

    Args:
        root: the dataset's folder.
        split: ``train``, ``tuning`` or ``testing``.
        limit: only the first so many of the split.
        transforms: called as ``transforms(image, mask)``, for example a torchvision v2 transform.

    Raises:
        DatasetNotFound: the folder or a list is missing.
        DatasetDamaged: a listed photo has no labels or no image; raised when it is read: the file is unreadable.
    """

    lists: ClassVar[dict[str, str]] = {"train": "exemplars.txt", "tuning": "tuning.txt", "testing": "testing.txt"}

    def __init__(
        self,
        root: str | Path,
        split: str = "train",
        *,
        limit: int | None = None,
        transforms: Callable[..., Any] | None = None,
    ) -> None:
        self.root = Path(root)
        self.split = split
        self.transforms = transforms
        if split not in self.lists:
            raise ConfigError(f"split {split!r}: unknown; choose from {', '.join(self.lists)}")
        names = self._listed()
        if limit is not None and not 0 < limit <= len(names):
            raise ConfigError(f"--labelled {limit}: {self.root} lists {len(names)} {split} faces; choose 1 to {len(names)}")
        self.names: tuple[str, ...] = tuple(names[:limit])
        self.title = dataset_title(self.root, "Helen")
        self._check_files()

    def _listed(self) -> list[str]:
        if not self.root.is_dir():
            raise DatasetNotFound(
                f"{self.root}: no such folder; put Helen's images/, labels/ and lists there, name another with "
                f"helen:DIR, or run `faceaug draw` for drawn faces"
            )
        path = self.root / self.lists[self.split]
        try:
            lines = path.read_text().splitlines()
        except OSError as error:
            raise DatasetNotFound(
                f"{path}: cannot be read ({error.strerror}); Helen's layout has this list of '<number> , <name>' lines"
            ) from error
        names = [line.split(",")[-1].strip() for line in lines if line.strip()]
        if not names:
            raise DatasetDamaged(f"{path}: lists no faces; copy the dataset again")
        return names

    def _check_files(self) -> None:
        """Half-copied datasets fail at once and not after an hour."""
        images = {path.stem for path in (self.root / "images").glob("*.jpg")}
        labels = {path.stem for path in (self.root / "labels").glob("*")}
        for kind, have, where in (("photo", images, "images/{}.jpg"), ("labels", labels, "labels/{}")):
            missing = [name for name in self.names if name not in have]
            if missing:
                raise DatasetDamaged(
                    f"{self.root / where.format(missing[0])}: no {kind} for {len(missing)} of {len(self.names)} listed "
                    f"{self.split} faces; copy the dataset again or take them off {self.lists[self.split]}"
                )

    def photo(self, index: int) -> Photo:
        """Read one photo and its label map.

        Raises:
            DatasetDamaged: unreadable, a label out of range, or sizes that differ.
        """
        name = self.names[index]
        image = read_rgb(self.root / "images" / f"{name}.jpg")
        labels = self._labels(name)
        if labels.shape != image.shape[:2]:
            raise DatasetDamaged(
                f"{self.root / 'labels' / name}: labels are {labels.shape[1]}x{labels.shape[0]} but the photo is "
                f"{image.shape[1]}x{image.shape[0]}; copy the dataset again"
            )
        return Photo(image, labels)

    def _labels(self, name: str) -> ByteArray:
        folder = self.root / "labels" / name
        if not folder.is_dir():
            path = folder.with_name(f"{name}.png")
            labels = read_grey(path)
            worst = int(labels[labels != IGNORE].max(initial=0))
            if worst >= NUM_CLASSES:
                raise DatasetDamaged(f"{path}: label {worst} is out of range; labels are 0..10, or 255 to be ignored")
            return labels
        maps = [read_grey(folder / f"{name}_lbl{label:02d}.png") for label in range(NUM_CLASSES)]
        shapes = {soft.shape for soft in maps}
        if len(shapes) > 1:
            raise DatasetDamaged(f"{folder}: its eleven maps differ in size; copy the dataset again")
        return np.asarray(np.stack(maps).argmax(axis=0), dtype=np.uint8)

    def traits(self) -> dict[str, IntArray]:
        """Helen knows neither gender nor identity."""
        return {}

    def fingerprint(self) -> Any:
        """Names, sizes and times of the files read."""
        rows = []
        for name in self.names:
            image = (self.root / "images" / f"{name}.jpg").stat()
            folder = self.root / "labels" / name
            labels = (folder if folder.is_dir() else folder.with_name(f"{name}.png")).stat()
            rows.append([name, image.st_size, image.st_mtime_ns, labels.st_mtime_ns])
        return ["helen", str(self.root.resolve()), self.split, rows]

    def __len__(self) -> int:
        return len(self.names)

    def __getitem__(self, index: int) -> Sample:
        photo = self.photo(index)
        assert photo.labels is not None  # this layout always has them
        return face_sample(photo.image, photo.labels, self.transforms)
