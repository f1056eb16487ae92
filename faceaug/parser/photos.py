"""Label maps of ordinary photos: faces are found and aligned, parsed, and their labels put back to the photo's own pixels."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from faceaug.arrays import ByteArray
from faceaug.errors import DatasetDamaged
from faceaug.files import write_text
from faceaug.images import read_rgb, write_jpeg, write_palette_png, write_png
from faceaug.labels import BACKGROUND, IGNORE, Scheme, scheme_toml
from faceaug.parser.confidence import expected_f1
from faceaug.parser.predict import Parser, predict_both_ways
from faceaug.prepare.paste import uncrop_labels
from faceaug.prepare.photos import REPORT, Face, FaceChoice, Look, Looked, Record, Row, numbered, work_through, write_report
from faceaug.tensors import to_float

PARSED = "parsed"
IMAGES, MASKS = "images", "masks"

FINEST = 256
"""Side of the crops in pixels where the parser's own is smaller: its logits are interpolated, so that borders are smooth."""


def parse(
    parser: Parser,
    photos: dict[str, Path],
    out: Path,
    *,
    choice: FaceChoice | None = None,
    size: int | None = None,
    crops: bool = False,
    aligned: bool = False,
) -> list[Row]:
    """Parse the faces of photos.

    Writes ``<stem>.png``, a palette PNG of the photo's size with 255 outside of all crops, ``<stem>_overlay.jpg``, and
    ``report.csv`` with the mean F1 that the parser expects for each face. An interrupted call goes on.

    Args:
        parser: from :func:`faceaug.parser.predict.load_parser`.
        photos: by name, see :func:`faceaug.prepare.photos.find_photos`.
        out: the folder.
        choice: which faces; the largest where None.
        size: side of the crops that are parsed; 256, or the parser's own if that is larger, where None.
        crops: write the aligned faces and their label maps instead, as ``images/`` and ``masks/``.
        aligned: the photos are aligned square crops: nothing is detected.

    Returns:
        A row for each photo.

    Raises:
        ConfigError: the detector is not installed.
        OutputError: something cannot be written.
    """
    side = size or max(parser.config.size, FINEST)
    record = Record(out, photos)
    look = _WholePhotos(photos) if aligned else Look(photos, side, choice or FaceChoice())

    def write(stem: str, looked: Looked) -> tuple[list[Row], list[str]]:
        faces = [looked.image] if aligned else looked.crops(side)
        labels, sure = predict(parser, np.stack(faces))
        names = [numbered(record, stem, number) if crops else stem for number in range(1, len(faces) + 1)]
        rows = [face.record(number, name) for number, (face, name) in enumerate(zip(looked.faces, names, strict=True), 1)]
        rows = [{**row, "expected_f1": round(float(one), 4)} for row, one in zip(rows, sure, strict=True)]
        if not crops:
            return rows, _write_photo(out, stem, looked, labels, parser.config.scheme)
        return rows, [file for each in zip(names, faces, labels, strict=True) for file in _write_crop(out, *each, parser)]

    if crops:  # so that the folder is a labelled set
        write_text(out / "scheme.toml", scheme_toml(parser.config.scheme))
    work_through(record, look, write, label="parsing", done=PARSED)
    write_report(out / REPORT, record.every(), ["expected_f1"])
    return record.rows()


def predict(parser: Parser, images: ByteArray) -> tuple[ByteArray, npt.NDArray[np.float32]]:
    """Label maps ``(N, S, S)`` of aligned photos ``(N, S, S, 3)``, and the mean F1 ``(N,)`` that the parser expects of them."""
    likely = predict_both_ways(parser, to_float(images))
    return likely.argmax(1).to(torch.uint8).cpu().numpy(), expected_f1(likely).cpu().numpy()


def join_labels(maps: list[ByteArray]) -> ByteArray:
    """Label maps ``(H, W)`` of a photo's faces as one: of two classes the earlier map's, any class before background and 255."""
    joined = maps[0].copy()
    for other in maps[1:]:
        free = (joined == IGNORE) | ((joined == BACKGROUND) & (other != IGNORE))
        joined[free] = other[free]
    return joined


def overlay(photo: ByteArray, labels: ByteArray, scheme: Scheme) -> ByteArray:
    """A photo ``(H, W, 3)`` half covered by the colours of its labels ``(H, W)``, where these are neither background nor 255."""
    shown = (labels != BACKGROUND) & (labels != IGNORE)
    mixed = (photo.astype(np.uint16) + scheme.colour(labels) + 1) // 2
    return np.where(shown[..., None], mixed, photo).astype(np.uint8)


def _write_photo(out: Path, stem: str, looked: Looked, labels: ByteArray, scheme: Scheme) -> list[str]:
    shape = (looked.image.shape[0], looked.image.shape[1])
    placed = [uncrop_labels(one, face.matrix, shape) for one, face in zip(labels, looked.faces, strict=True)]
    whole = join_labels(placed)
    files = [f"{stem}.png", f"{stem}_overlay.jpg"]
    write_palette_png(out / files[0], whole, scheme)
    write_jpeg(out / files[1], overlay(looked.image, whole, scheme))
    return files


def _write_crop(out: Path, name: str, image: ByteArray, labels: ByteArray, parser: Parser) -> list[str]:
    files = [f"{IMAGES}/{name}.png", f"{MASKS}/{name}.png"]
    write_png(out / files[0], image)
    write_palette_png(out / files[1], labels, parser.config.scheme)
    return files


class _WholePhotos:
    """Aligned photos: each is its own crop."""

    def __init__(self, photos: dict[str, Path]) -> None:
        self._photos = photos

    def __call__(self, name: str) -> Looked:
        try:
            image = read_rgb(self._photos[name])
        except DatasetDamaged as error:
            return Looked(np.zeros((0, 0, 3), dtype=np.uint8), [], str(error).removeprefix(f"{self._photos[name]}: "))
        height, width = image.shape[:2]
        if height != width:
            return Looked(image, [], f"is {width}x{height}: aligned faces are square")
        nowhere: Any = np.full((5, 2), np.nan)
        return Looked(image, [Face(nowhere, np.eye(2, 3), None, None)], "")
