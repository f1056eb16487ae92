"""One mask, many people (Figure 5): a face of each source photo on the same label map."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from faceaug.arrays import ByteArray
from faceaug.credentials import Credentials
from faceaug.edit.editor import Editor
from faceaug.edit.mask import fit_mask, is_mask
from faceaug.errors import ConfigError, DatasetDamaged, NothingLeft
from faceaug.files import atomic_file
from faceaug.images import read_grey, read_rgb, write_png
from faceaug.marks import marked_png
from faceaug.pictures import sheet
from faceaug.prepare.photos import REPORT, Record, Row, write_report
from faceaug.progress import Progress

SHEET = "faces.png"

_GREY, _SHOWN = 128, 60


def generate_people(
    editor: Editor,
    target: Path,
    photos: dict[str, Path],
    out: Path,
    *,
    force: bool = False,
    credentials: Credentials | None = None,
) -> list[Row]:
    """A face of each source on one mask; an interrupted call goes on.

    Args:
        editor: with trained weights.
        target: a square label map, or a photo.
        photos: sources by name.
        out: gets ``<stem>.png``, ``faces.png`` and ``report.csv``.
        force: use faces that cannot be parsed reliably too.
        credentials: sign the results.

    Returns:
        A row for each source.

    Raises:
        ConfigError: a label map that does not fit the scheme, or is not square.
        NothingLeft: the target is a photo without a usable face.
        OutputError: something cannot be written.
    """
    image, mask = _target(editor, target, force=force)
    record = Record(out, photos)
    total = len(record.photos)
    with Progress("faces", total, start=total - len(record.left), unit="sources") as progress:
        for count, name in enumerate(record.left, total - len(record.left) + 1):
            path = photos[name]
            try:
                face = editor.face(path, force=force)
            except (ConfigError, DatasetDamaged, NothingLeft) as error:
                reason = str(error).removeprefix(f"{path}: ")
                record.add(name, {"outcome": "refused", "reason": reason, "faces": []}, [])
            else:
                stem = record.fresh_name(name)
                of = editor.generator.trained_on
                data = marked_png(editor.people(image, mask, [face])[0], trained_on=of)
                if credentials is not None:
                    data = credentials.sign_generated(data, "png", trained_on=of)
                with atomic_file(out / f"{stem}.png") as part:
                    part.write_bytes(data)
                found = {**face.place.record(1, stem), "expected_f1": round(face.expected_f1, 4)}
                record.add(name, {"outcome": "generated", "reason": face.remark, "faces": [found]}, [f"{stem}.png"])
            progress.update(count)
    rows = record.rows()
    write_report(out / REPORT, rows, ["expected_f1"])
    write_png(out / SHEET, _sheet(editor, image, mask, photos, out, rows))
    return rows


def _target(editor: Editor, path: Path, *, force: bool) -> tuple[ByteArray, ByteArray]:
    """The target's photo and mask; a mask alone lies on grey."""
    if is_mask(path, editor.scheme):
        mask = fit_mask(read_grey(path), editor.scheme, editor.size, str(path))
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
