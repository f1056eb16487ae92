"""``faceaug bench-gan``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .options import ConfigFile, Faces, Judge, Out, Preset, Rounds, Settings
from .workspace import Workspace


def bench_gan(
    space: Workspace,
    faces: Faces = "helen",
    unlabelled: Annotated[str, typer.Option(help="Photos to learn from and to take looks from, NAME or NAME:DIR.")] = "celeba",
    preset: Preset = "auto",
    rows: Annotated[
        str,
        typer.Option(help="variants: the paper's Tables 1, 2 and Figures 3, 4; recipes: losses and discriminators."),
    ] = "variants",
    only: Annotated[str | None, typer.Option(help="Only these rows, by name or part of it, with commas between.")] = None,
    images: Annotated[
        int | None,
        typer.Option(help="Images seen by each generator; else the preset's."),
    ] = None,
    seeds: Annotated[int, typer.Option(help="Repetitions of each row; 2 or more show whether the order holds.")] = 2,
    per_mask: Annotated[int, typer.Option(help="Different sources for every unseen mask.")] = 6,
    rounds: Rounds = 200,
    parser: Annotated[
        Path | None,
        typer.Option(help="Weights of P_F; else the default one of these faces, trained where there is none."),
    ] = None,
    judge: Judge = None,
    settings: Settings = None,
    config: ConfigFile = None,
    out: Out = None,
) -> None:
    """Compare generators: the paper's ablations and two other systems (its Tables 1, 2, Figures 3, 4), or ways of training.

    Trains each row on the same faces, equally long, with each seed, and evaluates it. The variants are full, local, global, full
    without the parsing loss, pix2pixhd and bicyclegan. Writes results.json, table.md, scores.png and faces.png. The same command
    resumes; started several times (with --parser and --judge), its processes share the rows.

    Example: faceaug bench-gan --faces helen --unlabelled celeba --preset tiny --images 16000 --seeds 2
    """
    import dataclasses

    from faceaug.benchmarks.gan import RESULTS, GanBench, Material, choose_rows
    from faceaug.benchmarks.gan import bench_gan as run_bench

    from faceaug.config import to_dict
    from faceaug.evaluate.run import EvaluateConfig
    from faceaug.labels import check_schemes
    from faceaug.parser.labelling import label_photos
    from faceaug.prepare.faces import join

    from .train_gan import preset_for
    from .train_parser import ensure_judge, ensure_parser

    chosen_rows = choose_rows(rows, only)
    chosen, generator, training = preset_for(preset, space.compute, file=config, pairs=settings)
    evaluation = EvaluateConfig(per_mask=per_mask, rounds=rounds)
    bench = GanBench(images=images if images is not None else training.images, seeds=seeds, evaluation=evaluation)
    size = generator.size
    first = space.parser(parser or ensure_parser(space, faces, size=size))
    second = space.parser(judge or ensure_judge(space, faces, size=size))
    real = space.labelled(faces, "train", size=size)
    unseen = space.labelled(faces, "testing" if rows == "variants" else "tuning", size=size)  # recipes are chosen by this
    check_schemes("bench-gan", faces=real.scheme, parser=first.config.scheme, judge=second.config.scheme)
    photos = space.photos(unlabelled, size=size)
    generator = dataclasses.replace(generator, scheme=real.scheme)
    sources = label_photos(first, photos, cache=space.cache)
    material = Material(join(real, sources), unseen, sources, real, first, second)
    record = {"preset": chosen}
    names = [row.name for row in chosen_rows]
    identity = {
        **record,
        "bench": dataclasses.asdict(bench),
        "generator": to_dict(generator),
        "training": to_dict(training),
        "rows": names,
    }
    identity |= {"train": real.about(), "photos": photos.about(), "parser": first.hash, "judge": second.hash}
    run = space.run(out, "bench", f"gan-{rows}-{size}", identity)
    typer.echo(
        f"bench-gan: preset {chosen}, {len(material.train):,} faces, {len(chosen_rows)} rows x {seeds} seed(s), {bench.images:,} "
        f"images each, {space.compute}\n  {len(unseen):,} unseen masks with {per_mask} sources each, into {run}"
    )
    results = run_bench(run, chosen_rows, material, generator, training, bench, record=record)
    typer.echo((run / "table.md").read_text())
    typer.echo(f"results: {run / RESULTS}, {len(results['cells'])} cells; pictures: {run / 'faces.png'}, {run / 'scores.png'}")
