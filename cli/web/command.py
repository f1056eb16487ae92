"""``faceaug web``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..edits import Parser, load_editor
from ..options import Generator
from ..workspace import Workspace

if TYPE_CHECKING:
    from faceaug.edit.editor import Editor
    from faceaug.shards.dropped import DropFile
    from faceaug.shards.reader import ShardReader


def web(
    space: Workspace,
    generator: Generator = None,
    parser: Parser = None,
    shards: Annotated[
        Path | None, typer.Option("--shards", metavar="SET", help="A set of generated faces to look through: its folder.")
    ] = None,
    dropped: Annotated[
        Path | None,
        typer.Option("--dropped", metavar="DIR", help="Where the list of dropped rows goes; else the folder dropped in --runs."),
    ] = None,
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="Port of the page; 0 takes one that is free.")] = 7860,
    host: Annotated[
        str, typer.Option("--host", help="Address that the page listens at; any but 127.0.0.1 lets other computers use it.")
    ] = "127.0.0.1",
) -> None:
    """A page in the browser: edit photos with a mask, sliders and a brush, and look through a set of generated faces.

    Nothing leaves this computer, and nothing is loaded from elsewhere. Photos stay in memory until the page is closed. Rows that
    you drop from a set are written to a list beside it, for SyntheticFaces(SET, without=LIST); the set itself is not changed.
    Needs faceaug[web].

    Example: faceaug web --shards runs/synthetic/helen-64-1a2b3c4d
    """
    try:
        from .app import PageServer, address_of, build_app, listen
    except ImportError as error:
        from faceaug.errors import ConfigError

        raise ConfigError(f"web: needs gradio ({error}); pip install 'faceaug[web]'") from error
    from faceaug.errors import Interrupted

    from .guard import is_loopback
    from .private import private_folder

    browsed = None if shards is None else _browsed(shards, dropped or space.runs / "dropped")
    editor = _editor(space, generator, parser, needed=browsed is None)
    local = is_loopback(host)
    with listen(host, port) as listening, private_folder() as folder:
        app = build_app(folder, editor=editor, browsed=browsed, local=local)
        if not local:
            typer.echo(f"web: whoever reaches {host} can use this page and see this set; there is no password")
        typer.echo(f"web: {address_of(listening)} (Ctrl-C ends it)")
        try:
            PageServer(app).run(sockets=[listening])
        except (KeyboardInterrupt, Interrupted):  # how a page ends, not a job that is cut short
            typer.echo("web: ended; what was uploaded is removed")


def _browsed(shards: Path, lists: Path) -> tuple[ShardReader, DropFile]:
    from faceaug.shards.dropped import DropFile
    from faceaug.shards.reader import ShardReader

    reader = ShardReader(shards)
    drops = DropFile(lists, reader)
    typer.echo(f"set: {shards}, {len(reader):,} faces at {reader.size} px; dropped rows: {drops.path}")
    return reader, drops


def _editor(space: Workspace, generator: Path | None, parser: Path | None, *, needed: bool) -> Editor | None:
    """An editor; None where no generator was named, none is there, and the page has something else to show."""
    from faceaug.runs.folder import latest

    if generator is None and not needed and latest(space.runs, "gan") is None:
        typer.echo(f"editing: off, no GAN in {space.runs / 'gan'}; train one, or name its --generator")
        return None
    weights, editor = load_editor(space, generator, parser)
    typer.echo(f"editing: {weights}, a GAN of {editor.generator.trained_on}, at {editor.size} px, {editor.generator.compute}")
    return editor
