"""Microsoft's FaceSynthetics: rendered faces with nineteen classes and seventy landmarks."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from faceaug.arrays import FloatArray
from faceaug.errors import DatasetDamaged
from faceaug.labels import FACESYNTHETICS_19, Scheme
from faceaug.prepare.landmark_files import five_points

from .layout import Layout
from .listing import Index, read_points, seeded_split


class FaceSynthetics(Layout):
    """Labelled renderings in one folder: ``<id>.png``, ``<id>_seg.png`` and ``<id>_ldmks.txt``; a dataset of ``(Image, Mask)``.

    The set has no splits: 90 % are for training, 5 % for tuning and 5 % for testing, by the hash of the id.
    Arguments and errors as :class:`faceaug.datasets.layout.Layout`.
    """

    key = "facesynthetics"
    label = "FaceSynthetics"
    licence = "research use licence"
    needs = "FaceSynthetics' <id>.png, <id>_seg.png and <id>_ldmks.txt"
    label_form = "{}_seg"
    scheme: Scheme = FACESYNTHETICS_19

    def _open(self) -> Iterable[str]:
        self._photos = self._maps = Index(self.root, ".png")
        names = [one for one in self._photos.stems if one.isdigit()]
        if not names:
            raise DatasetDamaged(f"{self.root}: holds no pictures named by numbers; put {self.needs} there")
        splits = seeded_split(names, (0.9, 0.05, 0.05))
        return [name for name, split in zip(names, splits, strict=True) if split == self.split]

    def other_files(self, name: str) -> list[Path]:
        """The landmarks of a name, where it has some."""
        path = self.root / f"{name}_ldmks.txt"
        return [path] if path.is_file() else []

    def landmarks(self, index: int) -> FloatArray | None:
        """``(5, 2)`` landmarks from the file of a face; None where it has none, then its labels tell."""
        files = self.other_files(self.names[index])
        return five_points(read_points(files[0])[:68]) if files else None
