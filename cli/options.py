"""Options that several commands share, spelled and explained once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Faces = Annotated[str, typer.Option("--faces", help="Labelled faces, NAME or NAME:DIR.")]
Labelled = Annotated[
    int | None,
    typer.Option("--labelled", help="Use only the first N labelled faces."),
]
DataRoot = Annotated[
    Path | None,
    typer.Option("--data-root", help="Where a bare dataset NAME is looked for; else $FACEAUG_DATA, else ./data."),
]
RUNS = Path("runs")
Runs = Annotated[Path, typer.Option("--runs", help="Where runs are kept and found.")]
Cache = Annotated[
    Path | None,
    typer.Option("--cache", help="Where aligned faces are kept between commands; else the folder cache in --runs."),
]
Out = Annotated[
    Path | None,
    typer.Option("--out", help="This run's folder; else one under --runs that is named after the settings."),
]
Preset = Annotated[
    str, typer.Option(help="demo (64 px, narrow), tiny (64 px), small (128 px), paper (256 px); auto: paper on a GPU, else tiny.")
]
GanSize = Annotated[int | None, typer.Option("--size", help="Side of all faces, pixels: 64, 128, 256 or 512; else the preset's.")]
Generator = Annotated[
    Path | None,
    typer.Option(help="Weights of the GAN, or drawn: the small one of drawn faces in the package; else the newest in --runs."),
]
Judge = Annotated[
    Path | None,
    typer.Option(help="Weights of a parser that the GAN was not trained with; else one is trained: resnet18, another seed."),
]
Batch = Annotated[
    int | None,
    typer.Option(help="Images a step; else the preset's."),
]
ParserBatch = Annotated[
    int | None,
    typer.Option("--batch", help="Images a step; else 8."),
]
ParserRate = Annotated[
    float | None,
    typer.Option("--learning-rate", help="AdamW's rate, a third of it for ImageNet weights; else 0.006."),
]
AnySeed = Annotated[
    int | None,
    typer.Option("--seed", help="Of everything random; else 0."),
]
Rounds = Annotated[int, typer.Option(help="Bootstrap resamples for the 95 % intervals.")]
TakenFaces = Annotated[str, typer.Option("--faces", help="Of a photo with several faces: largest, or every.")]
MinSize = Annotated[int, typer.Option("--min-size", help="Shorter side of a face's box in pixels of the photo, at least.")]
MinConfidence = Annotated[float, typer.Option("--min-confidence", help="The face detector's confidence, 0..1, at least.")]
Device = Annotated[str, typer.Option("--device", help="auto, cpu, cuda, cuda:1, mps.")]
Precision = Annotated[str, typer.Option("--precision", help="auto, bf16 or fp32; auto is bf16 where it is the faster one.")]
Devices = Annotated[int, typer.Option("--devices", help="Processes on this host, a GPU each; they share the work.")]
Nodes = Annotated[int, typer.Option("--nodes", help="Hosts; start the same command on each with torchrun or SLURM.")]
Settings = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="NAME=VALUE", help="Any setting without an option of its own; may be repeated."),
]
ConfigFile = Annotated[
    Path | None,
    typer.Option("--config", help="Settings from a TOML file or from a run's config.json; --set and options go over it."),
]
Seed = Annotated[int, typer.Option("--seed", help="Of everything random.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show what would be done, and stop.")]
