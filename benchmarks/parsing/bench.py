"""The parsing benchmark: arms by numbers of labelled faces, parsers and seeds; each cell once, results after each of them."""

from __future__ import annotations

import itertools
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from faceaug.compute.device import Compute
from faceaug.config import to_dict
from faceaug.errors import CheckpointMismatch, ConfigError
from faceaug.files import atomic_file, locked, write_json
from faceaug.prepare.faces import LabelledFaces
from faceaug.runs.folder import claim
from faceaug.runs.jobs import compute_cells

from ..resampling import METRICS, Resamples, measured
from .arms import CONTINUE, Arm, SetConfig
from .cell import Training, face_matrices
from .data import PARSERS, BenchConfig, Data, parser_config
from .gains import gains, labels_replaced
from .report import write_report
from .sets import Recipe, Sets

RESULTS = "results.json"


@dataclass(frozen=True)
class Plan:
    """What is compared.

    Attributes:
        arms: in the order of the tables.
        counts: numbers of labelled faces, ascending; none yet where they follow from the data.
        parsers: names of :data:`faceaug.benchmarks.parsing.data.PARSERS`.
        sets: generated sets by name.
        given: sets that are there already, by name.
        recipe: how P_F, GAN and sets are made; None where all sets are given.
    """

    arms: Sequence[Arm]
    counts: Sequence[int] = ()
    parsers: Sequence[str] = ("unet",)
    sets: Mapping[str, SetConfig] = field(default_factory=dict)
    given: Mapping[str, LabelledFaces] = field(default_factory=dict)
    recipe: Recipe | None = None

    def __post_init__(self) -> None:
        names = [arm.name for arm in self.arms]
        if len(set(names)) < len(names):
            raise ConfigError("--arms: an arm is named twice")
        if list(self.counts) != sorted(set(self.counts)) or any(count < 2 for count in self.counts):
            raise ConfigError("--labelled: name numbers of 2 or more, each once, in ascending order")
        if unknown := [name for name in self.parsers if name not in PARSERS]:
            raise ConfigError(f"--parsers {unknown[0]}: unknown; use {', '.join(PARSERS)}")

    def base(self, arm: Arm) -> str | None:
        """The arm that an arm is compared with: the same without additions, trained as long if there is one; None without any."""
        same = [other for other in self.arms if not other.added and other.augment == arm.augment]
        further = arm.schedule == CONTINUE and bool(arm.added)
        as_long = [other for other in same if (other.schedule == CONTINUE) == further]
        return next((other.name for other in (*as_long, *same)), None)


def bench_parsing(
    run: Path,
    data: Data,
    plan: Plan,
    config: BenchConfig,
    compute: Compute,
    *,
    record: dict[str, Any],
    made: Path | None = None,
    cache: Path | None = None,
) -> dict[str, Any]:
    """Train and score every cell that is missing; processes share them (:mod:`faceaug.runs.jobs`).

    Seeds are the outer loop, so that an interrupted run has whole comparisons. The state of each cell is chosen on tuning and
    scored on testing once. Another call with more arms, counts, parsers or seeds goes on with the same cells.

    Args:
        run: gets ``config.json``, ``cells/``, ``results.json``, ``results.csv``, ``table.md`` and ``report.html``.
        data: faces.
        plan: what is compared.
        config: how cells are trained.
        compute: device and precision.
        record: what else to keep in ``results.json``.
        made: where parsers, GANs and generated sets of each number of labels are kept, for other benchmarks too; else in ``run``.
        cache: where predicted label maps are kept; else in ``run``.

    Returns:
        What ``results.json`` holds.

    Raises:
        CheckpointMismatch: sizes differ, or the folder holds the benchmark of other faces.
        ConfigError: a number of labelled faces, an arm or a parser that cannot be.
        OutputError: the folder cannot be written.
    """
    if not plan.counts:
        raise ConfigError("counts: name a number of labelled faces at least")
    for name, faces in plan.given.items():
        if faces.size != data.train.size:
            raise CheckpointMismatch(
                f"{name}: faces are {faces.size} px, labelled ones {data.train.size} px; generate them at that size, or name "
                f"others with --synthetic"
            )
    # Bootstrap, number of seeds and the plan are no part of what a folder is: more of them go on with the same cells.
    claim(run, {"data": {"train": data.train.title, **data.about()}, "size": data.train.size})
    folder, labels = made or run / "made", cache or run / "cache"
    sets = {count: Sets(folder, data, count, plan.recipe, plan.sets, plan.given, compute, labels) for count in plan.counts}
    trainings = [
        Training(run, arm, sets[count], (name, parser_config(name, data)), config.training(count, seed), data, compute)
        for seed, name, count, arm in itertools.product(range(config.seeds), plan.parsers, plan.counts, plan.arms)
        # Without labelled faces of its own an arm of given faces is the same at every count.
        if arm.real or count == plan.counts[0] or any(one.what not in plan.given for one in arm.added)
    ]
    missing = [training.job for training in trainings if training.job.result() is None]  # what the others needed may be gone
    jobs = list(dict.fromkeys(itertools.chain.from_iterable([*job.needs, job] for job in missing)))
    about = {**_about(data, plan, config), **record, "compute": str(compute)}
    known: dict[str, Any] = {}
    told = partial(_tell, run, data, about, trainings, sets[plan.counts[0]], known)
    shown = time.monotonic()

    def show() -> None:
        nonlocal shown
        if time.monotonic() - shown >= _EVERY:
            told()
            shown = time.monotonic()

    compute_cells(jobs, after=show)
    return told(finished=True)


_EVERY = 20.0
"""Seconds between two reports of what is there so far."""


def _about(data: Data, plan: Plan, config: BenchConfig) -> dict[str, Any]:
    """What is known before any cell is computed."""
    return {
        "data": data.train.title,
        "faces": {
            "labelled": list(plan.counts),
            "tuning": len(data.tuning),
            "testing": len(data.testing),
            "photos": 0 if data.photos is None else len(data.photos),
            "groups": {name: int(rows.sum()) for name, rows in data.groups.items()},
            "given": {name: len(faces) for name, faces in plan.given.items()},
        },
        "bench": to_dict(config),
        "arms": {
            arm.name: {**to_dict(arm), "base": plan.base(arm), "generated": arm.generated, "control": arm.control}
            for arm in plan.arms
        },
        "sets": {name: to_dict(made) for name, made in plan.sets.items()},
        "recipe": None if plan.recipe is None else to_dict(plan.recipe),
        "parsers": {name: to_dict(parser_config(name, data)) for name in plan.parsers},
    }


def _tell(
    run: Path,
    data: Data,
    about: dict[str, Any],
    trainings: Sequence[Training],
    shown: Sets,
    known: dict[str, Any],
    *,
    finished: bool = False,
) -> dict[str, Any]:
    """Results of the cells that are there, as files; written by one process at a time.

    ``known`` keeps the confusion matrices of cells from one call to the next, by folder.
    """
    cells = [found for training in trainings if (found := training.job.result()) is not None]
    for cell in cells:
        if cell["folder"] not in known:
            known[cell["folder"]] = face_matrices(run / "cells" / cell["folder"])
    results = {**about, "finished": finished, "cells": cells}
    results |= summarise(known, results, data)
    with locked(run, ".report", wait=True):
        write_json(run / RESULTS, results)
        _write_csv(run / "results.csv", results)
        write_report(run, results, data, shown)
    return results


def summarise(known: Mapping[str, Any], results: dict[str, Any], data: Data) -> dict[str, Any]:
    """Scores and gains with intervals, and labels replaced.

    Args:
        known: ``(F, K, K)`` confusion matrices of each cell, by its folder's name.
        results: with ``cells``, ``arms``, ``parsers`` and ``bench``.
        data: who scores.

    Returns:
        ``scores`` by parser and count, see :func:`~faceaug.benchmarks.parsing.gains.gains`; arms with generated faces have also
        ``over``, the gain of mean F1 over each arm without, and ``over_control``, that over the best control.
        ``labels_replaced`` by parser and arm.
    """
    seeds = 1 + max((cell["seed"] for cell in results["cells"]), default=0)
    resamples = Resamples.draw(seeds, len(data.testing), results["bench"]["rounds"])
    bases = {name: arm["base"] for name, arm in results["arms"].items() if arm["base"] is not None}
    found: dict[str, Any] = {"scores": {}, "labels_replaced": {}}
    for parser in results["parsers"]:
        by_count: dict[int, dict[str, dict[int, Any]]] = {}
        for cell in results["cells"]:
            if cell["parser"] == parser:
                of_arm = by_count.setdefault(cell["labelled"], {}).setdefault(cell["arm"], {})
                of_arm[cell["seed"]] = known[cell["folder"]]
        found["scores"][parser] = {
            str(count): _with_others(
                gains(arms, bases, resamples, data.testing.scheme, data.groups), arms, results["arms"], resamples, data
            )
            for count, arms in sorted(by_count.items())
        }
        given = results["faces"]["given"]  # made of who knows how many labels
        arms_made = {name: arm for name, arm in results["arms"].items() if not any(one["what"] in given for one in arm["added"])}
        found["labels_replaced"][parser] = _replaced(by_count, arms_made, bases, resamples, data)
    return found


def _with_others(
    scored: dict[str, dict[str, Any]], arms: dict[str, dict[int, Any]], about: dict[str, Any], resamples: Resamples, data: Data
) -> dict[str, dict[str, Any]]:
    """Adds to arms with generated faces their differences from those without, and from the best control among these."""
    others = [name for name in scored if about[name]["real"] and not about[name]["generated"]]
    for name in scored:
        if not about[name]["generated"]:
            continue
        over = {}
        for other in others:
            compared = gains({one: arms[one] for one in (other, name)}, {name: other}, resamples, data.testing.scheme, {})
            if "gain" in compared[name]:
                over[other] = {**compared[name]["gain"]["mean_f1"], "common": compared[name]["common"]}
        scored[name]["over"] = over
        if controls := [other for other in over if about[other]["control"]]:
            best = max(controls, key=lambda other: scored[other]["scores"]["mean_f1"]["value"])
            scored[name]["over_control"] = {"control": best, **over[best]}
    return scored


def _replaced(
    by_count: dict[int, dict[str, dict[int, Any]]],
    about: dict[str, Any],
    bases: dict[str, str],
    resamples: Resamples,
    data: Data,
) -> dict[str, Any]:
    """Labels replaced by each arm with additions, on the curve of its base over all counts at which that was measured.

    At the counts that both have, both are of the seeds that both have; ``common`` says how few any point of the curve has.
    """
    found = {}
    for name, arm in about.items():
        base = bases.get(name)
        if base is None or name == base or not arm["added"]:
            continue
        seeds: dict[int, list[int]] = {}
        at = []
        for count, arms in sorted(by_count.items()):
            of_base, of_arm = set(arms.get(base, {})), set(arms.get(name, {}))
            if of_base & of_arm:
                at.append(count)
            if of_base:
                seeds[count] = sorted(of_base & of_arm or of_base)
        if len(seeds) < 2 or not at:
            continue

        def curve(which: str, seeds: dict[int, list[int]]) -> Any:
            return np.stack(
                [
                    measured(np.stack([by_count[count][which][seed] for seed in some]), resamples.of(some), data.testing.scheme)[
                        "mean_f1"
                    ]
                    for count, some in seeds.items()
                ]
            )

        entries = labels_replaced(list(seeds), curve(base, seeds), curve(name, {count: seeds[count] for count in at}), at=at)
        fewest = min(len(some) for some in seeds.values())
        found[name] = [{**entry, "common": fewest} for entry in entries]
    return found


def _write_csv(path: Path, results: dict[str, Any]) -> None:
    import csv

    with atomic_file(path) as part, open(part, "w", newline="", encoding="utf-8") as handle:
        writer = csv.writer(handle)
        writer.writerow(
            ["parser", "labelled", "arm", "seeds", "score", "value", "low", "high", "gain_over", "gain", "gain_low", "gain_high"]
        )
        for parser, by_count in results["scores"].items():
            for count, arms in by_count.items():
                for name, arm in arms.items():
                    for key, entry in arm["scores"].items():
                        gain = arm.get("gain", {}).get(key, {})
                        writer.writerow(
                            [
                                parser,
                                count,
                                name,
                                len(arm["seeds"]),
                                METRICS.get(key, key),
                                entry["value"],
                                entry["low"],
                                entry["high"],
                                arm.get("base", ""),
                                *(gain.get(bound) for bound in ("value", "low", "high")),
                            ]
                        )
