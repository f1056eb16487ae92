"""Table 3: one parser trained on real faces without and with augmentation, and with generated faces; several seeds each."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from faceaug.datasets.samples import FaceDataset

from faceaug.compute.device import Compute
from faceaug.config import check, to_dict
from faceaug.errors import CheckpointMismatch
from faceaug.files import read_json, write_json
from faceaug.parser.config import ParserConfig, ParserTraining
from faceaug.parser.groups import Groups, about
from faceaug.parser.predict import load_parser
from faceaug.parser.train import REPORT, evaluate, fit_parser
from faceaug.prepare.faces import LabelledFaces
from faceaug.runs.folder import claim
from faceaug.runs.jobs import Cell, compute_cells
from faceaug.runs.log import read_log

from .report import SCORES, budget_verdict, summarise, write_report

PLAIN, AUGMENTED, GENERATED = "real", "real + aug", "real + generated + aug"
SETTINGS = (PLAIN, AUGMENTED, GENERATED)
RESULTS = "results.json"


@dataclass(frozen=True)
class BenchConfig:
    """What is compared; everything but the setting and the seed is the same in all cells."""

    images: int
    """Images seen in each cell."""
    seeds: int = 1
    """Repetitions of each setting: seeds 0, 1, ..."""
    batch: int = 8
    """Images a step."""
    learning_rate: float = 3e-3
    """AdamW's rate."""
    synthetic_share: float = 0.3
    """Share of generated faces in each step of the third setting."""
    evaluations: int = 12
    """Points of each tuning curve."""

    def __post_init__(self) -> None:
        check(
            {
                f"--seeds {self.seeds}: must be 1 or more": self.seeds < 1,
                f"--synthetic-share {self.synthetic_share}: must be above 0 and at most 1": not 0 < self.synthetic_share <= 1,
            }
        )
        self.training(GENERATED, 0)

    def training(self, setting: str, seed: int) -> ParserTraining:
        """How the cell of a setting and seed is trained."""
        return ParserTraining(
            images=self.images,
            batch=self.batch,
            learning_rate=self.learning_rate,
            augment=setting != PLAIN,
            synthetic_share=self.synthetic_share if setting == GENERATED else 0.0,
            evaluations=self.evaluations,
            seed=seed,
        )


def bench_parsing(
    run: Path,
    *,
    train: FaceDataset,
    tuning: FaceDataset,
    testing: FaceDataset,
    synthetic: FaceDataset,
    parser: ParserConfig,
    config: BenchConfig,
    compute: Compute,
    record: dict[str, Any],
    groups: Groups | None = None,
) -> dict[str, Any]:
    """Train and score every cell that is missing; processes share them (:mod:`faceaug.runs.jobs`).

    Seeds are the outer loop, so that an interrupted run has whole comparisons. The state of each cell is chosen on tuning and
    scored on testing once.

    Args:
        run: gets ``config.json``, ``cells/``, ``results.json``, ``table.md``, ``curves.png`` and ``scores.png``.
        train: labelled faces, a torch dataset as anybody trains on; transforms are not called.
        tuning: choose the state.
        testing: score it.
        synthetic: generated faces.
        parser: the network, the same in all cells.
        config: the rest.
        compute: device and precision.
        record: what else to keep in ``results.json``.
        groups: of the testing faces, scored apart too, see :func:`faceaug.parser.groups.read_groups`.

    Returns:
        What ``results.json`` holds.

    Raises:
        CheckpointMismatch: sizes differ, or the folder holds another benchmark.
        OutputError: the folder cannot be written.
    """
    sets = {"train": train.faces, "tuning": tuning.faces, "testing": testing.faces, "synthetic": synthetic.faces}
    if {some.size for some in sets.values()} != {parser.size}:
        raise CheckpointMismatch(
            f"generated faces are {sets['synthetic'].size} px, real ones {sets['train'].size} px; generate them at that size, or "
            f"name others with --synthetic"
        )
    settings = {
        "bench": to_dict(config),
        "parser": to_dict(parser),
        "sets": {name: some.about() for name, some in sets.items()},
        **({"groups": about(groups)} if groups else {}),
        **record,
    }
    claim(run, settings)
    cells = compute_cells(
        [
            Cell(
                folder := _folder(run, setting, seed),
                partial(
                    _train,
                    folder,
                    setting,
                    seed,
                    **sets,
                    parser=parser,
                    config=config,
                    compute=compute,
                    groups=groups,
                ),
                _summary,
            )
            for seed in range(config.seeds)
            for setting in SETTINGS
        ]
    )
    summary = summarise(cells, SETTINGS)
    paid = summary["differences"][f"{AUGMENTED} - {PLAIN}"]["mean_f1"]
    summary["verdict"] += budget_verdict(paid, config.images / len(sets["train"]))
    results = {
        "data": sets["train"].title,
        "faces": {"generated" if name == "synthetic" else name: len(some) for name, some in sets.items()},
        **settings,
        "compute": str(compute),
        "summary": summary,
        "cells": cells,
    }
    write_json(run / RESULTS, results)
    write_report(run, results)
    return results


def _folder(run: Path, setting: str, seed: int) -> Path:
    return run / "cells" / f"{setting.replace(' + ', '-')}-seed{seed}"


def _summary(cell: dict[str, Any]) -> str:
    found = cell["testing"]
    shown = ", ".join(f"{SCORES[key]} {found[key]:.4f}" for key in ("mean_f1", "helen_overall", "pixel_accuracy") if key in found)
    return f"{cell['setting']}, seed {cell['seed']}: {shown}"


def _train(
    folder: Path,
    setting: str,
    seed: int,
    *,
    train: LabelledFaces,
    tuning: LabelledFaces,
    testing: LabelledFaces,
    synthetic: LabelledFaces,
    parser: ParserConfig,
    config: BenchConfig,
    compute: Compute,
    groups: Groups | None,
) -> dict[str, Any]:
    """One parser and its scores on testing."""
    training = config.training(setting, seed)
    weights = fit_parser(
        folder,
        faces=train,
        tuning=tuning,
        parser=parser,
        training=training,
        compute=compute,
        record={"setting": setting},
        synthetic=synthetic if setting == GENERATED else None,
        label=f"{setting}, seed {seed}",
    )
    trained = load_parser(weights, compute)
    report = read_json(folder / REPORT, "seconds", "best", advice="delete its folder to compute this cell again")
    return {
        "setting": setting,
        "seed": seed,
        "training": dataclasses.asdict(training),
        "seconds": report["seconds"],
        "best_at": report["best"]["images"],
        "tuning": {key: value for key, value in report["best"].items() if key != "images"},
        "testing": evaluate(trained.network, parser, testing, compute, groups=groups),
        "tuning_curve": [[row["images"], row["tuning"]["mean_f1"]] for row in read_log(folder / "log.jsonl")],
    }
