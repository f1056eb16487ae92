"""Evaluate a generator: faces on masks that it has not seen, from many sources, and their scores (Section 4.1)."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from faceaug.arrays import ByteArray, Float32Array, IntArray
from faceaug.config import check, to_dict
from faceaug.errors import CheckpointMismatch, ConfigError
from faceaug.evaluate.distances import KernelDistance, Moments, bootstrap, frechet_distance, moments
from faceaug.evaluate.fidelity import crops, diversity, has, mean_colours
from faceaug.evaluate.two_sample import TwoSampleConfig, two_sample_auc
from faceaug.files import write_json
from faceaug.gan.batches import mirror_rows
from faceaug.gan.components import COMPONENTS
from faceaug.gan.inference import Generator
from faceaug.generate.plan import Plan, plan_pairs
from faceaug.imagenet import ImageFeatures
from faceaug.images import write_png
from faceaug.labels import Scheme, check_schemes, fill_ignored
from faceaug.parser.metrics import confusion, scores
from faceaug.parser.predict import Parser, ParserFeatures, predict_labels
from faceaug.pictures import grid
from faceaug.prepare.faces import LabelledFaces
from faceaug.prepare.likeness import CANDIDATES
from faceaug.progress import Progress
from faceaug.runs.folder import claim

Statistic = Callable[[IntArray], float]
Features = Callable[..., Float32Array]

EVALUATION = "evaluation.json"
_SHOWN = 8


@dataclass(frozen=True)
class EvaluateConfig:
    """What is measured."""

    per_mask: int = 6
    """Faces generated on each mask, each with another source."""
    candidates: int = CANDIDATES
    """Photos of which each face's source is the one most like its target in shape."""
    steps: int = 400
    """Training length of the two-sample test's classifier, optimiser steps."""
    rounds: int = 200
    """Bootstrap resamples of every interval; a tenth of it for the Frechet distance, which is slow."""
    seed: int = 0
    """Of the pairing and the resampling."""

    def __post_init__(self) -> None:
        check(
            {
                f"--per-mask {self.per_mask}: must be 2 or more, diversity compares faces of one mask": self.per_mask < 2,
                f"--steps {self.steps}: must be 1 or more": self.steps < 1,
                f"--rounds {self.rounds}: must be 10 or more": self.rounds < 10,
            }
        )


def evaluate(
    run: Path,
    generator: Generator,
    *,
    targets: LabelledFaces,
    sources: LabelledFaces,
    real: LabelledFaces,
    judge: Parser,
    features: ImageFeatures,
    config: EvaluateConfig,
    record: dict[str, Any],
    inception: Features | None = None,
) -> dict[str, Any]:
    """Measure a generator; the processes of its ``compute.world`` share generation and parsing.

    Args:
        run: the evaluation's folder; gets ``evaluation.json`` and ``faces.png``.
        generator: with trained weights.
        targets: labelled faces it was not trained on.
        sources: photos with label maps.
        real: the faces whose distribution the generated ones should have.
        judge: a parser other than the P_F that the generator was trained to please.
        features: of the packaged network.
        config: how much to measure.
        record: what else to keep in ``evaluation.json``.
        inception: features for FID and KID proper, see :class:`~faceaug.evaluate.inception.InceptionFeatures`; or None.

    Returns:
        What ``evaluation.json`` holds. Every entry of ``scores`` has ``value``, ``low``, ``high`` (95 %, bootstrap over masks).

    Raises:
        CheckpointMismatch: sizes or label schemes differ, or the folder holds another evaluation.
        ConfigError: the judge is the generator's own P_F.
        OutputError: the folder cannot be written.
    """
    if not targets.size == sources.size == real.size == generator.config.size:
        raise CheckpointMismatch(f"generator: generates {generator.config.size} px, targets are {targets.size} px")
    check_schemes("evaluate", targets=targets.scheme, generator=generator.config.scheme, judge=judge.config.scheme)
    if judge.hash == generator.record.get("parser_hash"):
        raise ConfigError(
            "--judge: is the parser that the generator was trained with; name another, or leave it out and one is trained"
        )
    world = generator.compute.world
    sets = {"targets": targets.about(), "sources": sources.about(), "real": real.about()}
    identity: dict[str, Any] = {"evaluate": to_dict(config), "generator": generator.hash, "judge": judge.hash, "sets": sets}
    identity["inception"] = inception is not None
    if world.first:
        claim(run, {**identity, **record}, movable=("weights",))

    def sharing(network: Features) -> Features:
        return lambda images, *, label="": world.shared(partial(network, label=label), images)

    looks = {"-EffLite0": sharing(features), "-judge": sharing(ParserFeatures(judge))}
    looks |= {"": sharing(inception)} if inception is not None else {}
    plan = plan_pairs(targets, sources, per_mask=config.per_mask, mode="any", seed=config.seed, candidates=config.candidates)
    generated = _generate(generator, targets, sources, plan)
    result: dict[str, Any] = {
        **record,
        "evaluate": to_dict(config),
        "generator": generator.hash,
        "variant": generator.record.get("generator", {}).get("variant", "full"),
        "judge": {"hash": judge.hash, "encoder": judge.config.encoder},
        "targets": {"title": targets.title, "count": len(targets)},
        "sources": {"title": sources.title, "count": len(sources)},
        "real": {"title": real.title, "count": len(real)},
        "faces": len(generated),
        **_measure(generated, plan, targets=targets, sources=sources, real=real, judge=judge, looks=looks, config=config),
        "warnings": _flattered(generator),
    }
    told_apart = two_sample_auc(
        np.asarray(targets.images),
        targets.labels,
        generated,
        plan.target,
        TwoSampleConfig(steps=config.steps, seed=config.seed),
        generator.compute,
        scheme=targets.scheme,
        rounds=config.rounds,
    )
    result["two_sample_losses"] = told_apart.pop("losses")
    result["scores"]["two-sample AUC"] = told_apart
    result = json.loads(json.dumps(result))  # what is returned is what is read back: lists for tuples
    if world.first:
        write_png(run / "faces.png", _figure(generator, targets, sources, seed=config.seed))
        write_json(run / EVALUATION, result)
    world.wait()
    return result


def _flattered(generator: Generator) -> list[str]:
    """Which figures come from networks that the generator was trained to please."""
    training = generator.record.get("training", {})
    found = []
    if training.get("lambda_perceptual", 0.0) > 0:
        found.append(
            "FID-EffLite0, KID-EffLite0, diversity and features to the source come from the network of the perceptual loss; "
            "compare FID-judge and the two-sample AUC"
        )
    return found


def _generate(generator: Generator, targets: LabelledFaces, sources: LabelledFaces, plan: Plan) -> ByteArray:
    labels = targets.labels
    maps = sources.labels

    def some_rows(rows: IntArray) -> ByteArray:
        found = []
        with Progress("generating", len(rows), unit="faces") as progress:
            for some in np.array_split(rows, range(64, len(rows), 64)):
                target, source = plan.target[some], plan.source[some]
                photos = mirror_rows(sources.images[source], maps[source], plan.mirrored[some], sources.scheme)
                look = generator.encode(*photos, sources.scheme)
                found.append(generator.generate(look, targets.images[target], labels[target]))
                progress.update(int(some[-1] - rows[0]) + 1)
        return np.concatenate(found)

    return generator.compute.world.shared(some_rows, np.arange(len(plan)))


def _measure(
    generated: ByteArray,
    plan: Plan,
    *,
    targets: LabelledFaces,
    sources: LabelledFaces,
    real: LabelledFaces,
    judge: Parser,
    looks: dict[str, Features],
    config: EvaluateConfig,
) -> dict[str, Any]:
    """All scores; ``looks`` are feature networks by the surname that their distances get, the packaged one first."""
    groups = plan.target

    def interval(statistic: Statistic, value: float) -> dict[str, Any]:
        return bootstrap(statistic, groups, value=value, rounds=config.rounds, seed=config.seed)

    table: dict[str, Any] = {}
    for name, network in looks.items():
        found = network(generated, label="features of generated faces")
        known = network(np.asarray(real.images), label="features of real faces")
        frechet = partial(_frechet, moments(known), found)
        kernel = KernelDistance(known, found)
        table[f"FID{name}"] = bootstrap(
            frechet, groups, value=frechet(np.arange(len(generated))), rounds=max(config.rounds // 10, 10), seed=config.seed
        )
        table[f"KID{name} x1000"] = interval(partial(_kernel, kernel), 1000 * kernel())
        if "diversity" not in table:
            table["diversity"] = _mean_interval(diversity(found, groups), groups, config)
    scheme = targets.scheme
    read = judge.compute.world.shared(partial(predict_labels, judge, batch=64, label="parsing generated faces"), generated)
    matrices = np.stack([confusion(a, b, classes=len(scheme)) for a, b in zip(read, targets.labels[plan.target], strict=True)])
    agreement = scores(matrices.sum(axis=0), scheme)
    for key in ("pixel_accuracy", "mean_f1"):
        pooled = partial(_pooled_score, matrices, scheme, key)
        table[f"agreement {key}"] = interval(pooled, agreement[key])
    fidelity = _fidelity(generated, plan, targets, sources, next(iter(looks.values())), config)
    return {"scores": table, "agreement": agreement, "fidelity": fidelity}


def _frechet(reference: Moments, found: Float32Array, rows: IntArray) -> float:
    return frechet_distance(reference, found[rows])


def _kernel(kernel: KernelDistance, rows: IntArray) -> float:
    return 1000 * kernel(rows)


def _pooled_score(matrices: npt.NDArray[np.int64], scheme: Scheme, key: str, rows: IntArray) -> float:
    return float(scores(matrices[rows].sum(axis=0), scheme)[key])


def _fidelity(
    generated: ByteArray,
    plan: Plan,
    targets: LabelledFaces,
    sources: LabelledFaces,
    features: Features,
    config: EvaluateConfig,
) -> dict[str, Any]:
    """Distances of each generated component to its source's, in colour and features, and to a stranger's for comparison."""
    used, source = np.unique(plan.source, return_inverse=True)
    images, maps = sources.images[used], sources.anatomy(used)
    stranger = np.random.default_rng([config.seed, 1]).permutation(source)
    labels = fill_ignored(targets.anatomy())[plan.target]
    result: dict[str, Any] = {}
    for component in COMPONENTS:
        row: dict[str, Any] = {}
        present, there = has(labels, component), has(maps, component)
        colour, colours = mean_colours(generated, labels, component), mean_colours(images, maps, component)
        look, looks = features(crops(generated, labels, component)), features(crops(images, maps, component))
        for name, of in (("source", source), ("stranger", stranger)):
            both = present & there[of]
            colour_gap = np.where(both, np.linalg.norm(colour - colours[of], axis=1), np.nan)
            feature_gap = np.where(both, np.linalg.norm(look - looks[of], axis=1), np.nan)
            row[f"colour to {name}"] = _mean_interval(colour_gap, plan.target, config)
            row[f"features to {name}"] = _mean_interval(feature_gap, plan.target, config)
        result[component.name] = row
    return result


def _mean_interval(values: Float32Array, groups: IntArray, config: EvaluateConfig) -> dict[str, Any]:
    """Interval of a mean over the faces that have a value; those with NaN (no such component) do not take part."""
    known = values[np.isfinite(values)]
    if not len(known):
        return {"value": None, "low": None, "high": None}
    return bootstrap(
        lambda rows: float(known[rows].mean()),
        groups[np.isfinite(values)],
        value=float(known.mean()),
        rounds=config.rounds,
        seed=config.seed,
    )


def _figure(generator: Generator, targets: LabelledFaces, sources: LabelledFaces, *, seed: int) -> ByteArray:
    """Figure 5: sources along the top, a target mask a row, what they make of each other."""
    rng = np.random.default_rng([seed, 2])
    target, source = (np.sort(rng.choice(len(faces), min(_SHOWN, len(faces)), replace=False)) for faces in (targets, sources))
    look = generator.encode(sources.images[source], sources.labels[source], sources.scheme)
    blank = np.full_like(targets.images[0], 255)
    rows: list[tuple[str, list[ByteArray]]] = [("", [blank, blank, *sources.images[source]])]
    for index in target:
        repeated = np.full(len(source), index)
        results = generator.generate(look, targets.images[repeated], targets.labels[repeated])
        rows.append(("", [targets.images[index], targets.scheme.colour(targets.labels[index]), *results]))
    return grid(rows)
