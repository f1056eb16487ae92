"""``faceaug train-parser``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from .options import AnySeed, ConfigFile, Faces, Labelled, Out, ParserBatch, ParserRate, Settings
from .workspace import Workspace


def train_parser(
    space: Workspace,
    faces: Faces = "helen",
    labelled: Labelled = None,
    size: Annotated[
        int | None,
        typer.Option(help="Side of the aligned faces, pixels: 64, 128 or 256; else that of --start or --synthetic, else 64."),
    ] = None,
    encoder: Annotated[
        str | None, typer.Option(help="The U-Net's encoder: efficientnet-lite0 (default), resnet18 or mobilenet_v2.")
    ] = None,
    pretrained: Annotated[
        bool | None,
        typer.Option(help="Begin from packaged ImageNet weights; the default where there are some (efficientnet-lite0)."),
    ] = None,
    images: Annotated[
        int | None,
        typer.Option(
            help="Training length in images seen; else 24 times the faces, 12,000 to 16,000 (GPU: 100 times, up to 200,000); two "
            "thirds of it with --start."
        ),
    ] = None,
    batch: ParserBatch = None,
    learning_rate: ParserRate = None,
    balance: Annotated[
        float | None,
        typer.Option(help="Weigh classes by their frequency to minus this power, 0: plain cross-entropy (Eq. 7); else 0.5."),
    ] = None,
    augment: Annotated[
        str | None,
        typer.Option(
            help="geometric (default): mirror (left and right classes exchanged), rotate, scale, shift; strong: also colours, "
            "blur, noise, patches and rectangles of other faces; none."
        ),
    ] = None,
    synthetic: Annotated[
        list[Path] | None,
        typer.Option(help="A set of generated faces to train on too, on top of the labelled ones; repeat for more."),
    ] = None,
    share: Annotated[float, typer.Option(help="Share of the generated faces in each step, all sets together.")] = 0.5,
    start: Annotated[
        Path | None, typer.Option(help="Begin as this trained parser, a weights file or a run's folder, and go on from there.")
    ] = None,
    out: Out = None,
    settings: Settings = None,
    config: ConfigFile = None,
    seed: AnySeed = None,
) -> None:
    """Train the face parsing network P_F: a U-Net from photos to label maps.

    --images counts labelled faces; with --synthetic, generated ones come on top. Writes config.json, log.jsonl, curves.png,
    predictions.png, report.json and weights.safetensors: the state that was best on the tuning faces. The same command resumes an
    interrupted run.

    Example: faceaug train-parser --faces helen:/data/helen --size 64 --labelled 500 --synthetic runs/synthetic/helen-64-1a2b3c4d
    """
    network: dict[str, object] = {"size": size, "encoder": encoder, "pretrained": pretrained}
    how: dict[str, object] = {"images": images, "batch": batch, "learning_rate": learning_rate, "balance": balance}
    how |= {"augment": augment, "seed": seed}
    run_parser(
        space, faces, network=network, labelled=labelled, training=how, settings=settings, config=config, out=out,
        synthetic=tuple(synthetic or ()), share=share, start=start,
    )  # fmt: skip


def run_parser(
    space: Workspace,
    faces: str,
    *,
    network: dict[str, object],
    labelled: int | None,
    training: dict[str, object],
    out: Path | None = None,
    settings: list[str] | None = None,
    config: Path | None = None,
    synthetic: tuple[Path, ...] = (),
    share: float = 0.5,
    start: Path | None = None,
) -> Path:
    """Train a parser as the command does, or find it finished; returns its weights file.

    ``network`` and ``training`` hold fields of ParserConfig and ParserTraining, None where an option was not given.
    """
    import dataclasses

    from faceaug.datasets.synthetic import SyntheticFaces

    from faceaug.config import apply_settings, check, to_dict, without_none
    from faceaug.parser.additions import Addition, on_top
    from faceaug.parser.config import FURTHER, ParserConfig, ParserTraining, default_images
    from faceaug.parser.train import fit_parser

    compute = space.compute

    first = None if start is None else space.parser(start)
    sets = [SyntheticFaces(folder).faces for folder in synthetic]

    def resolved(usual: ParserTraining) -> tuple[ParserConfig, ParserTraining]:
        # Only one encoder has ImageNet weights: another one that is asked for begins without, unless that is asked for too.
        chosen = str(network.get("encoder") or ParserConfig.encoder)
        base = ParserConfig(encoder=chosen, pretrained=chosen == ParserConfig.encoder)
        # A parser that begins as another has its shape; generated faces say how large labelled ones are to be.
        if first is not None and first.config.encoder == (network.get("encoder") or first.config.encoder):
            base = first.config
        elif sets:
            base = dataclasses.replace(base, size=sets[0].size)
        found = apply_settings({"parser": base, "training": usual}, file=config, pairs=settings or ())
        return dataclasses.replace(found["parser"], **without_none(network)), dataclasses.replace(
            found["training"], **without_none(training)
        )

    parser, _ = resolved(ParserTraining())
    train = space.labelled(faces, "train", size=parser.size, limit=labelled)
    tuning = space.labelled(faces, "tuning", size=parser.size)
    usual = default_images(len(train), compute.device.type)
    parser, how = resolved(ParserTraining(images=usual if start is None else round(FURTHER * usual)))
    parser = dataclasses.replace(parser, scheme=train.scheme)
    added: list[Addition] = []
    if synthetic:
        check({f"--share {share:g}: must be above 0 and below 1": not 0 < share < 1})
        how, shares = on_top(how, [share / len(synthetic)] * len(synthetic))
        added = [Addition(str(folder), own, one) for folder, own, one in zip(synthetic, sets, shares, strict=True)]
    identity: dict[str, Any] = {"parser": to_dict(parser), "training": to_dict(how)}
    identity |= {"faces": train.about(), "tuning": tuning.about()}
    identity |= {"additions": [one.about() for one in added]} if added else {}
    identity |= {} if first is None else {"start": first.hash}
    run = space.run(out, "parser", f"{parser.encoder}-{parser.size}", identity)
    typer.echo(
        f"train-parser: {train.title}, {len(train):,} labelled, at {parser.size} px, {parser.encoder}"
        f"{' with ImageNet weights' if parser.pretrained else ''}, {compute}\n"
        + "".join(f"  and {len(one.faces):,} generated faces of {one.name}, {one.share:.0%} of each step\n" for one in added)
        + (f"  beginning as {start}\n" if start is not None else "")
        + f"  {how.images:,} images in batches of {how.batch}, chosen on {len(tuning):,} tuning faces, into {run}"
    )
    weights = fit_parser(
        run, faces=train, tuning=tuning, parser=parser, training=how, compute=compute, record={}, additions=added, start=first
    )
    typer.echo(f"parser: {weights}\ncurves: {run / 'curves.png'}, pictures: {run / 'predictions.png'}")
    return weights


def ensure_parser(space: Workspace, faces: str, *, size: int, labelled: int | None = None, seed: int = 0) -> Path:
    """P_F: the default parser of these faces at this size, trained now where there is none."""
    return run_parser(space, faces, network={"size": size}, labelled=labelled, training={"seed": seed})


def ensure_judge(space: Workspace, faces: str, *, size: int) -> Path:
    """A second parser that shares neither encoder nor seed with P_F, trained now where there is none."""
    return run_parser(space, faces, network={"size": size, "encoder": "resnet18"}, labelled=None, training={"seed": 1})
