"""``faceaug faces``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .edits import Force, Parser, Results, Signed, load_credentials, load_editor
from .options import Generator
from .workspace import Workspace


def faces(
    space: Workspace,
    target: Annotated[
        Path,
        typer.Argument(metavar="MASK", help="A label map of an aligned face, a square PNG; or a photo, whose mask is predicted."),
    ],
    sources: Annotated[list[Path], typer.Option("--sources", help="Photos of people, or folders; may be repeated.")],
    out: Results,
    generator: Generator = None,
    parser: Parser = None,
    force: Force = False,
    credentials: Signed = None,
) -> None:
    """One mask, many people: a face of each source on the same label map.

    Of a photo the background is kept, a label map alone has a grey one. Writes NAME.png for each source and faces.png with all of
    them; report.csv has what was refused and why.

    Example: faceaug faces portrait.jpg --sources friends/ --out people
    """
    from faceaug.edit.people import generate_people, read_target
    from faceaug.errors import NothingLeft
    from faceaug.files import content_of
    from faceaug.prepare.photos import check_apart, find_photos
    from faceaug.runs.folder import claim

    signing = load_credentials(credentials)
    check_apart(out, [target])
    photos = find_photos(sources, but=out)
    _, editor = load_editor(space, generator, parser)
    mask = read_target(editor, target, force=force)
    about = {"mask": content_of([target]), **({"signed": True} if signing else {})}
    claim(out, {"faces": about, "generator": editor.generator.hash, "parser": editor.parser.hash})
    typer.echo(f"faces: {len(photos):,} sources at {editor.size} px, {editor.generator.compute}\n  into {out}")
    rows = generate_people(editor, mask, photos, out, force=force, credentials=signing)
    done = sum(bool(row["faces"]) for row in rows)
    for row in [row for row in rows if not row["faces"]][:10]:
        typer.echo(f"  refused: {row['file']}: {row['reason']}")
    if not done:
        raise NothingLeft(f"{out / 'report.csv'}: no source could be used; the reasons are there")
    typer.echo(f"faces: {done:,} of {len(photos):,} sources; picture: {out / 'faces.png'}")
