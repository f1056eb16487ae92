"""Generators side by side: the paper's Tables 1 and 2 and Figures 3 and 4, equal images for each row, several seeds."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from faceaug.config import check, to_dict
from faceaug.errors import ConfigError
from faceaug.evaluate.run import EvaluateConfig, evaluate
from faceaug.files import write_json, write_text
from faceaug.gan.config import RECIPES as NAMED
from faceaug.gan.config import GeneratorConfig, TrainingConfig
from faceaug.gan.inference import load_generator
from faceaug.gan.train import Intervals, fit_gan
from faceaug.imagenet import ImageFeatures
from faceaug.images import write_png
from faceaug.parser.predict import Parser
from faceaug.pictures import grid
from faceaug.prepare.faces import LabelledFaces
from faceaug.progress import say
from faceaug.runs.checkpoint import WEIGHTS
from faceaug.runs.folder import claim
from faceaug.runs.jobs import Cell, compute_cells
from faceaug.runs.log import read_log

from .gan_report import markdown, summarise, write_plots

RESULTS = "results.json"


@dataclass(frozen=True)
class Row:
    """One system of the comparison: what it changes in the preset.

    Attributes:
        name: of the row.
        generator: fields of :class:`GeneratorConfig`.
        training: fields of :class:`TrainingConfig`.
    """

    name: str
    generator: dict[str, Any] = field(default_factory=dict)
    training: dict[str, Any] = field(default_factory=dict)


VARIANT_ROWS = (
    Row("ours"),
    Row("setting 2 (local)", {"variant": "local"}),
    Row("setting 1 (global)", {"variant": "global"}),
    Row("ours without parsing loss", training={"lambda_gp": 0.0}),
    Row("pix2pixHD", {"variant": "pix2pixhd"}),
    Row("BicycleGAN", {"variant": "bicyclegan"}),
)
"""Table 1: ours and settings 1 and 2. Table 2: ours with and without the parsing loss. Figure 4: ours and the two peers."""


RECIPE_ROWS = (
    *(Row(name, recipe.generator, recipe.training) for name, recipe in NAMED.items()),
    Row("codes alone", {"texture": False}),
    Row("any source", training={"candidates": 1}),
    Row("D on patches of pixels", training={"discriminator": "patch"}),
    Row("colours of the sources not asked for", training={"lambda_colour": 0.0}),
    Row("pixels weigh the same in the parsing loss", training={"parsing_balance": 0.0}),
    Row("without perceptual loss", training={"lambda_perceptual": 0.0}),
    Row("bare eyes", {"bare_eyes": True}),
    Row("D at G's rate", training={"discriminator_ratio": 1.0}),
    Row("D at 4 times G's rate", training={"discriminator_ratio": 4.0}),
    Row("average with a half-life of 2000 images", training={"ema_half_life": 2_000}),
    Row("one discriminator", training={"one_discriminator": True}),
    Row("judges see faces in place", training={"shifted": False}),
    Row("Adam without momentum", training={"betas": (0.0, 0.99)}),
)
"""What may make faces better per hour, each beside the default."""

COMPARISONS = {"variants": VARIANT_ROWS, "recipes": RECIPE_ROWS}
"""What ``bench-gan --rows`` names."""


@dataclass(frozen=True)
class GanBench:
    """What is the same in all rows.

    Attributes:
        images: seen by each generator.
        seeds: repetitions: seeds 0, 1, ...
        evaluation: how each is measured.
    """

    images: int
    seeds: int = 2
    evaluation: EvaluateConfig = field(default_factory=EvaluateConfig)

    def __post_init__(self) -> None:
        check(
            {
                f"--images {self.images}: must be positive": self.images < 1,
                f"--seeds {self.seeds}: must be 1 or more": self.seeds < 1,
            }
        )


@dataclass(frozen=True)
class Material:
    """The faces and parsers of a comparison.

    Attributes:
        train: labelled faces that the generators learn from.
        targets: labelled faces that they have not seen.
        sources: photos with label maps.
        real: whose distribution generated faces should have.
        parser: P_F.
        judge: another parser.
    """

    train: LabelledFaces
    targets: LabelledFaces
    sources: LabelledFaces
    real: LabelledFaces
    parser: Parser
    judge: Parser


def choose_rows(name: str, only: str | None) -> tuple[Row, ...]:
    """The rows of a comparison, all or those that a list with commas between asks for, by whole names or parts of them.

    Raises:
        ConfigError: there is no such comparison, or no such row.
    """
    if name not in COMPARISONS:
        raise ConfigError(f"--rows {name}: unknown; use {', '.join(COMPARISONS)}")
    words = [word.strip() for word in only.split(",")] if only else [""]
    names = {row.name for row in COMPARISONS[name]}
    chosen = tuple(
        row for row in COMPARISONS[name] if any(word == row.name if word in names else word in row.name for word in words)
    )
    if not chosen:
        known = "; ".join(row.name for row in COMPARISONS[name])
        raise ConfigError(f"--only {only}: no row has that in its name; rows are {known}")
    return chosen


def bench_gan(
    run: Path,
    rows: Sequence[Row],
    material: Material,
    generator: GeneratorConfig,
    training: TrainingConfig,
    bench: GanBench,
    *,
    record: dict[str, Any],
) -> dict[str, Any]:
    """Train and evaluate every row with every seed that is missing; processes share them (:mod:`faceaug.runs.jobs`).

    Seeds are the outer loop, so that an interrupted run has whole comparisons.

    Args:
        run: gets ``config.json``, ``cells/``, ``results.json``, ``table.md``, ``scores.png`` and ``faces.png``.
        rows: what is compared.
        material: faces and parsers.
        generator: the preset's networks, changed by each row.
        training: the preset's training, likewise; its length and seed come from ``bench``.
        bench: the rest.
        record: what else to keep in ``results.json``.

    Raises:
        CheckpointMismatch: the folder holds another comparison.
        OutputError: the folder cannot be written.
    """
    settings = {
        "rows": [dataclasses.asdict(row) for row in rows],
        "generator": to_dict(generator),
        "training": to_dict(training),
        "bench": {"images": bench.images, "seeds": bench.seeds, "evaluation": to_dict(bench.evaluation)},
        "parser": material.parser.hash,
        "judge": material.judge.hash,
        "sets": {
            "train": material.train.about(),
            "targets": material.targets.about(),
            "sources": material.sources.about(),
            "real": material.real.about(),
        },
        **record,
    }
    claim(run, settings)
    features = ImageFeatures(material.parser.compute)
    cells = compute_cells(
        [
            Cell(
                folder := _folder(run, row, seed),
                partial(_train, folder, row, seed, material, generator, training, bench, features),
                _summary,
            )
            for seed in range(bench.seeds)
            for row in rows
        ]
    )
    results = {
        "data": material.real.title,
        "faces": {"train": len(material.train), "targets": len(material.targets), "sources": len(material.sources)},
        **settings,
        "compute": str(material.parser.compute),
        "summary": summarise(cells, [row.name for row in rows]),
        "cells": cells,
    }
    write_json(run / RESULTS, results)
    write_text(run / "table.md", markdown(results))
    write_plots(run, results)
    write_png(run / "faces.png", _figure(run, rows, material))
    return results


def _folder(run: Path, row: Row, seed: int) -> Path:
    plain = "".join(letter if letter.isalnum() else "-" for letter in row.name).strip("-")
    return run / "cells" / f"{plain}-seed{seed}"


def _summary(cell: dict[str, Any]) -> str:
    scores = cell["scores"]
    named = (f"{name} {scores[name]['value']:.4g}" for name in ("FID-EffLite0", "agreement mean_f1", "diversity"))
    return f"{cell['row']}, seed {cell['seed']}: {', '.join(named)}"


def _train(
    folder: Path,
    row: Row,
    seed: int,
    material: Material,
    generator: GeneratorConfig,
    training: TrainingConfig,
    bench: GanBench,
    features: ImageFeatures,
) -> dict[str, Any]:
    """One generator and its scores."""
    networks = dataclasses.replace(generator, **row.generator)
    settings = dataclasses.replace(training, **row.training, images=bench.images, seed=seed)
    compute = material.parser.compute
    say(f"{row.name}, seed {seed}")
    record = {"row": row.name, "parser_hash": material.parser.hash}
    rare = Intervals(samples=10**9, checkpoint=2_000)
    weights = fit_gan(folder, material.train, material.parser.network, networks, settings, compute, record=record, intervals=rare)
    found = evaluate(
        folder / "evaluation",
        load_generator(weights, compute),
        targets=material.targets,
        sources=material.sources,
        real=material.real,
        judge=material.judge,
        features=features,
        config=bench.evaluation,
        record={},
    )
    return {
        "row": row.name,
        "seed": seed,
        "seconds": read_log(folder / "log.jsonl")[-1]["seconds"],
        **{key: found[key] for key in ("scores", "agreement", "fidelity")},
    }


def _figure(run: Path, rows: Sequence[Row], material: Material, *, columns: int = 10) -> Any:
    """Figures 3 and 4: one column a pair of target and source, one line a system (seed 0)."""
    rng = np.random.default_rng(0)
    target = rng.choice(len(material.targets), columns, replace=len(material.targets) < columns)
    source = rng.choice(len(material.sources), columns, replace=len(material.sources) < columns)
    targets, sources = material.targets.select(target), material.sources.select(source)
    lines: list[tuple[str, Sequence[Any]]] = [
        ("target", list(targets.images)),
        ("mask", list(targets.scheme.colour(targets.labels))),
        ("source", list(sources.images)),
    ]
    for row in rows:
        generator = load_generator(_folder(run, row, 0) / WEIGHTS, material.parser.compute)
        codes = generator.encode(sources.images, sources.labels, sources.scheme)
        lines.append((row.name, list(generator.generate(codes, targets.images, targets.labels))))
    return grid(lines)
