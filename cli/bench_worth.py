"""``faceaug bench-worth``."""

from __future__ import annotations

from typing import Annotated

import typer

from .options import ConfigFile, Faces, Generator, Out, Settings
from .workspace import Workspace


def bench_worth(
    space: Workspace,
    faces: Faces = "helen",
    sources: Annotated[str, typer.Option(help="Photos whose faces are transferred, NAME or NAME:DIR.")] = "celeba",
    generator: Generator = None,
    labelled: Annotated[int, typer.Option(help="The first so many train the parser, as they did the GAN.")] = 200,
    unused: Annotated[int, typer.Option(help="The next so many are the additions; the rest score, beside testing.")] = 1_200,
    seeds: Annotated[
        int | None,
        typer.Option(help="Repetitions of each cell; else 3."),
    ] = None,
    images: Annotated[
        int | None,
        typer.Option(help="Images seen in each cell; else 8,000."),
    ] = None,
    per_mask: Annotated[
        int | None,
        typer.Option(help="Faces generated on each unused mask; else 2."),
    ] = None,
    short: Annotated[
        bool, typer.Option("--short", help="Go on from the parser without additions: a fifth of the time, less noise.")
    ] = False,
    settings: Settings = None,
    config: ConfigFile = None,
    out: Out = None,
) -> None:
    """Measure what a generator's faces teach a parser, as a share of what photos teach.

    Trains the benchmark's parser on the labelled faces alone, and with further photos, with these photos reconstructed by the
    generator, with the same after a detour through another person's shape, and with faces generated on their masks from the
    sources. The masks are human and the same in all four, so the difference is in the images. Judges a GAN; bench-parsing judges
    a set of generated faces. Writes worth-*.json, worth-*.md and faces-*.png; the same command resumes, and another generator
    with the same --out reuses the cells that have none.

    Example: faceaug bench-worth --faces helen --labelled 200 --generator runs/gan/tiny-1a2b3c4d/weights.safetensors --seeds 1
    """
    from faceaug.benchmarks.worth import ARMS, WorthConfig, report_name, table, without_length
    from faceaug.benchmarks.worth import Faces as Groups
    from faceaug.benchmarks.worth import bench_worth as run_bench

    from faceaug.config import check, configured
    from faceaug.parser.config import ParserConfig

    given = {"images": images, "seeds": seeds, "per_mask": per_mask, "short": short or None}
    protocol = configured(WorthConfig(), section="worth", file=config, pairs=settings, given=given)
    weights, gan = space.generator(generator)
    size = gan.config.size
    train = space.labelled(faces, "train", size=size)
    check(
        {
            f"--labelled {labelled}, --unused {unused}: {train.title} has {len(train)} training faces; choose fewer": (
                labelled < 1 or unused < 1 or labelled + unused > len(train)
            )
        }
    )
    scored = {"testing": space.labelled(faces, "testing", size=size)}
    further = train.select(range(labelled + unused, len(train)))
    photos = space.photos(sources, size=size)
    p_f = space.parser_of(gan)
    groups = Groups(
        labelled=train.select(range(labelled)),
        unused=train.select(range(labelled, labelled + unused)),
        tuning=space.labelled(faces, "tuning", size=size),
        scored=scored | ({"further": further} if len(further) else {}),
        sources=space.predicted(p_f, photos),
    )
    parser = ParserConfig(size=size, scheme=train.scheme)
    record = {
        "sets": {
            "train": train.about(),
            "sources": photos.about(),
            "tuning": groups.tuning.about(),
            "testing": scored["testing"].about(),
        },
        "labelled": labelled,
        "unused": unused,
    }
    identity = {**without_length(protocol), **record}
    run = space.run(out, "worth", f"{size}", identity)
    typer.echo(
        f"bench-worth: {train.title}, {labelled:,} labelled, {unused:,} unused, {len(further):,} further, at {size} px, "
        f"{len(photos):,} sources ({photos.title}), {space.compute}\n  generator {weights}\n"
        f"  {len(ARMS)} arms x {protocol.seeds} seed(s), {protocol.images:,} images each, into {run}"
    )
    results = run_bench(run, groups, gan, parser, protocol, space.compute, record=record)
    typer.echo(table(results))
    typer.echo(f"results: {run / report_name(protocol, gan)}.json, pictures: {run / f'faces-{gan.hash[:8]}.png'}")
