"""``faceaug prepare``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .options import MinConfidence, MinSize, TakenFaces


def prepare(
    source: Annotated[Path, typer.Argument(metavar="SRC", help="A folder of photos, searched at any depth, or one photo.")],
    out: Annotated[Path, typer.Option("--out", help="Folder for the aligned faces.")],
    size: Annotated[int, typer.Option(help="Side of the aligned faces in pixels.")] = 256,
    faces: TakenFaces = "largest",
    min_size: MinSize = 32,
    min_confidence: MinConfidence = 0.95,
    landmarks: Annotated[
        Path | None,
        typer.Option(
            help="Take landmarks from files instead of a detector: a CSV list (name, x1, y1, ..., x5, y5), or a folder with a "
            "text file for each photo, of 5, 68 (iBUG) or 106 (LaPa) points. They lie on the stored pixels, EXIF ignored."
        ),
    ] = None,
) -> None:
    """Find the faces of ordinary photos and align them: a folder of photos becomes one that photos:DIR reads.

    Photos may have any format, size and orientation. Without --landmarks faces are found by MTCNN: pip install "faceaug[photos]".
    Writes images/ (PNG, a photo's further faces as NAME-2, NAME-3), landmarks.csv in pixels of the crops, report.csv (what became
    of each photo and why, boxes, confidences, the matrices from photo to crop) and contact_sheet.png. The same command resumes,
    and adds photos that are new.

    Example: faceaug prepare holiday/ --out faces --size 256 --faces every
    """
    from faceaug.errors import ConfigError
    from faceaug.prepare import photos as work
    from faceaug.prepare.landmark_files import LandmarkFiles
    from faceaug.runs.folder import claim

    if not 16 <= size <= 4096:
        raise ConfigError(f"--size {size}: must be within 16..4096 pixels")
    choice = work.FaceChoice(faces, min_size, min_confidence)
    points = None if landmarks is None else LandmarkFiles(landmarks)
    work.check_apart(out, [] if landmarks is None else [landmarks])
    photos = work.find_photos([source], but=out)
    claim(out, {"prepare": work.about(size, choice, points)})
    if work.is_finished(out, photos):
        typer.echo(f"prepare: already finished, {out}")
        rows = work.Record(out, photos).rows()
    else:
        typer.echo(f"prepare: {len(photos):,} photos of {source}, {faces} face at {size} px, into {out}")
        rows = work.prepare(photos, out, size=size, choice=choice, landmarks=points)
    work.check_any(rows, out / work.REPORT)
    typer.echo(f"faces: {work.summary(rows)}\nreport: {out / work.REPORT}, pictures: {out / work.SHEET}, use: photos:{out}")
