"""``faceaug bench-parsing``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer

from .options import RUNS, Cache, DataRoot, Device, Faces, Labelled, Out, Precision, Runs


def bench_parsing(
    faces: Faces = "helen",
    synthetic: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option(help="Folder of generated shards; else the newest in --runs."),
    ] = None,
    labelled: Labelled = None,
    seeds: Annotated[int, typer.Option(help="Repetitions of each setting; 3 or more show a spread.")] = 1,
    images: Annotated[
        Optional[int],  # noqa: UP045
        typer.Option(help="Images seen in each cell; else 24 times the faces, at most 16,000 (GPU: 100 times, 200,000)."),
    ] = None,
    batch: Annotated[int, typer.Option(help="Images a step.")] = 8,
    learning_rate: Annotated[float, typer.Option(help="AdamW's rate; a sixth of it for ImageNet weights.")] = 3e-3,
    synthetic_share: Annotated[float, typer.Option(help="Share of generated faces in each step of the third setting.")] = 0.3,
    encoder: Annotated[str, typer.Option(help="The U-Net's encoder, see train-parser.")] = "efficientnet-lite0",
    out: Out = None,
    runs: Runs = RUNS,
    cache: Cache = None,
    data_root: DataRoot = None,
    device: Device = "auto",
    precision: Precision = "auto",
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
    from faceaug.datasets.names import data_root as resolve_root
    from faceaug.datasets.names import open_labelled
    from faceaug.datasets.synthetic import open_synthetic

    from faceaug.config import to_dict
    from faceaug.parser.config import ParserConfig, default_images
    from faceaug.shards.reader import COMPLETE
    from faceaug.training.device import choose_compute
    from faceaug.training.runs import find, run_folder

    compute = choose_compute(device, precision)
    folder = synthetic or find(runs, "synthetic", "generate", COMPLETE).parent
    generated = open_synthetic(folder)
    root, cache, size = resolve_root(data_root), cache or runs / "cache", generated.size
    train = open_labelled(faces, "train", size=size, root=root, cache=cache, limit=labelled)
    tuning = open_labelled(faces, "tuning", size=size, root=root, cache=cache)
    testing = open_labelled(faces, "testing", size=size, root=root, cache=cache)
    config = BenchConfig(
        images=images if images is not None else default_images(len(train), compute.device.type),
        seeds=seeds,
        batch=batch,
        learning_rate=learning_rate,
        synthetic_share=synthetic_share,
    )
    parser = ParserConfig(size=size, encoder=encoder, pretrained=encoder == "efficientnet-lite0", scheme=train.scheme)
    identity = {"bench": to_dict(config), "parser": to_dict(parser), "train": train.about(), "synthetic": generated.about()}
    run = out or run_folder(runs, "bench", f"parsing-{size}", identity)
    typer.echo(
        f"bench-parsing: {train.title}, {len(train):,} labelled, at {size} px, {len(generated):,} generated from {folder}, "
        f"{compute}\n  3 settings x {seeds} seed(s), {config.images:,} images each, into {run}"
    )
    results = run_bench(run, train, tuning, testing, generated, parser, config, compute, record={"labelled": len(train)})
    typer.echo(f"{results['data']}, testing, percent:\n{table(results).to_string()}")
    for line in results["summary"]["verdict"]:
        typer.echo(line)
    typer.echo(f"results: {run / RESULTS}, table: {run / 'table.md'}, plots: {run / 'curves.png'}, {run / 'scores.png'}")
