"""One mask, many people (Figure 5): a face of each source photo on the same label map."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from faceaug.arrays import ByteArray
from faceaug.credentials import Credentials
from faceaug.edit.editor import Editor
from faceaug.edit.face import PhotoFace
from faceaug.edit.folder import REFUSED
from faceaug.edit.mask import fit_mask, is_mask, load_mask
from faceaug.errors import ConfigError, DatasetDamaged, NothingLeft
from faceaug.files import atomic_file
from faceaug.images import read_rgb, write_png
from faceaug.marks import marked_png
from faceaug.pictures import sheet
from faceaug.prepare.detect import check_detector
from faceaug.prepare.photos import REPORT, Record, Row, write_report
from faceaug.progress import Progress

SHEET = "faces.png"

_GREY, _SHOWN = 128, 60


def generate_people(
    editor: Editor,
    target: tuple[ByteArray, ByteArray],
    photos: dict[str, Path],
    out: Path,
    *,
    force: bool = False,
    credentials: Credentials | None = None,
) -> list[Row]:
    """A face of each source on one mask; an interrupted call goes on, and sources that were refused are tried again.

    Args:
        editor: with trained weights.
        target: photo and mask, see :func:`read_target`.
        photos: sources by name.
        out: gets ``<stem>.png``, ``faces.png`` and ``report.csv``.
        force: use faces that cannot be parsed reliably too.
        credentials: sign the results.

    Returns:
        A row for each source.

    Raises:
        ConfigError: the detector is not installed.
        OutputError: something cannot be written.
    """
    check_detector()
    image, mask = target
    record = Record(out, photos, again=REFUSED, reserved=[Path(SHEET).stem])
    total = len(record.photos)
    with Progress("faces", total, start=total - len(record.left), unit="sources") as progress:
        for count, name in enumerate(record.left, total - len(record.left) + 1):
            path = photos[name]
            try:
                face = editor.face(path, force=force)
            except (ConfigError, DatasetDamaged, NothingLeft) as error:
                reason = str(error).removeprefix(f"{path}: ")
                record.add(name, {"outcome": REFUSED, "reason": reason, "faces": []}, [])
            else:
                stem = record.fresh_name(name)
                _write(editor, face, target, out / f"{stem}.png", credentials)
                found = {**face.place.record(1, stem), "expected_f1": round(face.expected_f1, 4)}
                record.add(name, {"outcome": "generated", "reason": face.remark, "faces": [found]}, [f"{stem}.png"])
            progress.update(count)
    rows = record.rows()
    write_report(out / REPORT, record.every(), ["expected_f1"])
    write_png(out / SHEET, _sheet(editor, image, mask, photos, out, rows))
    return rows


def _write(
    editor: Editor, face: PhotoFace, target: tuple[ByteArray, ByteArray], path: Path, credentials: Credentials | None
) -> None:
    of = editor.generator.trained_on
    data = marked_png(editor.people(*target, [face])[0], trained_on=of)
    if credentials is not None:
        data = credentials.sign_generated(data, "png", trained_on=of)
    with atomic_file(path) as part:
        part.write_bytes(data)


def read_target(editor: Editor, path: Path, *, force: bool = False) -> tuple[ByteArray, ByteArray]:
    """The photo ``(S, S, 3)`` and the mask ``(S, S)`` that people are generated on; a mask alone lies on grey.

    Args:
        editor: gives size and scheme, and predicts the mask of a photo.
        path: a square label map, or a photo.
        force: take a photo whose face cannot be parsed reliably too.

    Raises:
        DatasetDamaged: no readable picture.
        ConfigError: a label map that does not fit the scheme, or is not square.
        NothingLeft: a photo without a usable face.
    """
    if is_mask(path):
        mask = fit_mask(load_mask(path, editor.scheme), editor.scheme, editor.size, str(path))
        return np.full((*mask.shape, 3), _GREY, dtype=np.uint8), mask
    face = editor.face(path, force=force)
    return face.image, face.labels


def _sheet(editor: Editor, image: ByteArray, mask: ByteArray, photos: dict[str, Path], out: Path, rows: list[Row]) -> ByteArray:
    of = f"GAN of {editor.generator.trained_on}"
    cells: list[tuple[str, ByteArray]] = [(f"mask\n{of}", editor.scheme.colour(mask)), ("target", image)]
    for row in [row for row in rows if row["faces"]][: _SHOWN // 2]:
        name = row["faces"][0]["name"]
        cells += [(f"source {name}", read_rgb(photos[row["file"]], upright=True)), (name, read_rgb(out / f"{name}.png"))]
    return sheet(cells)
