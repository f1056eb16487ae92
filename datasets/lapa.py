"""LaPa: photos of the wild with eleven classes and 106 landmarks."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import ClassVar

import numpy as np

from faceaug.arrays import ByteArray, FloatArray
from faceaug.labels import LAPA_11, Scheme
from faceaug.prepare.landmark_files import five_points
from faceaug.prepare.landmarks import landmarks_from_labels

from .layout import Layout, home
from .listing import Index, read_points


class LaPa(Layout):
    """Labelled photos in LaPa's layout; a torch dataset of ``(Image, Mask)``.

    ``train/``, ``val/`` and ``test/``, each with ``images/*.jpg``, ``labels/*.png`` (0..10) and, where there are some,
    ``landmarks/*.txt`` (106 and that many points). A face is aligned by its labels; landmarks stand in for classes that it lacks.
    Arguments and errors as :class:`faceaug.datasets.layout.Layout`.
    """

    key = "lapa"
    label = "LaPa"
    licence = "non-commercial research"
    needs = "LaPa's train/, val/ and test/"
    folders: ClassVar[dict[str, str]] = {"train": "train", "tuning": "val", "testing": "test"}
    scheme: Scheme = LAPA_11

    def _open(self) -> Iterable[str]:
        folder = home(self.root, "train", "val", "test") / self.folders[self.split]
        self._photos, self._maps = Index(folder / "images"), Index(folder / "labels", ".png")
        self._points = folder / "landmarks"
        return self._photos.stems

    def other_files(self, name: str) -> list[Path]:
        """The landmarks of a name, where it has some."""
        path = self._points / f"{name}.txt"
        return [path] if path.is_file() else []

    def landmarks(self, index: int) -> FloatArray | None:
        """``(5, 2)`` landmarks from the file of a face; None where it has none."""
        files = self.other_files(self.names[index])
        return five_points(read_points(files[0])) if files else None

    def _landmarks(self, index: int, image: ByteArray, labels: ByteArray | None) -> FloatArray | None:
        assert labels is not None  # this layout always has them
        points = landmarks_from_labels(labels, self.scheme)
        listed = None if np.isfinite(points).all() else self.landmarks(index)
        return points if listed is None else np.where(np.isfinite(points), points, listed)
