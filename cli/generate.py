"""``faceaug generate``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from .options import AnySeed, ConfigFile, Devices, DryRun, Generator, Labelled, Nodes, Out, Settings
from .workspace import Workspace

if TYPE_CHECKING:
    from faceaug.generate.config import GenerateConfig
    from faceaug.generate.run import Inputs, Origin

PREDICTED = "read:"
"""Before a dataset's name: the parser predicts its masks."""


def generate(
    space: Workspace,
    masks: Annotated[
        list[str] | None,
        typer.Option(
            help="Labelled faces whose training masks are generated on, NAME or NAME:DIR; read:NAME or read:NAME:DIR for "
            "photos whose masks the parser predicts. May be repeated; else helen."
        ),
    ] = None,
    sources: Annotated[str, typer.Option(help="Photos whose faces are generated, NAME or NAME:DIR.")] = "celeba",
    per_mask: Annotated[
        int | None,
        typer.Option(help="Different sources for every mask; else 2."),
    ] = None,
    total: Annotated[int | None, typer.Option(help="Faces in all, before filters, in place of --per-mask.")] = None,
    balance: Annotated[
        str | None,
        typer.Option(
            help="rare: more faces for masks with rare classes; hard: for those that the judge finds hard; none (default)."
        ),
    ] = None,
    gender: Annotated[
        str | None,
        typer.Option(
            help="consistent (default): sources of the mask's gender, any where genders are not known; filter: any source, then "
            "generated faces of another gender are dropped, the paper's way; any: neither."
        ),
    ] = None,
    mix: Annotated[
        str | None,
        typer.Option(help="none (default): one source a face; pairs: components of two; all: eyes, mouth, skin, hair of four."),
    ] = None,
    shapes: Annotated[
        str | None,
        typer.Option(help="Change masks: all, or some of flip,similarity,elastic,model,hair,mouth,eyes,brows; else none."),
    ] = None,
    candidates: Annotated[
        int | None,
        typer.Option(help="Photos drawn for each face, of which the one that fits the mask best is its source; else 1,024."),
    ] = None,
    min_agreement: Annotated[
        float | None,
        typer.Option(help="Drop faces whose predicted label maps agree less with their masks (mean F1, 0..1); else none."),
    ] = None,
    min_confidence: Annotated[
        float | None,
        typer.Option(help="Pixels whose class the judge finds less likely than this (0..1) become 255, unknown; else none."),
    ] = None,
    max_doubt: Annotated[
        float | None,
        typer.Option(help="Pixels become 255 whose loss is more than this many times their class's on real faces; else none."),
    ] = None,
    min_difference: Annotated[
        float | None,
        typer.Option(help="Drop faces that differ less than this from a photo or from one another (0..255, try 6); else none."),
    ] = None,
    labelled: Labelled = None,
    generator: Generator = None,
    parser: Annotated[
        list[Path] | None,
        typer.Option(
            help="Weights of the parser that labels the sources, and photos whose masks are predicted; repeat for parsers of "
            "other seeds, which err elsewhere: their mean labels better, and best at twice the GAN's size. Else those that "
            "labelled the GAN's photos."
        ),
    ] = None,
    judge: Annotated[
        Path | None,
        typer.Option(
            help="Weights of the parser that scores the results, best one that never trained the GAN; else as --parser, or "
            "the GAN's own where those are larger."
        ),
    ] = None,
    rows_per_shard: Annotated[
        int | None,
        typer.Option(help="Planned faces in a shard; else 512."),
    ] = None,
    batch: Annotated[int, typer.Option(help="Faces at once; changes nothing in the result.")] = 32,
    devices: Devices = 1,
    nodes: Nodes = 1,
    out: Out = None,
    settings: Settings = None,
    config: ConfigFile = None,
    dry_run: DryRun = False,
    seed: AnySeed = None,
) -> None:
    """Generate labelled faces: for each mask, sources of the same gender, into HDF5 shards.

    Writes config.json, shard-*.h5 (format: faceaug/shards/FORMAT.md), pictures, report.html, complete.json when all are there,
    and a card. The same command resumes, generates damaged shards again, and shares the work with others like it, on this
    machine or on several that share the disk.

    Example: faceaug generate --masks helen --sources celeba --per-mask 4 --min-agreement 0.5
    """
    from faceaug.config import check, configured, to_dict
    from faceaug.generate.config import GenerateConfig
    from faceaug.generate.gender import possible
    from faceaug.generate.run import generate as run_generation
    from faceaug.generate.run import identity

    given: dict[str, object] = {
        "per_mask": per_mask,
        "total": total,
        "balance": balance,
        "gender": gender,
        "mix": mix,
        "shapes": shapes,
    }
    given |= {"candidates": candidates, "min_agreement": min_agreement, "min_confidence": min_confidence}
    given |= {"max_doubt": max_doubt, "min_difference": min_difference, "rows_per_shard": rows_per_shard, "seed": seed}
    generating = configured(GenerateConfig(), section="generate", file=config, pairs=settings, given=given)
    check({f"--batch {batch}: must be 1 or more": batch < 1})
    space.launch(devices, nodes)
    specs = masks or ["helen"]
    opened = open_inputs(space, specs, sources, labelled=labelled, generator=generator, parser=parser, judge=judge)
    weights, inputs = opened.weights, opened.inputs
    generating = possible(generating, inputs.sources)
    if dry_run:
        _show_plan(inputs, generating, batch)
        return
    everything = {"generate": to_dict(generating), **identity(inputs)}
    name = f"{specs[0].removeprefix(PREDICTED).split(':')[0]}-{inputs.targets.size}"
    run = space.run(out, "synthetic", name, everything)
    typer.echo(
        f"generate: {len(inputs.targets):,} masks ({inputs.targets.title}), {len(inputs.sources):,} sources at "
        f"{inputs.targets.size} px, gender {generating.gender}, {space.compute}\n  generator {weights}\n  into {run}"
    )
    origin = _origin(space, opened, specs, sources, labelled, {"generator": weights, "parser": parser, "judge": judge})
    summary = run_generation(run, inputs, config=generating, batch=batch, origin=origin)
    typer.echo(
        f"faces: {summary['faces']:,} of {summary['planned']:,} planned, agreement with their masks "
        f"{summary['agreement']['mean']:.3f} on average; dropped: {summary['dropped'] or 'none'}\n"
        f"shards: {run}, report: {run / 'report.html'}, pictures: {run / 'faces.png'}"
    )


class Opened(NamedTuple):
    """What a set is generated from: the generator's file, all that is needed, and title and length of masks and sources."""

    weights: Path
    inputs: Inputs
    sets: list[tuple[str, int]]


def open_inputs(
    space: Workspace,
    masks: list[str],
    sources: str,
    *,
    labelled: int | None = None,
    generator: Path | None = None,
    parser: list[Path] | None = None,
    judge: Path | None = None,
) -> Opened:
    """Open what is generated from; arguments as the command's options."""
    from functools import reduce

    from faceaug.generate.masks import read_masks
    from faceaug.generate.run import Inputs
    from faceaug.prepare.faces import join

    judging = None if judge is None else space.parser(judge)  # a wrong file is said before faces are aligned
    weights, gan = space.generator(generator)
    teacher = space.parsers(parser) if parser else space.teachers_of(gan)
    size = gan.config.size
    sets = []
    for spec in masks:
        if spec.startswith(PREDICTED):
            name = spec.removeprefix(PREDICTED)
            detailed = space.detailed(teacher, name, size=size)
            sets.append(read_masks(teacher, space.photos(name, size=size), detailed=detailed, cache=space.cache))
        else:
            sets.append(space.labelled(spec, "train", size=size, limit=labelled))
    photos_of = space.predicted(teacher, space.photos(sources, size=size), detailed=space.detailed(teacher, sources, size=size))
    if judging is None:  # a larger parser expects more detail than generated faces have
        judging = teacher if teacher.config.size == size else space.parser_of(gan)
    inputs = Inputs(reduce(join, sets), photos_of, gan, teacher, judging)
    return Opened(weights, inputs, [(one.title, len(one)) for one in (*sets, photos_of)])


def _origin(
    space: Workspace,
    opened: Opened,
    masks: list[str],
    sources: str,
    labelled: int | None,
    weights: dict[str, Path | list[Path] | None],
) -> Origin:
    """Where it all came from: for the card, and for generating a row again."""
    from faceaug.datasets.names import licence_of

    from faceaug.generate.run import Origin

    roles = [*(("masks", spec) for spec in masks), ("sources", sources)]
    provenance = [
        {
            "role": role,
            "title": title,
            "count": count,
            "name": spec,
            "licence": licence_of(spec.removeprefix(PREDICTED), space.root),
        }
        for (role, spec), (title, count) in zip(roles, opened.sets, strict=True)
    ]
    files = {role: _lasting(named) for role, named in weights.items()}
    return Origin(provenance, {"data_root": str(space.root.absolute()), "labelled": labelled, **files})


def _lasting(named: Path | list[Path] | None) -> str | list[str] | None:
    """Of one file its path, of several a list."""
    from faceaug.embedded import lasting

    if named is None or isinstance(named, Path):
        return None if named is None else lasting(named)
    if not named:
        return None
    paths = [lasting(path) for path in named]
    return paths if len(paths) > 1 else paths[0]


def _show_plan(inputs: Inputs, config: GenerateConfig, batch: int) -> None:
    """What would be generated: how many faces of how many masks, how large, how long."""
    from faceaug.generate.estimate import estimate
    from faceaug.progress import clock

    found = estimate(inputs, config, batch)
    edited = f", {found.edited:.0%} of them with a changed mask" if config.shapes else ""
    typer.echo(
        f"plan: {found.rows:,} faces on {found.masks:,} of {len(inputs.targets):,} masks, {found.fewest} to {found.most} "
        f"each{edited}\n"
        f"size: {found.size / 2**20:,.0f} MiB in {found.shards:,} shards, {found.size / found.rows:,.0f} bytes a face\n"
        f"time: {clock(found.seconds)} for one process like this, {found.rate:,.1f} faces/s, measured on {found.measured} faces\n"
        f"nothing was written"
    )
