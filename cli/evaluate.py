"""``faceaug evaluate``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .options import AnySeed, ConfigFile, Devices, Generator, Judge, Nodes, Out, Settings
from .workspace import Workspace


def evaluate(
    space: Workspace,
    masks: Annotated[str, typer.Option(help="Labelled faces whose testing masks are generated on, NAME or NAME:DIR.")] = "helen",
    sources: Annotated[str, typer.Option(help="Photos whose faces are generated, NAME or NAME:DIR.")] = "celeba",
    per_mask: Annotated[
        int | None,
        typer.Option(help="Different sources for every mask, 2 or more; else 6."),
    ] = None,
    generator: Generator = None,
    judge: Judge = None,
    inception: Annotated[
        Path | None,
        typer.Option(help="Inception-2015 weights (pt_inception-2015-12-05-6726825d.pth): FID and KID proper too."),
    ] = None,
    steps: Annotated[
        int | None,
        typer.Option(help="Training steps of the two-sample test's discriminator; else 400."),
    ] = None,
    rounds: Annotated[
        int | None,
        typer.Option(help="Bootstrap resamples for the 95 % intervals; else 200."),
    ] = None,
    out: Out = None,
    devices: Devices = 1,
    nodes: Nodes = 1,
    settings: Settings = None,
    config: ConfigFile = None,
    seed: AnySeed = None,
) -> None:
    """Measure a GAN: realism, agreement with the masks, diversity, faithfulness to the sources.

    Generates faces on the testing masks, which no training saw, and compares them with the training faces: FID and KID of two
    networks' features (lower is better): EffLite0, the packaged ImageNet network, which the perceptual loss uses too, and judge,
    the second parser's encoder, which is in no loss; FID proper with --inception. Then the area under the curve of a fresh
    discriminator, trained on photos against generated faces (0.5: nothing to tell them apart; 1: certain), agreement with the
    masks by the second parser, distance between faces of one mask, distance of each component to its source's and to a
    stranger's. Writes evaluation.json and faces.png (sources along the top, masks down the side).

    Example: faceaug evaluate --masks helen --sources celeba --generator runs/gan/tiny-1a2b3c4d/weights.safetensors
    """
    from faceaug.config import configured, to_dict
    from faceaug.evaluate.inception import InceptionFeatures
    from faceaug.evaluate.report import table
    from faceaug.evaluate.run import EVALUATION, EvaluateConfig
    from faceaug.evaluate.run import evaluate as run_evaluation
    from faceaug.imagenet import ImageFeatures

    from .train_parser import ensure_judge

    given = {"per_mask": per_mask, "steps": steps, "rounds": rounds, "seed": seed}
    evaluation = configured(EvaluateConfig(), section="evaluate", file=config, pairs=settings, given=given)
    compute = space.launch(devices, nodes)
    proper = InceptionFeatures(inception, compute) if inception is not None else None
    weights, gan = space.generator(generator)
    size = gan.config.size
    with compute.world.first_goes_ahead():
        targets = space.labelled(masks, "testing", size=size)
        real = space.labelled(masks, "train", size=size)
        photos = space.photos(sources, size=size)
        p_f = space.parser_of(gan)
        second = judge or ensure_judge(space, masks, size=size)
    scored_by = space.parser(second)
    sets = {"masks": targets.about(), "sources": photos.about(), "real": real.about()}
    identity: dict[str, object] = {
        "evaluate": to_dict(evaluation),
        "generator": gan.hash,
        "parser": p_f.hash,
        "judge": scored_by.hash,
        **sets,
    }
    identity |= {"inception": True} if inception is not None else {}
    run = space.run(out, "evaluation", f"{gan.config.variant}-{size}", identity)
    typer.echo(
        f"evaluate: {len(targets):,} masks ({targets.title}, testing), {evaluation.per_mask} of {len(photos):,} sources "
        f"for each, against {len(real):,} real faces, {compute}\n  generator {weights}\n  judge {second}\n  into {run}"
    )
    result = run_evaluation(
        run,
        gan,
        targets=targets,
        sources=space.predicted(p_f, photos),
        real=real,
        judge=scored_by,
        features=ImageFeatures(compute),
        config=evaluation,
        record={"weights": str(weights)},
        inception=proper,
    )
    typer.echo(table({str(weights.parent.name): result}).to_string())
    for warning in result["warnings"]:
        typer.echo(f"note: {warning}")
    typer.echo(f"results: {run / EVALUATION}, pictures: {run / 'faces.png'}")
