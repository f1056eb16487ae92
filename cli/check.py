"""``faceaug check``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .options import DataRoot

_SHOWN = 100


def check(
    faces: Annotated[str, typer.Argument(metavar="NAME:DIR", help="The dataset: NAME, NAME:DIR or NAME:DIR@OPTION.")],
    against: Annotated[
        str | None,
        typer.Option(help="Another dataset, for example the sources: no photo or person should be in both."),
    ] = None,
    similar: Annotated[bool, typer.Option(help="Also look for photos that look alike, not only for equal files.")] = False,
    json: Annotated[
        Path | None,
        typer.Option("--json", help="Write all findings to this file."),
    ] = None,
    data_root: DataRoot = None,
) -> None:
    """Check a dataset: read every file of every split and name what is wrong.

    Missing, broken and mismatched files, labels out of range, classes that no face has, faces without skin, eyes and brows with
    their sides exchanged, photos that are there twice, and photos or people in two splits. Exits with 1 where anything is wrong.

    Example: faceaug check folder:/data/mine@celebamask-19 --against celeba:/data/celeba
    """
    from faceaug.datasets.check import check as check_dataset
    from faceaug.datasets.names import data_root as resolve_root

    from faceaug.files import write_json

    report = check_dataset(faces, root=resolve_root(data_root), against=against, similar=similar)
    shown: dict[str, int] = {}
    for finding in report.findings:
        shown[finding.kind] = shown.get(finding.kind, 0) + 1
        if shown[finding.kind] <= _SHOWN:
            where = " ".join(part for part in (finding.split, finding.file) if part)
            typer.echo(f"{finding.kind}: {where}{': ' if where else ''}{finding.text}")
    for kind, count in report.counts().items():
        if count > _SHOWN:
            typer.echo(f"{kind}: {count - _SHOWN} more; --json FILE has all")
    if json is not None:
        write_json(json, report.as_dict(), option="--json")
    typer.echo(f"check: {report.summary()}")
    if report.findings:
        raise typer.Exit(1)
