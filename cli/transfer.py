"""``faceaug transfer``."""

from __future__ import annotations

from typing import Annotated

import typer

from .edits import Force, Jpeg, Number, Other, Parser, Photos, Results, Signed, edit_all, load_editor
from .options import Generator
from .workspace import Workspace


def transfer(
    space: Workspace,
    photos: Photos,
    other: Other,
    component: Annotated[
        list[str],
        typer.Option("--component", help="What is taken, may be repeated: hair, skin (with beard and brows), mouth, eyes."),
    ],
    out: Results,
    generator: Generator = None,
    parser: Parser = None,
    face: Number = None,
    force: Force = False,
    jpeg: Jpeg = False,
    credentials: Signed = None,
) -> None:
    """Give faces a component of another person: hair colour, skin and beard, lips, eyes; each keeps its own mask.

    Results are as those of `faceaug edit`.

    Example: faceaug transfer portrait.jpg --from blonde.jpg --component hair --out blond
    """
    from faceaug.edit.editor import check_components
    from faceaug.files import content_of
    from faceaug.prepare.photos import check_apart

    check_components(component)
    check_apart(out, [other])
    _, editor = load_editor(space, generator, parser)
    source = editor.face(other, force=force)
    settings = {"from": content_of([other]), "components": sorted(component)}
    edit_all(
        editor, photos, out, lambda target: editor.transfer(target, source, component), command="transfer", settings=settings,
        number=face, force=force, jpeg=jpeg, credentials=credentials,
    )  # fmt: skip
