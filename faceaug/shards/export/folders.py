"""Exports that are folders of pictures: a plain one, and the layouts of Helen and CelebAMask-HQ."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import numpy as np

from faceaug.labels import SCHEMES, Scheme, scheme_toml
from faceaug.marks import marked_jpeg, marked_png
from faceaug.shards.export.faces import Exported, Faces


def write_folder(part: Path, faces: Faces, scheme: Scheme) -> None:
    """``images/*.png``, ``masks/*.png`` in the scheme's colours, the scheme, ``train.txt`` with all names, ``metadata.csv``."""
    (part / "images").mkdir()
    (part / "masks").mkdir()
    if SCHEMES.get(scheme.name) == scheme:
        (part / "scheme.txt").write_text(scheme.name + "\n", encoding="utf-8")
    else:
        (part / "scheme.toml").write_text(scheme_toml(scheme), encoding="utf-8")
    with Table(part / "metadata.csv", faces) as table:
        for face in faces:
            (part / "images" / f"{face.name}.png").write_bytes(marked_png(face.image))
            (part / "masks" / f"{face.name}.png").write_bytes(marked_png(face.labels, palette=scheme))
            table.add(face)
    _list(part / "train.txt", table.names)


def write_helen(part: Path, faces: Faces, scheme: Scheme) -> None:
    """``images/*.jpg``, ``labels/<name>/<name>_lbl00.png`` .. ``_lbl10.png`` and ``exemplars.txt`` with all names.

    Unknown pixels are 0 in all eleven maps.
    """
    (part / "images").mkdir()
    with Table(part / "metadata.csv", faces) as table:
        for face in faces:
            (part / "images" / f"{face.name}.jpg").write_bytes(marked_jpeg(face.image))
            folder = part / "labels" / face.name
            folder.mkdir(parents=True)
            for label in range(len(scheme)):
                soft = np.where(face.labels == label, 255, 0).astype(np.uint8)
                (folder / f"{face.name}_lbl{label:02d}.png").write_bytes(marked_png(soft))
            table.add(face)
    _list(part / "exemplars.txt", [f"{number} , {name}" for number, name in enumerate(table.names, 1)])


def write_celebamask(part: Path, faces: Faces, scheme: Scheme) -> None:
    """``CelebA-HQ-img/<k>.jpg``, ``CelebAMask-HQ-mask-anno/<k // 2000>/<k:05d>_<part>.png``, and lists that make all of it train.

    ``k`` counts from 0. Unknown pixels are in no part: background.
    """
    images, masks = part / "CelebA-HQ-img", part / "CelebAMask-HQ-mask-anno"
    images.mkdir()
    with Table(part / "metadata.csv", faces) as table:
        for face in faces:
            (images / f"{face.number}.jpg").write_bytes(marked_jpeg(face.image))
            folder = masks / str(face.number // 2000)
            folder.mkdir(parents=True, exist_ok=True)
            found = set(np.unique(face.labels).tolist())
            for label, name in enumerate(scheme.classes):
                # A face without any part would have no labels at all.
                if label and (label in found or name == "skin"):
                    mask = np.where(face.labels == label, 255, 0).astype(np.uint8)
                    (folder / f"{face.number:05d}_{name}.png").write_bytes(marked_png(mask))
            table.add(face, str(face.number))
    rows = [f"{number} {number} faceaug_{name}.jpg" for number, name in enumerate(table.names)]
    _list(part / "CelebA-HQ-to-CelebA-mapping.txt", ["idx orig_idx orig_file", *rows])
    _list(part / "list_eval_partition.txt", [f"faceaug_{name}.jpg 0" for name in table.names])


class Table:
    """``metadata.csv``: a name and the columns of each face; unknown numbers are empty.

    Args:
        path: the file.
        faces: whose columns they are.
    """

    def __init__(self, path: Path, faces: Faces) -> None:
        self._path = path
        self._columns = faces.columns
        self._text = io.StringIO()
        self._writer = csv.writer(self._text, lineterminator="\n")
        self._writer.writerow(["name", *self._columns])
        self.names: list[str] = []

    def add(self, face: Exported, name: str | None = None) -> None:
        """A face's line; it is called as its files are."""
        self.names.append(name or face.name)
        self._writer.writerow([self.names[-1], *("" if face.values[key] is None else face.values[key] for key in self._columns)])

    def __enter__(self) -> Table:
        return self

    def __exit__(self, *_: object) -> None:
        self._path.write_text(self._text.getvalue(), encoding="utf-8")


def _list(path: Path, lines: list[str]) -> None:
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
