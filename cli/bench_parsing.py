"""``faceaug bench-parsing``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .options import ConfigFile, Faces, Labelled, Out, ParserBatch, ParserRate, Settings
from .workspace import Workspace


def bench_parsing(
    space: Workspace,
    faces: Faces = "helen",
    synthetic: Annotated[
        Path | None,
        typer.Option(help="Folder of generated shards; else the newest in --runs."),
    ] = None,
    labelled: Labelled = None,
    seeds: Annotated[
        int | None,
        typer.Option(help="Repetitions of each setting, 3 or more show a spread; else 1."),
    ] = None,
    images: Annotated[
        int | None,
        typer.Option(help="Images seen in each cell; else 24 times the faces, at most 16,000 (GPU: 100 times, 200,000)."),
    ] = None,
    batch: ParserBatch = None,
    learning_rate: ParserRate = None,
    synthetic_share: Annotated[
        float | None,
        typer.Option(help="Share of generated faces in each step of the third setting; else 0.3."),
    ] = None,
    encoder: Annotated[str, typer.Option(help="The U-Net's encoder, see train-parser.")] = "efficientnet-lite0",
    settings: Settings = None,
    config: ConfigFile = None,
    groups: Annotated[
        Path | None,
        typer.Option(help="CSV with a column name and columns of 0 and 1: testing faces of each are scored apart too."),
    ] = None,
    out: Out = None,
) -> None:
    """Measure what generated faces are worth: a parser trained without and with augmentation, and with generated faces.

    The network, length, batch, optimiser and seeds are the same in all cells; the state is chosen on tuning and scored on
    testing once. Writes results.json, table.md, curves.png and scores.png. The same command resumes at the first missing cell;
    started several times, on one machine or on several that share the disk, its processes share the cells.

    Example: faceaug bench-parsing --faces helen --seeds 3 --images 40000
    """
    from faceaug.benchmarks.parsing import RESULTS, BenchConfig
    from faceaug.benchmarks.parsing import bench_parsing as run_bench
    from faceaug.benchmarks.report import table
    from faceaug.datasets.aligned import AlignedFaces
    from faceaug.datasets.synthetic import SyntheticFaces

    from faceaug.config import configured, to_dict
    from faceaug.parser.config import ParserConfig, default_images
    from faceaug.parser.groups import about, read_groups
    from faceaug.runs.folder import find
    from faceaug.shards.reader import COMPLETE

    compute = space.compute
    folder = synthetic or find(space.runs, "synthetic", "generate", COMPLETE).parent
    generated = SyntheticFaces(folder)
    size, root, cache = generated.faces.size, space.root, space.cache
    train = AlignedFaces(faces, "train", size=size, limit=labelled, root=root, cache=cache)
    tuning, testing = (AlignedFaces(faces, split, size=size, root=root, cache=cache) for split in ("tuning", "testing"))
    given = {"images": images, "seeds": seeds, "batch": batch, "learning_rate": learning_rate, "synthetic_share": synthetic_share}
    usual = BenchConfig(images=default_images(len(train), compute.device.type))
    bench = configured(usual, section="bench", file=config, pairs=settings, given=given)
    parser = ParserConfig(size=size, encoder=encoder, pretrained=encoder == "efficientnet-lite0", scheme=train.scheme)
    apart = None if groups is None else read_groups(groups, testing.faces.names)
    identity = {
        "bench": to_dict(bench),
        "parser": to_dict(parser),
        "train": train.faces.about(),
        "synthetic": generated.faces.about(),
    }
    identity |= {} if apart is None else {"groups": about(apart)}
    run = space.run(out, "bench", f"parsing-{size}", identity)
    typer.echo(
        f"bench-parsing: {train.faces.title}, {len(train):,} labelled, at {size} px, {len(generated):,} generated from {folder}, "
        f"{compute}\n  3 settings x {bench.seeds} seed(s), {bench.images:,} images each, into {run}"
    )
    results = run_bench(
        run,
        train=train,
        tuning=tuning,
        testing=testing,
        synthetic=generated,
        parser=parser,
        config=bench,
        compute=compute,
        record={"labelled": len(train)},
        groups=apart,
    )
    typer.echo(f"{results['data']}, testing, percent:\n{table(results).to_string()}")
    for line in results["summary"]["verdict"]:
        typer.echo(line)
    typer.echo(f"results: {run / RESULTS}, table: {run / 'table.md'}, plots: {run / 'curves.png'}, {run / 'scores.png'}")
