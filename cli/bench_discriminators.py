"""``faceaug bench-discriminators``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer

from .options import RUNS, Cache, DataRoot, Device, Faces, Generator, Labelled, Precision, Runs


def bench_discriminators(
    faces: Faces = "helen",
    sources: Annotated[str, typer.Option(help="Photos whose faces are transferred, NAME or NAME:DIR.")] = "celeba",
    generator: Generator = None,
    labelled: Labelled = None,
    steps: Annotated[int, typer.Option(help="Training steps of each discriminator.")] = 150,
    masks: Annotated[int, typer.Option(help="Labelled faces whose photos and masks are used.")] = 600,
    out: Annotated[Optional[Path], typer.Option(help="JSON file for the result.")] = None,  # noqa: UP045
    runs: Runs = RUNS,
    cache: Cache = None,
    data_root: DataRoot = None,
    device: Device = "auto",
    precision: Precision = "auto",
) -> None:
    """Compare discriminators: which of them learns to tell a trained generator's faces from photos, and how soon.

    The generator stands still; each discriminator trains from scratch, equally long, on photos against faces generated on their
    masks, and is scored on faces of other masks. One that stays at chance here has nothing to tell a generator.

    Example: faceaug bench-discriminators --generator runs/gan/tiny-1a2b3c4d/weights.safetensors --out discriminators.json
    """
    from faceaug.benchmarks.discriminators import DiscriminatorBench, table
    from faceaug.benchmarks.discriminators import bench_discriminators as run_bench
    from faceaug.datasets.names import data_root as resolve_root
    from faceaug.datasets.names import open_labelled, open_photos

    from faceaug.gan.inference import load_generator
    from faceaug.parser.labelling import ensure_labels
    from faceaug.parser.predict import load_parser
    from faceaug.training.device import choose_compute
    from faceaug.training.runs import find, own_parser

    bench = DiscriminatorBench(steps=steps, masks=masks)
    compute = choose_compute(device, precision)
    weights = generator or find(runs, "gan", "train-gan")
    gan = load_generator(weights, compute)
    root, cache, size = resolve_root(data_root), cache or runs / "cache", gan.config.size
    train = open_labelled(faces, "train", size=size, root=root, cache=cache, limit=labelled)
    photos = open_photos(sources, size=size, root=root, cache=cache)
    p_f = load_parser(own_parser(gan.record, runs), compute)
    typer.echo(f"bench-discriminators: {train.title}, {steps} steps each, {compute}\n  generator {weights}")
    result = run_bench(out, train, ensure_labels(p_f, photos, cache=cache), gan, bench, record={"weights": str(weights)})
    typer.echo(table(result).to_string())
    if out is not None:
        typer.echo(f"result: {out}")
