"""``faceaug swap``."""

from __future__ import annotations

from typing import Annotated

import typer

from .edits import Force, Jpeg, Number, Other, Parser, Photos, Results, Signed, edit_all, load_editor
from .options import Generator
from .workspace import Workspace


def swap(
    space: Workspace,
    photos: Photos,
    other: Other,
    out: Results,
    hair: Annotated[bool, typer.Option("--hair", help="Take the look of the hair too.")] = False,
    generator: Generator = None,
    parser: Parser = None,
    face: Number = None,
    force: Force = False,
    jpeg: Jpeg = False,
    credentials: Signed = None,
) -> None:
    """Face swap+: the look of another person on each target's own shapes, in its photo.

    Results are as those of `faceaug edit`.

    Example: faceaug swap portrait.jpg --from other.jpg --hair --out swapped
    """
    from faceaug.files import content_of
    from faceaug.prepare.photos import check_apart

    check_apart(out, [other])
    _, editor = load_editor(space, generator, parser)
    source = editor.face(other, force=force)
    settings = {"from": content_of([other]), "hair": hair}
    edit_all(
        editor, photos, out, lambda target: editor.swap(target, source, hair=hair), command="swap", settings=settings,
        number=face, force=force, jpeg=jpeg, credentials=credentials,
    )  # fmt: skip
