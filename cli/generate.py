"""``faceaug generate``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .options import AnySeed, ConfigFile, Generator, Labelled, Out, Settings
from .workspace import Workspace


def generate(
    space: Workspace,
    masks: Annotated[str, typer.Option(help="Labelled faces whose training masks are generated on, NAME or NAME:DIR.")] = "helen",
    sources: Annotated[str, typer.Option(help="Photos whose faces are generated, NAME or NAME:DIR.")] = "celeba",
    per_mask: Annotated[
        int | None,
        typer.Option(help="Different sources for every mask; else 2."),
    ] = None,
    gender: Annotated[
        str | None,
        typer.Option(
            help="consistent (default): sources of the mask's gender; filter: any source, then generated faces of another gender "
            "are dropped, the paper's way; any: neither."
        ),
    ] = None,
    candidates: Annotated[
        int | None,
        typer.Option(help="Photos drawn for each face, of which the one that fits the mask best is its source; else 1,024."),
    ] = None,
    min_agreement: Annotated[
        float | None,
        typer.Option(help="Drop faces whose predicted label maps agree less with their masks (mean F1, 0..1); else none."),
    ] = None,
    min_confidence: Annotated[
        float | None,
        typer.Option(help="Pixels whose class the parser finds less likely than this (0..1) become 255, unknown; else none."),
    ] = None,
    labelled: Labelled = None,
    generator: Generator = None,
    parser: Annotated[
        Path | None,
        typer.Option(help="Weights of the parser that labels the sources and scores the results; else the GAN's own."),
    ] = None,
    rows_per_shard: Annotated[
        int | None,
        typer.Option(help="Planned faces in a shard; else 500."),
    ] = None,
    batch: Annotated[int, typer.Option(help="Faces at once; changes nothing in the result.")] = 32,
    out: Out = None,
    settings: Settings = None,
    config: ConfigFile = None,
    seed: AnySeed = None,
) -> None:
    """Generate labelled faces: for each mask, sources of the same gender, into HDF5 shards.

    Writes config.json, shard-*.h5 (format: faceaug/shards/FORMAT.md), faces.png, gender.json and, last, complete.json. The same
    command resumes at the first missing shard.

    Example: faceaug generate --masks helen --sources celeba --per-mask 4 --min-agreement 0.5
    """
    from faceaug.config import configured, to_dict
    from faceaug.generate.config import GenerateConfig
    from faceaug.generate.run import generate as run_generation

    given = {"per_mask": per_mask, "gender": gender, "candidates": candidates, "min_agreement": min_agreement}
    given |= {"min_confidence": min_confidence, "rows_per_shard": rows_per_shard, "seed": seed}
    generating = configured(GenerateConfig(), section="generate", file=config, pairs=settings, given=given)
    weights, gan = space.generator(generator)
    p_f = space.parser(parser) if parser is not None else space.parser_of(gan)
    size = gan.config.size
    targets = space.labelled(masks, "train", size=size, limit=labelled)
    photos = space.photos(sources, size=size)
    identity = {
        "generate": to_dict(generating),
        "generator": gan.hash,
        "parser": p_f.hash,
        "masks": targets.about(),
        "sources": photos.about(),
    }
    run = space.run(out, "synthetic", f"{masks.split(':')[0]}-{size}", identity)
    typer.echo(
        f"generate: {len(targets):,} masks ({targets.title}), {generating.per_mask} of {len(photos):,} sources "
        f"at {size} px, gender {generating.gender}, {space.compute}\n  generator {weights}\n  into {run}"
    )
    summary = run_generation(
        run, targets=targets, sources=space.predicted(p_f, photos), generator=gan, parser=p_f, config=generating, batch=batch
    )
    typer.echo(
        f"faces: {summary['faces']:,} of {summary['planned']:,} planned, agreement with their masks "
        f"{summary['agreement']['mean']:.3f} on average; dropped: {summary['dropped'] or 'none'}\n"
        f"shards: {run}, pictures: {run / 'faces.png'}"
    )
