"""``faceaug bench-training``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .options import Batch, ConfigFile, Faces, Preset, Settings
from .workspace import Workspace


def bench_training(
    space: Workspace,
    faces: Faces = "helen",
    preset: Preset = "auto",
    batch: Batch = None,
    steps: Annotated[int, typer.Option(help="Timed steps of the default way.")] = 20,
    official_steps: Annotated[int, typer.Option(help="Timed steps of the public code's way.")] = 4,
    compiled: Annotated[bool, typer.Option("--compile", help="Time torch.compile too; compiling takes minutes.")] = False,
    settings: Settings = None,
    config: ConfigFile = None,
    out: Annotated[Path | None, typer.Option(help="JSON file for the result.")] = None,
) -> None:
    """Measure a GAN step: images/s, beside the public code's way, beside the machine's ceiling, and where the time goes.

    Trains nothing that is kept; everything is measured in one run.

    Example: faceaug bench-training --preset tiny --out throughput-tiny.json
    """
    import dataclasses

    from faceaug.benchmarks.train_throughput import Lengths, train_throughput
    from faceaug.datasets.names import open_reader

    from faceaug.parser.config import ParserConfig
    from faceaug.parser.network import build_parser

    from .train_gan import preset_for

    chosen, generator, training = preset_for(preset, space.compute, file=config, pairs=settings)
    if batch is not None:
        training = dataclasses.replace(training, batch=batch)
    few = min(8 * training.batch, len(open_reader(faces, "train", root=space.root)))
    train = space.labelled(faces, "train", size=generator.size, limit=few)
    generator = dataclasses.replace(generator, scheme=train.scheme)
    typer.echo(f"bench-training: preset {chosen}, {generator.size} px, batch {training.batch}, {space.compute}")
    result = train_throughput(
        out,
        train,
        build_parser(ParserConfig(size=generator.size, scheme=train.scheme), weights=False),
        generator,
        training,
        space.compute,
        Lengths(steps=steps, official=official_steps, compiled=compiled),
        record={"preset": chosen},
    )
    ceiling = ", ".join(f"{name} {value:,.0f}" for name, value in result["ceiling_gflops"].items())
    typer.echo(
        f"default:           {result['images_per_second']:.2f} images/s, {result['gflop_per_image']:.2f} GFLOP an image, "
        f"{result['achieved_gflops']:,.0f} GFLOP/s\n"
        f"public code's way: {result['official_images_per_second']:.2f} images/s, both branches of each; ratio "
        f"{result['ratio']:.2f} by photo, {result['ratio_per_branch']:.2f} by branch\n"
        f"ceiling:           {ceiling} GFLOP/s; reached {result['fraction_of_ceiling']:.0%} of the higher\n"
        f"making a batch:    {result['batch_ms']:.1f} ms, done while the step before runs\n"
        f"peak memory:       {result['peak_memory_mib']:,} MiB"
    )
    if "compiling_failed" in result:
        typer.echo(f"torch.compile:     not possible here ({result['compiling_failed']}); it needs a C++ compiler")
    elif compiled:
        typer.echo(
            f"torch.compile:     {result['compiled_images_per_second']:.2f} images/s, after {result['compiling_seconds']:.0f} s"
        )
    for row in result["profile"]:
        typer.echo(f"  {row['share']:6.1%}  {row['calls']:6,} x  {row['operator']}")
    if out is not None:
        typer.echo(f"result: {out}")
