"""``faceaug edit``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .edits import Force, Jpeg, Number, Parser, Photos, Results, Signed, edit_all, load_editor
from .options import Generator
from .workspace import Workspace

if TYPE_CHECKING:
    from faceaug.edit.editor import Edited
    from faceaug.edit.face import PhotoFace


def edit(
    space: Workspace,
    photos: Photos,
    out: Results,
    change: Annotated[
        list[str] | None,
        typer.Option(
            "--change",
            metavar="NAME[:STRENGTH]",
            help="What is changed, may be repeated: forehead, fringe, hair-longer, hair-shorter, smile, mouth-open, "
            "mouth-closed, lips-fuller, lips-thinner, eyes-larger, eyes-smaller, brows-up, brows-down, brows-thicker, "
            "brows-thinner; 1 is the usual strength.",
        ),
    ] = None,
    mask: Annotated[
        Path | None,
        typer.Option(
            "--mask",
            help="A painted label map, PNG: of the photo's size, or a square of the aligned face; 255 keeps. Or a folder with "
            "one for each photo, named as it.",
        ),
    ] = None,
    generator: Generator = None,
    parser: Parser = None,
    face: Number = None,
    force: Force = False,
    jpeg: Jpeg = False,
    credentials: Signed = None,
) -> None:
    """Change the masks of faces, and with them the photos: each face keeps its own look.

    A face is found, aligned and parsed; its mask is changed by named operations, or is the one that you painted (`faceaug parse`
    writes masks to begin with, by label number; the scheme's colours will do too); the face is generated on it and what has
    changed put back into the photo, with a soft seam. All other pixels stay as they are. NAME_steps.png shows target, masks and
    result; report.csv has what was refused and why, and the same command tries these again. Results are marked as edited by a
    model.

    Example: faceaug edit portrait.jpg --change smile --change eyes-larger:0.5 --out edited
    """
    from faceaug.edit.mask import PaintedMasks
    from faceaug.edit.operations import parse_change
    from faceaug.errors import ConfigError
    from faceaug.prepare.photos import check_apart

    changes = [parse_change(one) for one in change or []]
    if not changes and mask is None:
        raise ConfigError("--change, --mask: nothing to change; name an operation, for example --change smile, or a mask")
    check_apart(out, [] if mask is None else [mask])
    _, editor = load_editor(space, generator, parser)
    masks = None if mask is None else PaintedMasks(mask, editor.scheme)

    def work(target: PhotoFace) -> Edited:
        return editor.edit(target, changes, mask=None if masks is None else masks.of(target, editor.parser))

    settings = {"changes": [str(one) for one in changes], "mask": None if masks is None else masks.hash}
    edit_all(
        editor, photos, out, work, command="edit", settings=settings, number=face,
        force=force, jpeg=jpeg, credentials=credentials,
    )  # fmt: skip
