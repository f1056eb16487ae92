"""``faceaug bench-discriminators``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .options import ConfigFile, Faces, Generator, Labelled, Settings
from .workspace import Workspace


def bench_discriminators(
    space: Workspace,
    faces: Faces = "helen",
    sources: Annotated[str, typer.Option(help="Photos whose faces are transferred, NAME or NAME:DIR.")] = "celeba",
    generator: Generator = None,
    labelled: Labelled = None,
    steps: Annotated[int | None, typer.Option(help="Training steps of each discriminator; else 150.")] = None,
    masks: Annotated[int | None, typer.Option(help="Labelled faces whose photos and masks are used; else 600.")] = None,
    settings: Settings = None,
    config: ConfigFile = None,
    out: Annotated[Path | None, typer.Option(help="JSON file for the result.")] = None,
) -> None:
    """Compare discriminators: which of them learns to tell a trained generator's faces from photos, and how soon.

    The generator stands still; each discriminator trains from scratch, equally long, on photos against faces generated on their
    masks, and is scored on faces of other masks. One that stays at chance here has nothing to tell a generator.

    Example: faceaug bench-discriminators --generator runs/gan/tiny-1a2b3c4d/weights.safetensors --out discriminators.json
    """
    from faceaug.benchmarks.discriminators import DiscriminatorBench, table
    from faceaug.benchmarks.discriminators import bench_discriminators as run_bench

    from faceaug.config import configured

    given = {"steps": steps, "masks": masks}
    bench = configured(DiscriminatorBench(), section="bench", file=config, pairs=settings, given=given)
    weights, gan = space.generator(generator)
    size = gan.config.size
    train = space.labelled(faces, "train", size=size, limit=labelled)
    photos = space.photos(sources, size=size)
    p_f = space.parser_of(gan)
    typer.echo(f"bench-discriminators: {train.title}, {bench.steps} steps each, {space.compute}\n  generator {weights}")
    result = run_bench(out, train, space.predicted(p_f, photos), gan, bench, record={"weights": str(weights)})
    typer.echo(table(result).to_string())
    if out is not None:
        typer.echo(f"result: {out}")
