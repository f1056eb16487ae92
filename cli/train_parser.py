"""``faceaug train-parser``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from .options import (
    RUNS,
    AnySeed,
    Cache,
    ConfigFile,
    DataRoot,
    Device,
    Faces,
    Labelled,
    Out,
    ParserBatch,
    ParserRate,
    Precision,
    Runs,
    Settings,
)

if TYPE_CHECKING:
    from faceaug.training.device import Compute


def train_parser(
    faces: Faces = "helen",
    labelled: Labelled = None,
    size: Annotated[int, typer.Option(help="Side of the aligned faces, pixels: 64, 128 or 256.")] = 64,
    encoder: Annotated[
        str, typer.Option(help="The U-Net's encoder: efficientnet-lite0, resnet18 or mobilenet_v2.")
    ] = "efficientnet-lite0",
    pretrained: Annotated[
        Optional[bool],  # noqa: UP045
        typer.Option(help="Begin from packaged ImageNet weights; the default where there are some (efficientnet-lite0)."),
    ] = None,
    images: Annotated[
        Optional[int],  # noqa: UP045
        typer.Option(help="Training length in images seen; else 24 times the faces, at most 16,000 (GPU: 100 times, 200,000)."),
    ] = None,
    batch: ParserBatch = None,
    learning_rate: ParserRate = None,
    balance: Annotated[
        Optional[float],  # noqa: UP045
        typer.Option(help="Weigh classes by their frequency to minus this power, 0: plain cross-entropy (Eq. 7); else 0.5."),
    ] = None,
    augment: Annotated[
        Optional[bool],  # noqa: UP045
        typer.Option("--augment/--no-augment", help="Mirror (left and right classes exchanged), rotate, scale, shift; else on."),
    ] = None,
    out: Out = None,
    runs: Runs = RUNS,
    cache: Cache = None,
    data_root: DataRoot = None,
    device: Device = "auto",
    precision: Precision = "auto",
    settings: Settings = None,
    config: ConfigFile = None,
    seed: AnySeed = None,
) -> None:
    """Train the face parsing network P_F: a U-Net from photos to label maps.

    Writes config.json, log.jsonl, curves.png, predictions.png, report.json and weights.safetensors: the state that was best on
    the tuning faces. The same command resumes an interrupted run.

    Example: faceaug train-parser --faces helen:/data/helen --size 64 --labelled 500
    """
    from faceaug.parser.config import ParserConfig
    from faceaug.training.device import choose_compute

    if pretrained is None:
        pretrained = encoder == "efficientnet-lite0"
    compute = choose_compute(device, precision)
    run_parser(
        faces,
        parser=ParserConfig(size=size, encoder=encoder, pretrained=pretrained),
        compute=compute,
        labelled=labelled,
        training={
            "images": images,
            "batch": batch,
            "learning_rate": learning_rate,
            "balance": balance,
            "augment": augment,
            "seed": seed,
        },
        settings=settings,
        config=config,
        out=out,
        runs=runs,
        cache=cache,
        data_root=data_root,
    )


def run_parser(
    faces: str,
    *,
    parser: object,
    compute: Compute,
    labelled: int | None,
    training: dict[str, object],
    out: Path | None,
    runs: Path,
    cache: Path | None,
    data_root: Path | None,
    settings: list[str] | None = None,
    config: Path | None = None,
) -> Path:
    """Train a parser as the command does, or find it finished; returns its weights file."""
    import dataclasses

    from faceaug.datasets.names import data_root as resolve_root
    from faceaug.datasets.names import open_labelled

    from faceaug.config import configured, to_dict
    from faceaug.parser.config import ParserConfig, ParserTraining, default_images
    from faceaug.parser.train import fit_parser
    from faceaug.training.runs import run_folder

    assert isinstance(parser, ParserConfig)  # typed loosely to keep imports out of --help
    root, cache = resolve_root(data_root), cache or runs / "cache"
    train = open_labelled(faces, "train", size=parser.size, root=root, cache=cache, limit=labelled)
    tuning = open_labelled(faces, "tuning", size=parser.size, root=root, cache=cache)
    parser = dataclasses.replace(parser, scheme=train.scheme)
    usual = ParserTraining(images=default_images(len(train), compute.device.type))
    how = configured(usual, section="training", file=config, pairs=settings, given=training)
    identity = {"parser": to_dict(parser), "training": to_dict(how), "faces": train.about(), "tuning": tuning.about()}
    run = out or run_folder(runs, "parser", f"{parser.encoder}-{parser.size}", identity)
    typer.echo(
        f"train-parser: {train.title}, {len(train):,} labelled, at {parser.size} px, {parser.encoder}"
        f"{' with ImageNet weights' if parser.pretrained else ''}, {compute}\n"
        f"  {how.images:,} images in batches of {how.batch}, chosen on {len(tuning):,} tuning faces, into {run}"
    )
    weights = fit_parser(run, train, tuning, parser, how, compute, record={})
    typer.echo(f"parser: {weights}\ncurves: {run / 'curves.png'}, pictures: {run / 'predictions.png'}")
    return weights


def ensure_parser(
    faces: str,
    *,
    size: int,
    compute: Compute,
    runs: Path,
    cache: Path | None,
    data_root: Path | None,
    labelled: int | None = None,
    seed: int = 0,
) -> Path:
    """P_F: the default parser of these faces at this size, trained now where there is none."""
    from faceaug.parser.config import ParserConfig

    return run_parser(
        faces,
        parser=ParserConfig(size=size),
        compute=compute,
        labelled=labelled,
        training={"seed": seed},
        out=None,
        runs=runs,
        cache=cache,
        data_root=data_root,
    )


def ensure_judge(faces: str, *, size: int, compute: Compute, runs: Path, cache: Path | None, data_root: Path | None) -> Path:
    """A second parser that shares neither encoder nor seed with P_F, trained now where there is none."""
    from faceaug.parser.config import ParserConfig

    return run_parser(
        faces,
        parser=ParserConfig(size=size, encoder="resnet18", pretrained=False),
        compute=compute,
        labelled=None,
        training={"seed": 1},
        out=None,
        runs=runs,
        cache=cache,
        data_root=data_root,
    )
