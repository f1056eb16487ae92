"""``faceaug train-gan``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .options import Batch, ConfigFile, Devices, DryRun, Faces, GanSize, Labelled, Nodes, Out, Preset, Settings
from .workspace import Workspace

if TYPE_CHECKING:
    from faceaug.compute.device import Compute
    from faceaug.gan.config import GeneratorConfig, TrainingConfig


def train_gan(
    space: Workspace,
    faces: Faces = "helen",
    unlabelled: Annotated[
        str, typer.Option(help="Photos that the parser labels for training, NAME or NAME:DIR; 'none' for none.")
    ] = "celeba",
    labelled: Labelled = None,
    preset: Preset = "auto",
    size: GanSize = None,
    variant: Annotated[
        str | None,
        typer.Option(help="full (default); local, global: paper's settings 2 and 1; pix2pixhd, bicyclegan: its Figure 4."),
    ] = None,
    recipe: Annotated[
        str,
        typer.Option(help="default: what measured best; paper: its equations and weights; official: the weights of its code."),
    ] = "default",
    parsing_loss: Annotated[bool, typer.Option(help="Eq. 8; without it: the first row of the paper's Table 2.")] = True,
    parser: Annotated[
        Path | None,
        typer.Option(help="Weights of P_F; else the default one of these faces, trained where there is none."),
    ] = None,
    teachers: Annotated[
        int | None,
        typer.Option(
            help="Parsers of other seeds, of twice the faces' size below 128 px, that label the photos together; trained where "
            "there are none. Else 3, or none with --parser: then P_F labels."
        ),
    ] = None,
    images: Annotated[int | None, typer.Option(help="Training length in images seen; else the preset's.")] = None,
    batch: Batch = None,
    learning_rate: Annotated[float | None, typer.Option(help="Adam's rate for G; else the preset's.")] = None,
    checkpoint_every: Annotated[int, typer.Option(help="Images between checkpoints; what a killed run can lose.")] = 4_000,
    lambda_fm: Annotated[float | None, typer.Option(help="Weight of feature matching (Eq. 6).")] = None,
    out: Out = None,
    devices: Devices = 1,
    nodes: Nodes = 1,
    settings: Settings = None,
    config: ConfigFile = None,
    accumulate: Annotated[int, typer.Option(help="Compute a batch in this many parts: less memory, the same result.")] = 1,
    seed: Annotated[int | None, typer.Option(help="Of everything random; else the preset's, 0.")] = None,
    dry_run: DryRun = False,
) -> None:
    """Train the mask-guided GAN on labelled faces and on photos that the parser labels.

    Writes config.json, log.jsonl, samples/*.png, checkpoint.pt and, at the end, curves.png and weights.safetensors. The same
    command resumes.
    With --dry-run it prints every part's shapes, parameters and FLOPs beside the official code's, and trains nothing.

    Example: faceaug train-gan --faces helen:/data/helen --unlabelled celeba:/data/celeba --images 120000 --set lambda_colour=1
    """
    import dataclasses

    from faceaug.config import without_none

    compute = space.launch(1 if dry_run else devices, 1 if dry_run else nodes)
    chosen, generator, training = preset_for(preset, compute, size=size, recipe=recipe, file=config, pairs=settings)
    generator = dataclasses.replace(generator, variant=variant or generator.variant)
    given = {"images": images, "batch": batch, "learning_rate": learning_rate, "lambda_fm": lambda_fm, "seed": seed}
    given["lambda_gp"] = None if parsing_loss else 0.0
    training = dataclasses.replace(training, **without_none(given))  # type: ignore[arg-type]
    what = f"preset {chosen} ({generator.size} px, width {generator.width}), {generator.variant}, recipe {recipe}"
    typer.echo(f"train-gan: {what}, {compute}")
    if dry_run:
        from faceaug.gan.shapes import describe
        from faceaug.parser.config import ParserConfig
        from faceaug.parser.network import build_parser

        typer.echo(describe(generator, training, build_parser(ParserConfig(size=generator.size), weights=False)))
        return

    from faceaug.config import check, to_dict
    from faceaug.gan.train import Intervals, fit_gan
    from faceaug.parser.labelling import label_photos, labelling_size
    from faceaug.parser.predict import check_scheme
    from faceaug.prepare.faces import join

    from .train_parser import ensure_parser

    check(
        {
            f"--teachers {teachers}: must be 0 or more": teachers is not None and teachers < 0,
            f"--accumulate {accumulate}: must be 1 or more": accumulate < 1,
        }
    )
    intervals = Intervals(checkpoint=checkpoint_every)
    given_parser = None if parser is None else space.parser(parser)  # a wrong file is said before faces are aligned
    count = 0 if unlabelled == "none" else teachers if teachers is not None else 3 if parser is None else 0
    with compute.world.first_goes_ahead():
        train = space.labelled(faces, "train", size=generator.size, limit=labelled)
        photos = None
        if unlabelled != "none":
            photos = space.photos(unlabelled, size=generator.size)
        weights = parser or ensure_parser(space, faces, size=generator.size, labelled=labelled, seed=training.seed)
        larger = labelling_size(generator.size)
        labelling = [ensure_parser(space, faces, size=larger, labelled=labelled, seed=seed) for seed in range(count)]
        detailed = space.photos(unlabelled, size=larger) if labelling and larger > generator.size else None
    frozen = given_parser or space.parser(weights)
    teacher = space.parsers(labelling) if labelling else frozen
    generator = dataclasses.replace(generator, scheme=train.scheme)
    check_scheme(frozen.config.scheme, train, weights)
    if photos is not None:
        train = join(train, label_photos(teacher, photos, detailed=detailed, cache=space.cache))
    record: dict[str, Any] = {
        "preset": chosen,
        "parser": str(weights.resolve()),
        "parser_hash": frozen.hash,
    }
    if labelling:
        record["teachers"] = {space.parser(path).hash: str(path.resolve()) for path in labelling}
    identity = {
        "generator": to_dict(generator),
        "training": to_dict(training),
        "preset": chosen,
        "parser": frozen.hash,
        "faces": train.about(),
        **({"teacher": teacher.hash} if labelling else {}),
    }
    run = space.run(out, "gan", chosen if generator.variant == "full" else f"{chosen}-{generator.variant}", identity)
    typer.echo(f"  faces: {len(train):,} ({train.title}), parser {weights}")
    typer.echo(f"  {training.images:,} images in batches of {training.batch}, into {run}")
    finished = fit_gan(
        run, train, frozen.network, generator, training, compute, record=record, intervals=intervals, accumulate=accumulate
    )
    typer.echo(f"generator: {finished}\nsamples:   {run / 'samples'}")


def preset_for(
    name: str,
    compute: Compute,
    *,
    file: Path | None,
    pairs: list[str] | None,
    recipe: str = "default",
    size: int | None = None,
) -> tuple[str, GeneratorConfig, TrainingConfig]:
    """A preset, ``auto`` by what fits the device, with a recipe, settings from ``--config`` and ``--set``, and ``--size``.

    Raises:
        ConfigError: no such preset, recipe or setting.
    """
    import dataclasses

    from faceaug.config import apply_settings, choose_preset
    from faceaug.gan.config import PRESETS, apply_recipe

    chosen = name if name != "auto" else ("paper" if compute.device.type == "cuda" else "tiny")
    generator, training = apply_recipe(recipe, *choose_preset(PRESETS, chosen))
    found = apply_settings({"generator": generator, "training": training}, file=file, pairs=pairs or ())
    generator, training = found["generator"], found["training"]
    return chosen, generator if size is None else dataclasses.replace(generator, size=size), training
