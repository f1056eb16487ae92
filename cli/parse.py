"""``faceaug parse``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .options import Device, MinConfidence, MinSize, Precision, TakenFaces


def parse(
    sources: Annotated[list[Path], typer.Argument(metavar="PHOTOS...", help="Photos, or folders of photos.")],
    parser: Annotated[
        Path, typer.Option("--parser", help="A parser's weights file, its run's folder, or drawn: the small one in the package.")
    ],
    out: Annotated[Path, typer.Option("--out", help="Folder for the label maps.")],
    faces: TakenFaces = "every",
    min_size: MinSize = 32,
    min_confidence: MinConfidence = 0.95,
    aligned: Annotated[
        bool, typer.Option("--aligned", help="The photos are aligned square faces (faceaug prepare): nothing is detected.")
    ] = False,
    crops: Annotated[
        bool, typer.Option("--crops", help="Write aligned faces and their label maps, images/ and masks/, instead.")
    ] = False,
    size: Annotated[
        int | None,
        typer.Option(help="Side of the crops in pixels; else 256, or the parser's own if that is larger."),
    ] = None,
    device: Device = "auto",
    precision: Precision = "auto",
) -> None:
    """Label maps of ordinary photos: find and align the faces, parse photo and mirror image, put the labels back.

    Writes for each photo NAME.png, a palette PNG of the photo's size and upright orientation in the colours of the parser's label
    scheme, 255 (white) outside of the crops, and NAME_overlay.jpg; report.csv has what became of each photo and why, and for each
    face the mean F1 that the parser expects of its label map. The same command resumes, and adds photos that are new.

    Example: faceaug parse holiday/ portrait.jpg --parser runs/parser/efficientnet-lite0-64-1a2b3c4d --out labels
    """
    from faceaug.compute.device import choose_compute
    from faceaug.errors import ConfigError
    from faceaug.parser import photos as work
    from faceaug.parser.predict import load_parser
    from faceaug.prepare.photos import REPORT, FaceChoice, Record, check_any, find_photos, is_finished, summary
    from faceaug.runs.folder import claim

    if size is not None and not 16 <= size <= 4096:
        raise ConfigError(f"--size {size}: must be within 16..4096 pixels")
    choice = FaceChoice(faces, min_size, min_confidence)
    photos = find_photos(sources, but=out)
    p_f = load_parser(parser, choose_compute(device, precision))
    settings = {**vars(choice), "size": size, "aligned": aligned, "crops": crops}
    claim(out, {"parse": settings, "parser": p_f.hash})
    if is_finished(out, photos):
        typer.echo(f"parse: already finished, {out}")
        rows = Record(out, photos).rows()
    else:
        scheme = p_f.config.scheme.name
        typer.echo(f"parse: {len(photos):,} photos, labels of {scheme}, {p_f.compute}\n  parser {parser}\n  into {out}")
        rows = work.parse(p_f, photos, out, choice=choice, size=size, crops=crops, aligned=aligned)
    check_any(rows, out / REPORT)
    typer.echo(f"faces: {summary(rows)}\nlabel maps: {out / work.MASKS if crops else out}, report: {out / REPORT}")
