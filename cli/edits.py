"""What ``faceaug edit``, ``transfer`` and ``swap`` share: their options, and photos to a folder of results."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .workspace import Workspace

if TYPE_CHECKING:
    from faceaug.credentials import Credentials
    from faceaug.edit.editor import Edited, Editor
    from faceaug.edit.face import PhotoFace

Photos = Annotated[list[Path], typer.Argument(metavar="PHOTOS...", help="Photos, or folders of photos: the targets.")]
Results = Annotated[Path, typer.Option("--out", help="Folder for the results.")]
Other = Annotated[Path, typer.Option("--from", metavar="PHOTO", help="The photo of the other person, the source.")]
Parser = Annotated[
    Path | None, typer.Option("--parser", help="Weights of the parser; else the one that the GAN was trained with.")
]
Number = Annotated[
    int | None, typer.Option("--face", metavar="N", help="Of a photo with several faces the N-th largest; else the largest.")
]
Force = Annotated[bool, typer.Option("--force", help="Edit faces, too, that cannot be parsed reliably.")]
Jpeg = Annotated[bool, typer.Option("--jpeg", help="Write JPEG: smaller, but what was not edited is not kept bit for bit.")]


Signed = Annotated[
    Path | None,
    typer.Option(
        "--credentials", metavar="PEM", help="Sign results (C2PA): a private key and its certificates. Needs faceaug[c2pa]."
    ),
]


def load_credentials(pem: Path | None) -> Credentials | None:
    """What signs results, where it is wanted."""
    from faceaug.credentials import Credentials

    return None if pem is None else Credentials(pem)


def load_editor(space: Workspace, generator: Path | None, parser: Path | None) -> tuple[Path, Editor]:
    """The generator's weights, and an editor with it."""
    from faceaug.edit.editor import Editor

    weights, loaded = space.generator(generator)
    return weights, Editor(loaded, space.parser(parser) if parser is not None else space.parser_of(loaded))


def edit_all(
    editor: Editor,
    photos: list[Path],
    out: Path,
    change: Callable[[PhotoFace], Edited],
    *,
    command: str,
    settings: dict[str, Any],
    number: int | None,
    force: bool,
    jpeg: bool,
    credentials: Path | None,
) -> None:
    """Edit all photos, and tell what became of them; raises NothingLeft where all were refused."""
    from faceaug.edit.folder import DONE, edit_photos
    from faceaug.errors import ConfigError, NothingLeft
    from faceaug.prepare.photos import REPORT, find_photos
    from faceaug.runs.folder import claim

    signing = load_credentials(credentials)
    if number is not None and number < 1:
        raise ConfigError(f"--face {number}: faces are counted from 1, the largest")
    found = find_photos(photos, but=out)
    # Not --force: it is added where a photo was refused, and all others stay as they are.
    about = {**settings, "face": number, "jpeg": jpeg, **({"signed": True} if signing else {})}
    claim(out, {command: about, "generator": editor.generator.hash, "parser": editor.parser.hash})
    typer.echo(f"{command}: {len(found):,} photos at {editor.size} px, {editor.generator.compute}\n  into {out}")
    suffix = ".jpg" if jpeg else ".png"
    rows = edit_photos(editor, found, out, change, label=command, number=number, force=force, suffix=suffix, credentials=signing)
    refused = [row for row in rows if row["outcome"] != DONE]
    for row in refused[:10]:
        typer.echo(f"  refused: {row['file']}: {row['reason']}")
    if len(refused) == len(rows):
        raise NothingLeft(f"{out / REPORT}: no photo could be edited; the reasons are there")
    typer.echo(f"edited: {len(rows) - len(refused):,} of {len(rows):,} photos; report: {out / REPORT}")
