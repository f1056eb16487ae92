"""``faceaug bench-parsing``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .options import ConfigFile, Faces, GanSize, Out, ParserBatch, ParserRate, Settings
from .workspace import Workspace

if TYPE_CHECKING:
    from faceaug.benchmarks.parsing.bench import Plan
    from faceaug.benchmarks.parsing.data import BenchConfig, Data
    from faceaug.benchmarks.parsing.sets import Recipe

_QUICK: dict[str, Any] = {"seeds": 1, "images": 6_000}
_QUICK_GAN_IMAGES, _QUICK_FACES = 4_000, 2_000
_PRESET, _GAN_IMAGES = "demo", 16_000
"""What benchmarks/results/parsing.json was measured with; a core trains such a GAN, one for each number of labels, in an hour."""


def bench_parsing(
    space: Workspace,
    faces: Faces = "helen",
    sources: Annotated[
        str,
        typer.Option(help="Photos without labels, NAME or NAME:DIR: sources of generated faces, and what controls learn from."),
    ] = "celeba",
    labelled: Annotated[
        str | None,
        typer.Option(help="Numbers of labelled faces, separated by commas: the first so many; else all."),
    ] = None,
    synthetic: Annotated[
        Path | None,
        typer.Option(help="Folder of generated shards; else, without --labelled, the newest in --runs; else all is made here."),
    ] = None,
    arms: Annotated[
        str | None,
        typer.Option(
            help="What is compared, separated by commas: real, aug or strong (augmentation), + and additions, each with a share "
            "of the step, 0.5 of one: aug+generated:0.33; a last +continue trains the parser of the labelled faces further with "
            "them, +pretrain puts them first. Additions: generated (on predicted masks), generated-own, generated-both, "
            "duplicated, pseudo, collage, unimatch; photos and transferred with --unused."
        ),
    ] = None,
    arms_file: Annotated[
        Path | None, typer.Option(help="TOML file of more arms, [arms.NAME], and generated sets, [sets.NAME].")
    ] = None,
    parsers: Annotated[str, typer.Option(help="Networks, separated by commas: unet, unet-scratch, fpn.")] = "unet",
    seeds: Annotated[int | None, typer.Option(help="Repetitions of each cell; else 3.")] = None,
    images: Annotated[
        int | None,
        typer.Option(help="Labelled images seen in each cell; else twelve times the labelled faces, 12,000 at least."),
    ] = None,
    batch: ParserBatch = None,
    learning_rate: ParserRate = None,
    preset: Annotated[
        str, typer.Option(help="Of the GANs: demo, tiny, small or paper; auto: demo, trained with 16,000 images.")
    ] = "auto",
    size: GanSize = None,
    gan_images: Annotated[
        int | None, typer.Option(help="Training length of the GANs; else 16,000 or the named preset's.")
    ] = None,
    teachers: Annotated[
        int | None,
        typer.Option(help="Parsers of different seeds that label photos and predict masks together, by their mean; else 3."),
    ] = None,
    teacher_size: Annotated[
        int | None,
        typer.Option(
            help="Side of the photos by which these parsers label, pixels, the preset's at least; else twice the preset's where "
            "that is 128 or less."
        ),
    ] = None,
    unused: Annotated[int, typer.Option(help="The last so many labelled faces are kept for the oracles.")] = 0,
    development: Annotated[
        int,
        typer.Option(help="Score on the last so many labelled faces and not on testing: for choosing recipes."),
    ] = 0,
    groups: Annotated[
        Path | None,
        typer.Option(help="CSV with a column name and columns of 0 and 1: testing faces of each are scored apart too."),
    ] = None,
    by_gender: Annotated[
        bool,
        typer.Option("--by-gender", help="Score each gender apart, by a classifier that is trained on the sources' genders."),
    ] = False,
    quick: Annotated[
        bool, typer.Option("--quick", help="For a laptop: three arms, two numbers of labelled faces, one seed, short trainings.")
    ] = False,
    settings: Settings = None,
    config: ConfigFile = None,
    out: Out = None,
) -> None:
    """Measure what generated faces are worth to a parser, beside controls that need no generator.

    For each number of labelled faces P_F, teachers and a GAN are trained on these labels alone and faces generated; then parsers
    are trained in every arm, those of one schedule seeing the labelled faces equally often, chosen on tuning and scored on
    testing once. Writes report.html, table.md, results.json and results.csv as cells are done. The same command resumes;
    another one with the same --out and more arms, numbers, parsers or seeds goes on with the same cells; started several
    times, on one machine or on several that share the disk, processes share them.

    Example: faceaug bench-parsing --faces helen --labelled 50,100,200 --arms aug,aug+continue,aug+generated+continue --seeds 5
    """
    import dataclasses
    import sys

    from faceaug.benchmarks.parsing.bench import bench_parsing as run_bench
    from faceaug.benchmarks.parsing.data import BenchConfig
    from faceaug.benchmarks.parsing.report import REPORT, sentences, table, warnings

    from faceaug.config import check, configured
    from faceaug.parser.labelling import labelling_size

    given = {"images": images, "seeds": seeds, "batch": batch, "learning_rate": learning_rate}
    usual = BenchConfig(**(_QUICK if quick else {}))
    bench = configured(usual, section="bench", file=config, pairs=settings, given=given)
    folder = _given(space, synthetic, labelled, quick)
    if gan_images is None and (quick or preset == "auto"):
        gan_images = _QUICK_GAN_IMAGES if quick else _GAN_IMAGES
    preset = _PRESET if preset == "auto" else preset
    check({f"--gan-images {gan_images}: must be 1 or more": gan_images is not None and gan_images < 1})
    size, recipe = _recipe(space, folder, preset, size=size, images=gan_images)
    plan = _plan(folder, labelled=labelled, arms=arms, file=arms_file, parsers=parsers, quick=quick, oracles=unused > 0)
    data = _data(space, faces, sources, size=size, unused=unused, development=development, groups=groups)
    data = _by_gender(space, data) if by_gender else data
    teaching = labelling_size(size) if teacher_size is None else teacher_size
    check({f"--teacher-size {teaching}: faces are {size} px; name that or more": teaching < size})
    if recipe is not None and teaching > size and sources != "none":
        data = _with_detail(space, data, faces, sources, size=teaching)
    if not plan.counts:
        whole = len(data.train) - data.unused
        plan = dataclasses.replace(plan, counts=[min(100, whole // 2), min(200, whole)] if quick else [whole])
    if recipe is not None:
        made = _made(data, recipe, bench, teachers=(1 if quick else 3) if teachers is None else teachers)
        plan = dataclasses.replace(plan, recipe=made)
    run = space.run(out, "bench", f"parsing-{size}", {"train": data.train.about(), **data.about()})
    counts, names = ", ".join(f"{count:,}" for count in plan.counts), ", ".join(arm.name for arm in plan.arms)
    origin = f"generated faces from {folder}" if folder else "P_F, GAN and faces are made for each number of labels"
    typer.echo(
        f"bench-parsing: {data.train.title} at {size} px, {counts} labelled, {space.compute}\n"
        f"  {len(plan.arms)} arms ({names}) x {len(plan.parsers)} parser(s) x {bench.seeds} seed(s)\n  {origin}\n  into {run}"
    )
    record = {"command": " ".join(["faceaug", *sys.argv[1:]])}
    results = run_bench(run, data, plan, bench, space.compute, record=record, made=space.runs / "made", cache=space.cache)
    typer.echo(f"{results['data']}, mean F1 in percent [95 %]:\n{table(results).to_string()}")
    for line in (*sentences(results), *warnings(results)):
        typer.echo(line)
    if quick:
        typer.echo(
            "One seed, and trainings that end before their plateau: this can show a large gain or that something is broken, and "
            "no small gain. Where training is short any addition helps; what generated faces add is their lead over "
            "aug+pseudo+continue."
        )
    typer.echo(f"report: {run / REPORT}")


def _given(space: Workspace, synthetic: Path | None, labelled: str | None, quick: bool) -> Path | None:
    """The folder of generated faces that are there already, or None where they are to be made."""
    from faceaug.runs.folder import latest
    from faceaug.shards.reader import COMPLETE

    if synthetic is not None or labelled is not None or quick:
        return synthetic
    newest = latest(space.runs, "synthetic", COMPLETE)
    return newest.parent if newest else None


def _recipe(space: Workspace, folder: Path | None, preset: str, *, size: int | None, images: int | None) -> tuple[int, Any]:
    """The size of all faces; networks and training of the GAN where faces are to be made, else None."""
    import dataclasses

    if folder is not None:
        from faceaug.datasets.synthetic import SyntheticFaces

        from faceaug.config import check

        found = SyntheticFaces(folder).size
        check({f"--size {size}: the faces in {folder} are of {found} px; leave it out": size not in (None, found)})
        return found, None
    from .train_gan import preset_for

    _, generator, training = preset_for(preset, space.compute, size=size, file=None, pairs=None)
    if images is not None:
        training = dataclasses.replace(training, images=images)
    return generator.size, (generator, training)


def _data(space: Workspace, faces: str, sources: str, *, size: int, unused: int, development: int, groups: Path | None) -> Data:
    from faceaug.benchmarks.parsing.data import Data, unseen

    from faceaug.errors import ConfigError
    from faceaug.parser.groups import read_groups
    from faceaug.progress import say

    train, tuning = (space.labelled(faces, split, size=size) for split in ("train", "tuning"))
    if unused < 0 or development < 0 or unused + development >= len(train):
        raise ConfigError(
            f"--unused {unused}, --development {development}: there are {len(train)} labelled faces; name numbers from 0 "
            f"on that leave some to train on"
        )
    if development:
        testing = train.select(range(len(train) - development, len(train)), lazily=True)
        train = train.select(range(len(train) - development), lazily=True)
    else:
        testing = space.labelled(faces, "testing", size=size)
    photos = None
    if sources != "none":
        every = space.photos(sources, size=size)
        oracle = train.select(range(len(train) - unused, len(train)), lazily=True)
        photos = unseen(every, tuning, testing, oracle)
        if len(photos) < len(every):
            say(
                f"{sources}: {len(every) - len(photos)} photos are faces that choose or score, or the oracles'; they are left out"
            )
    apart = {} if groups is None else read_groups(groups, testing.names)
    return Data(train, tuning, testing, photos, unused, apart)


def _with_detail(space: Workspace, data: Data, faces: str, sources: str, *, size: int) -> Data:
    """The data, with the same faces in the size by which teachers label."""
    import dataclasses

    from faceaug.benchmarks.parsing.data import Detailed

    train, tuning = (space.labelled(faces, split, size=size) for split in ("train", "tuning"))
    photos = space.photos(sources, size=size)
    if data.photos is not None and len(data.photos) < len(photos):
        kept = set(data.photos.names)
        photos = photos.select([row for row, name in enumerate(photos.names) if name in kept], lazily=True)
    return dataclasses.replace(data, detailed=Detailed(train, tuning, photos))


def _by_gender(space: Workspace, data: Data) -> Data:
    """The data with groups of each perceived gender, named with how often the classifier is right."""
    import dataclasses

    from faceaug.errors import ConfigError
    from faceaug.generate.gender import fit_gender
    from faceaug.imagenet import ImageFeatures

    if data.photos is None:
        raise ConfigError("--by-gender: the classifier is trained on photos with known gender; name some with --sources")
    classifier = fit_gender(data.photos, ImageFeatures(space.compute), seed=0)
    male = classifier.male(data.testing.images[:], label="gender of testing faces")
    known = f"by a classifier, {classifier.accuracy:.0%} right"
    found = {f"{name} ({known})": male == value for value, name in enumerate(("female", "male"))}
    return dataclasses.replace(data, groups={**data.groups, **{name: rows for name, rows in found.items() if rows.any()}})


def _plan(
    folder: Path | None, *, labelled: str | None, arms: str | None, file: Path | None, parsers: str, quick: bool, oracles: bool
) -> Plan:
    """What the options name; read before any face is."""
    import dataclasses

    from faceaug.benchmarks.parsing.arms import FIRST, GENERATED, ORACLES, QUICK, SETS, USUAL, parse_arm, read_arms, read_sets
    from faceaug.benchmarks.parsing.bench import Plan
    from faceaug.datasets.synthetic import SyntheticFaces

    from faceaug.config import read_toml
    from faceaug.errors import ConfigError

    tables = {} if file is None else read_toml(file)
    if unknown := set(tables) - {"arms", "sets"}:
        raise ConfigError(f"{file}: {', '.join(sorted(unknown))} unknown; it has tables [arms.NAME] and [sets.NAME]")
    sets = {**SETS, **read_sets(tables.get("sets", {}), where=str(file))}
    if quick:
        sets[GENERATED] = dataclasses.replace(sets[GENERATED], total=_QUICK_FACES)
    own = read_arms(tables.get("arms", {}), sets, where=str(file))
    usual = FIRST if folder is not None else QUICK if quick else (*USUAL, *(ORACLES if oracles else ()))
    asked = [name.strip() for name in arms.split(",")] if arms is not None else [*usual, *own]
    counts = []
    if labelled is not None:
        try:
            counts = sorted({int(number) for number in labelled.split(",")})
        except ValueError as error:
            raise ConfigError(f"--labelled {labelled}: must be numbers separated by commas, for example 50,100,200") from error
    given = {} if folder is None else {GENERATED: SyntheticFaces(folder).faces}
    return Plan(
        [own[name] if name in own else parse_arm(name, sets) for name in asked],
        counts,
        [name.strip() for name in parsers.split(",")],
        sets,
        given,
    )


def _made(data: Data, recipe: Any, bench: BenchConfig, *, teachers: int) -> Recipe:
    """How P_F, teachers, GAN and sets are made, for data of these sizes and this scheme."""
    import dataclasses

    from faceaug.benchmarks.parsing.sets import Recipe

    from faceaug.parser.config import ParserConfig

    generator, training = recipe
    network = ParserConfig(size=generator.size, scheme=data.train.scheme)
    teacher = None if data.detailed is None else dataclasses.replace(network, size=data.detailed.train.size)
    return Recipe(network, bench, generator, training, teachers, teacher)
