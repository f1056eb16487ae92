"""``faceaug bench-editing``."""

from __future__ import annotations

from typing import Annotated

import typer

from .options import ConfigFile, Faces, Generator, Judge, Out, Settings
from .workspace import Workspace


def bench_editing(
    space: Workspace,
    faces: Faces = "helen",
    generator: Generator = None,
    judge: Judge = None,
    count: Annotated[int | None, typer.Option(help="Faces for each operation and pairs for each transfer; else 200.")] = None,
    rounds: Annotated[int | None, typer.Option(help="Bootstrap resamples for the 95 % intervals; else 1,000.")] = None,
    settings: Settings = None,
    config: ConfigFile = None,
    out: Out = None,
) -> None:
    """Measure what edits do: every operation of `faceaug edit` and every transfer, on testing faces.

    After a change of the mask, does another parser find the new mask in the picture? After a transfer, how far is the component
    from its source's in colour and in features of a packaged network, and do all others stay? Writes editing.json, editing.md and
    editing.png.

    Example: faceaug bench-editing --faces helen --generator runs/gan/tiny-1a2b3c4d --count 100
    """
    from faceaug.benchmarks.editing import PICTURE, EditingConfig, table
    from faceaug.benchmarks.editing import bench_editing as run_bench

    from faceaug.config import configured
    from faceaug.edit.editor import Editor
    from faceaug.imagenet import ImageFeatures

    from .train_parser import ensure_judge

    given = {"faces": count, "rounds": rounds}
    editing = configured(EditingConfig(), section="editing", file=config, pairs=settings, given=given)
    weights, gan = space.generator(generator)
    editor = Editor(gan, space.parser_of(gan))
    second = judge or ensure_judge(space, faces, size=editor.size)
    targets = space.labelled(faces, "testing", size=editor.size)
    scored_by = space.parser(second)
    identity = {"generator": gan.hash, "judge": scored_by.hash, "faces": targets.about(), "count": editing.faces}
    run = space.run(out, "bench", f"editing-{editor.size}", identity)
    typer.echo(
        f"bench-editing: {len(targets):,} faces ({targets.title}, testing), {space.compute}\n  generator {weights}\n"
        f"  judge {second}\n  into {run}"
    )
    results = run_bench(run, editor, scored_by, targets, ImageFeatures(space.compute), editing, record={"weights": str(weights)})
    typer.echo(table(results))
    typer.echo(f"pictures: {run / PICTURE}")
