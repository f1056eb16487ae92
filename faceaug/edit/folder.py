"""Many photos edited alike: a folder of results, with a picture and a record of each, which an interrupted call goes on with."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from faceaug.credentials import Credentials
from faceaug.edit.editor import Edited, Editor
from faceaug.edit.face import PhotoFace
from faceaug.errors import ConfigError, DatasetDamaged, NothingLeft
from faceaug.images import write_png
from faceaug.prepare.detect import check_detector
from faceaug.prepare.photos import REPORT, Record, Row, write_report
from faceaug.progress import Progress

DONE, REFUSED = "edited", "refused"

_STEPS = "_steps"


def edit_photos(
    editor: Editor,
    photos: dict[str, Path],
    out: Path,
    change: Callable[[PhotoFace], Edited],
    *,
    label: str,
    number: int | None = None,
    force: bool = False,
    suffix: str = ".png",
    credentials: Credentials | None = None,
) -> list[Row]:
    """Edit a face of each photo.

    Writes ``<stem>.png``, ``<stem>_steps.png`` with target, mask, source and result, and ``report.csv``, which also has the
    photos that were refused and why. An interrupted call goes on; photos that were refused are tried again.

    Args:
        editor: with trained weights.
        photos: by name, see :func:`faceaug.prepare.photos.find_photos`.
        out: the folder.
        change: the edit.
        label: of the progress line.
        number: see :meth:`Editor.face`.
        force: likewise.
        suffix: of the results: .png or .jpg.
        credentials: sign them.

    Returns:
        A row for each photo.

    Raises:
        ConfigError: the detector is not installed.
        OutputError: something cannot be written.
    """
    check_detector()
    record = Record(out, photos, again=REFUSED)
    total = len(record.photos)
    with Progress(label, total, start=total - len(record.left), unit="photos") as progress:
        for count, name in enumerate(record.left, total - len(record.left) + 1):
            row, files = _edited(editor, record, name, change, number, force, suffix, credentials)
            record.add(name, row, files)
            progress.update(count)
    write_report(out / REPORT, record.every(), ["expected_f1", "pixels"])
    return record.rows()


def _edited(
    editor: Editor,
    record: Record,
    name: str,
    change: Callable[[PhotoFace], Edited],
    number: int | None,
    force: bool,
    suffix: str,
    credentials: Credentials | None,
) -> tuple[Row, list[str]]:
    """What became of one photo, and the files that were written."""
    path = record.photos[name]
    try:
        face = editor.face(path, number=number, force=force)
        edited = change(face)
        stem = record.fresh_name(name, _STEPS)
        files = [f"{stem}{suffix}", f"{stem}{_STEPS}.png"]
        edited.save(record.folder / files[0], credentials=credentials)
    except (ConfigError, DatasetDamaged, NothingLeft) as error:
        return {"outcome": REFUSED, "reason": str(error).removeprefix(f"{path}: "), "faces": []}, []
    write_png(record.folder / files[1], edited.sheet())
    found = {
        **face.place.record(number or 1, stem),
        "expected_f1": round(face.expected_f1, 4),
        "pixels": int((edited.pixels != face.picture.pixels).any(-1).sum()),
    }
    told = "; ".join(filter(None, [face.remark, edited.remark]))
    return {"outcome": DONE, "reason": told, "faces": [found]}, files
