"""What generated faces are worth: the share of a photo's gain that a face generated on the photo's mask has.

A parser is trained on a few labelled faces alone, and with 30 % of each step from one of four additions, all with human masks
that nothing else has seen: photos; the photos reconstructed by the generator from their own look on their own masks; the same
after their pixels were moved into another person's shape and back; and faces generated on the photos' masks from other people.
The masks are the same, so what the last three lose against the first is lost in the images, and each shows one step of the loss.

The short protocol does not train each parser from the start but goes on from the one without additions: a fifth of the time, and
less noise, since all begin with the same weights. By it changes of the GAN are judged on the way.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from faceaug.arrays import ByteArray, IntArray
from faceaug.compute.device import Compute
from faceaug.config import check, to_dict
from faceaug.errors import CheckpointMismatch
from faceaug.files import atomic_file, write_json, write_text
from faceaug.gan.batches import mirror_rows
from faceaug.gan.inference import Generator
from faceaug.generate.plan import Plan, plan_pairs
from faceaug.images import write_png
from faceaug.labels import HELEN_11, Scheme, check_schemes
from faceaug.parser.additions import Addition
from faceaug.parser.batches import MixedBatches
from faceaug.parser.config import ParserConfig, ParserTraining
from faceaug.parser.losses import class_weights
from faceaug.parser.metrics import confusion, scores
from faceaug.parser.predict import Parser, load_parser, predict_labels
from faceaug.parser.step import ParserStep
from faceaug.parser.train import fit_parser
from faceaug.pictures import grid
from faceaug.prepare.faces import LabelledFaces
from faceaug.prepare.likeness import CANDIDATES
from faceaug.progress import Progress
from faceaug.runs.checkpoint import WEIGHTS
from faceaug.runs.folder import claim
from faceaug.runs.jobs import Cell, compute_cells

from .resampling import Resamples, interval, measured

NOTHING, PHOTOS, RECONSTRUCTED, RETURNED, TRANSFERRED = "nothing", "photos", "reconstructed", "returned", "transferred"
GENERATED = (RECONSTRUCTED, RETURNED, TRANSFERRED)
ARMS = (NOTHING, PHOTOS, *GENERATED)
CONFUSIONS = "confusions.npz"


@dataclass(frozen=True)
class WorthConfig:
    """The protocol; everything but the addition and the seed is the same in all cells."""

    images: int = 8_000
    """Images seen in each cell."""
    seeds: int = 3
    """Repetitions: seeds 0, 1, ..."""
    share: float = 0.3
    """Share of added faces in each step."""
    per_mask: int = 2
    """Faces generated on each mask, each with another source; about as many as the parser sees once."""
    candidates: int = CANDIDATES
    """Photos of which each face's source is the one most like its target in shape."""
    batch: int = 8
    """Images a step."""
    learning_rate: float = 6e-3
    """AdamW's rate."""
    rounds: int = 1_000
    """Bootstrap resamples of the intervals."""
    short: bool = False
    """Go on from the parser without additions (seed 0's), for :attr:`Short.images`."""

    def __post_init__(self) -> None:
        check(
            {
                f"--seeds {self.seeds}: must be 1 or more": self.seeds < 1,
                f"--share {self.share}: must be above 0 and below 1": not 0 < self.share < 1,
                f"--per-mask {self.per_mask}: must be 1 or more": self.per_mask < 1,
                f"--rounds {self.rounds}: must be 10 or more": self.rounds < 10,
            }
        )

    def training(self, arm: str, seed: int) -> ParserTraining:
        """How a cell is trained."""
        return ParserTraining(
            images=self.images,
            batch=self.batch,
            learning_rate=self.learning_rate,
            evaluations=12,
            seed=seed,
        )


@dataclass(frozen=True)
class Short:
    """The short protocol's training."""

    images: int = 1_600
    """Images seen."""
    share: float = 0.5
    """Share of added faces in each step."""
    learning_rate: float = 1e-3
    """AdamW's rate at the start; it falls to 0 by a cosine."""


@dataclass(frozen=True)
class Faces:
    """Who is who in the protocol; no face is in two of these.

    Attributes:
        labelled: what the parser, and before it P_F and the GAN, are trained on.
        unused: labelled faces whose photos and masks are the additions; nothing was trained on them.
        tuning: choose the state of each cell.
        scored: score it once, by name: ``testing``, and ``further`` where there are labelled faces beyond ``unused``.
        sources: photos with label maps that P_F predicted.
    """

    labelled: LabelledFaces
    unused: LabelledFaces
    tuning: LabelledFaces
    scored: dict[str, LabelledFaces]
    sources: LabelledFaces


def additions(faces: Faces, generator: Generator, config: WorthConfig) -> dict[str, LabelledFaces]:
    """The unused photos, reconstructed; moved into another shape and back; and faces generated on their masks from sources."""
    unused, sources = faces.unused, faces.sources
    plan = plan_pairs(unused, sources, per_mask=config.per_mask, mode="any", seed=0, candidates=config.candidates)
    own, masks = unused.images, unused.labels
    first = slice(None, None, config.per_mask)
    shapes = sources.anatomy(plan.source[first])
    guides = np.where(
        plan.mirrored[first, None, None], HELEN_11.flip(shapes), shapes
    )  # each mask's first source: as difficult as transfers

    def reconstruct(rows: IntArray) -> ByteArray:
        return generator.generate(generator.encode(own[rows], masks[rows]), own[rows], masks[rows])

    def return_(rows: IntArray) -> ByteArray:
        return generator.generate(generator.disguise(own[rows], masks[rows], guides[rows]), own[rows], masks[rows])

    return {
        RECONSTRUCTED: replace(unused, images=_in_parts(RECONSTRUCTED, reconstruct, len(unused))),
        RETURNED: replace(unused, images=_in_parts(RETURNED, return_, len(unused))),
        TRANSFERRED: replace(unused.select(plan.target), images=transfer(generator, unused, sources, plan)),
    }


def transfer(generator: Generator, targets: LabelledFaces, sources: LabelledFaces, plan: Plan) -> ByteArray:
    """The faces of a plan: ``(R, S, S, 3)`` uint8 RGB."""
    photos, masks, maps = targets.images, targets.labels, sources.labels

    def some(rows: IntArray) -> ByteArray:
        source, target = plan.source[rows], plan.target[rows]
        photos_of = mirror_rows(sources.images[source], maps[source], plan.mirrored[rows], sources.scheme)
        look = generator.encode(*photos_of, sources.scheme)
        return generator.generate(look, photos[target], masks[target])

    return _in_parts(TRANSFERRED, some, len(plan))


def _in_parts(label: str, function: Callable[[IntArray], ByteArray], count: int) -> ByteArray:
    found = []
    with Progress(label, count, unit="faces") as progress:
        for rows in np.array_split(np.arange(count), range(64, count, 64)):
            found.append(function(rows))
            progress.update(int(rows[-1]) + 1)
    return np.concatenate(found)


def bench_worth(
    run: Path,
    faces: Faces,
    generator: Generator,
    parser: ParserConfig,
    config: WorthConfig,
    compute: Compute,
    *,
    record: dict[str, Any],
) -> dict[str, Any]:
    """Train and score every cell that is missing; processes share them (:mod:`faceaug.runs.jobs`).

    Cells without the generator are the same for every generator, so that another one in the same folder needs half the time.

    Args:
        run: gets ``config.json``, ``cells/``, and for each generator ``worth-*.json``, ``worth-*.md`` and ``faces-*.png``.
        faces: who is who.
        generator: measured.
        parser: the network of all cells.
        config: the protocol.
        compute: device and precision.
        record: what else to keep, and to be the same for all generators in a folder.

    Returns:
        What ``worth-*.json`` holds.

    Raises:
        CheckpointMismatch: sizes differ, or the folder holds another protocol.
        OutputError: the folder cannot be written.
    """
    if not parser.size == faces.labelled.size == generator.config.size:
        raise CheckpointMismatch(f"generator: generates {generator.config.size} px, the faces are {faces.labelled.size} px")
    check_schemes("bench-worth", faces=faces.labelled.scheme, generator=generator.config.scheme)
    settings = {"worth": without_length(config), "parser": to_dict(parser), **record}
    claim(run, settings)
    name = generator.hash[:8]

    @cache
    def added() -> dict[str, LabelledFaces]:
        """Generated when the first cell needs them: a resumed benchmark may need none."""
        found = {PHOTOS: faces.unused, **additions(faces, generator, config)}
        write_png(run / f"faces-{name}.png", _sheet(faces.unused, found))
        return found

    def addition(arm: str) -> LabelledFaces | None:
        return {NOTHING: None, PHOTOS: faces.unused}[arm] if arm in (NOTHING, PHOTOS) else added()[arm]

    def cell(arm: str, seed: int, *, short: bool) -> Cell:
        own = [name] if arm in GENERATED else []
        folder = run / "cells" / "-".join([*(["short"] if short else []), arm, *own, f"seed{seed}"])
        added_faces = partial(addition, arm)
        if not short:
            return Cell(folder, partial(_train, folder, arm, seed, faces, added_faces, parser, config, compute), _summary)
        began = run / "cells" / f"{NOTHING}-seed0" / WEIGHTS
        return Cell(folder, partial(_go_on, folder, arm, seed, faces, added_faces, began, config, compute), _summary)

    if config.short:
        compute_cells([cell(NOTHING, 0, short=False)])
    cells = compute_cells([cell(arm, seed, short=config.short) for seed in range(config.seeds) for arm in ARMS])
    folders = {(found["arm"], found["seed"]): run / "cells" / found["folder"] for found in cells}
    matrices = {
        part: np.stack(
            [[np.load(folders[arm, seed] / CONFUSIONS)[part].astype(np.int64) for seed in range(config.seeds)] for arm in ARMS]
        )
        for part in faces.scored
    }
    pooled = np.concatenate(list(matrices.values()), axis=2)
    results = {
        **settings,
        "data": faces.labelled.title,
        "seeds": config.seeds,
        "faces": {
            "labelled": len(faces.labelled),
            "unused": len(faces.unused),
            "tuning": len(faces.tuning),
            **{part: len(some) for part, some in faces.scored.items()},
            "sources": len(faces.sources),
        },
        "generator": {"hash": generator.hash, "record": generator.record},
        "compute": str(compute),
        "worth": {part: worth(m, faces.labelled.scheme, rounds=config.rounds) for part, m in {**matrices, "all": pooled}.items()},
        "cells": cells,
    }
    write_json(run / f"{report_name(config, generator)}.json", results)
    write_text(run / f"{report_name(config, generator)}.md", table(results))
    return results


def without_length(config: WorthConfig) -> dict[str, Any]:
    """The settings that make a cell what it is: more seeds or rounds, or the short protocol, go on with the same cells."""
    return {name: value for name, value in to_dict(config).items() if name not in ("seeds", "rounds", "short")}


def worth(matrices: IntArray, scheme: Scheme, *, rounds: int) -> dict[str, Any]:
    """Gains over nothing added, and their shares of the photos' gain, each with a 95 % interval.

    The interval is a bootstrap over seeds and, within them, over scored faces; arms are compared on the same seeds and faces.

    Args:
        matrices: ``(5, seeds, faces, K, K)`` confusion matrices, arms in the order of :data:`ARMS`.
        scheme: their classes.
        rounds: resamples.

    Returns:
        For each arm but the first ``gain`` in points of mean F1, for the generated ones also ``worth``, 1 for the photos'; each
        ``value``, ``low``, ``high``, None where the photos gain nothing.
    """
    seeds, count = matrices.shape[1:3]
    resamples = Resamples.draw(seeds, count, rounds)
    nothing, *others = [measured(of_arm, resamples, scheme)["mean_f1"] for of_arm in matrices]
    gains = dict(zip(ARMS[1:], [found - nothing for found in others], strict=True))
    result: dict[str, Any] = {arm: {"gain": interval(gain)} for arm, gain in gains.items()}
    photos = np.where(gains[PHOTOS], gains[PHOTOS], np.nan)
    for arm in GENERATED:
        result[arm]["worth"] = interval(gains[arm] / photos)
    return result


def _train(
    folder: Path,
    arm: str,
    seed: int,
    faces: Faces,
    addition: Callable[[], LabelledFaces | None],
    parser: ParserConfig,
    config: WorthConfig,
    compute: Compute,
) -> dict[str, Any]:
    """One parser, its scores and each scored face's confusion matrix."""
    training = config.training(arm, seed)
    if not (folder / WEIGHTS).is_file():
        label = f"{arm}, seed {seed}"
        fit_parser(
            folder,
            faces=faces.labelled,
            tuning=faces.tuning,
            parser=parser,
            training=training,
            compute=compute,
            record={"arm": arm},
            additions=_added(arm, addition(), config.share),
            label=label,
        )
    found = load_parser(folder / WEIGHTS, compute)
    return _score(folder, arm, seed, found, faces, {**to_dict(training), "share": 0.0 if arm == NOTHING else config.share})


def _go_on(
    folder: Path,
    arm: str,
    seed: int,
    faces: Faces,
    addition: Callable[[], LabelledFaces | None],
    began: Path,
    config: WorthConfig,
    compute: Compute,
) -> dict[str, Any]:
    """The parser without additions, trained on with one, and its scores."""
    short = Short()
    training = replace(
        config.training(arm, seed),
        images=short.images,
        learning_rate=short.learning_rate,
    )
    parser = load_parser(began, compute)
    network = parser.network.requires_grad_(True)
    weights = class_weights(faces.labelled, training.balance).to(compute.device)
    train = ParserStep(network, parser.config, training, weights, compute)
    batches = MixedBatches(faces.labelled, _added(arm, addition(), short.share), training, device=compute.device)
    with Progress(f"{arm}, seed {seed}, short", short.images) as progress:
        for step in range(training.steps):
            falling = 0.5 + 0.5 * math.cos(math.pi * step / training.steps)
            batch = batches.get(step)
            train(batch.images, batch.labels, rate=falling * training.rate(step))
            progress.update(min((step + 1) * training.batch, short.images))
    trained = replace(parser, network=network.eval())
    return _score(folder, arm, seed, trained, faces, {**to_dict(training), "share": 0.0 if arm == NOTHING else short.share})


def _added(arm: str, faces: LabelledFaces | None, share: float) -> list[Addition]:
    return [] if faces is None else [Addition(arm, faces, share)]


def report_name(config: WorthConfig, generator: Generator) -> str:
    """Name of a generator's report, without its ending."""
    return f"worth-{'short-' if config.short else ''}{generator.hash[:8]}"


def _score(folder: Path, arm: str, seed: int, trained: Parser, faces: Faces, training: dict[str, Any]) -> dict[str, Any]:
    """A cell's result; each scored face's confusion matrix goes to :data:`CONFUSIONS`."""
    matrices = {}
    for part, some in faces.scored.items():
        predicted = predict_labels(trained, some.images, batch=64)
        matrices[part] = np.stack(
            [confusion(a, b, classes=len(some.scheme)) for a, b in zip(predicted, some.labels, strict=True)]
        )
    small: dict[str, Any] = {part: m.astype(np.int32) for part, m in matrices.items()}
    with atomic_file(folder / CONFUSIONS) as path, open(path, "wb") as handle:
        np.savez_compressed(handle, **small)
    scored = {part: scores(m.sum(axis=0), faces.labelled.scheme) for part, m in matrices.items()}
    return {"arm": arm, "seed": seed, "folder": folder.name, "training": training, **scored}


def _summary(cell: dict[str, Any]) -> str:
    found = ", ".join(f"{part} {cell[part]['mean_f1']:.4f}" for part in ("testing", "further") if part in cell)
    return f"{cell['arm']}, seed {cell['seed']}: mean F1 {found}"


def table(results: dict[str, Any]) -> str:
    """Scores, gains and worth as Markdown."""
    parts = [part for part in results["worth"] if part != "all"]
    lines = [
        f"| added to {results['faces']['labelled']} labelled | "
        + " | ".join(f"mean F1, {part}, %" for part in parts)
        + " | gain, all scored faces | worth |",
        "|---" * (len(parts) + 3) + "|",
    ]
    for arm in ARMS:
        cells = [cell for cell in results["cells"] if cell["arm"] == arm]
        values = [[100 * cell[part]["mean_f1"] for cell in cells] for part in parts]
        scored = [f"{np.mean(v):.2f}" + (f" +- {np.std(v, ddof=1):.2f}" if len(v) > 1 else "") for v in values]
        found = results["worth"]["all"].get(arm, {})
        gain, share = _interval(found.get("gain"), 1.0, "{:+.2f}"), _interval(found.get("worth"), 100.0, "{:.0f}")
        lines.append(f"| {arm} | " + " | ".join([*scored, gain, f"{share} %" if share else ""]) + " |")
    return "\n".join(lines) + "\n"


def _interval(entry: dict[str, float | None] | None, factor: float, form: str) -> str:
    if entry is None or None in entry.values():
        return ""
    value, low, high = (form.format(factor * (entry[key] or 0.0)) for key in ("value", "low", "high"))
    return f"{value} [{low}, {high}]"


def _sheet(unused: LabelledFaces, added: dict[str, LabelledFaces]) -> npt.NDArray[np.uint8]:
    """Masks, their photos, and what the generator makes of them."""
    shown = np.unique(np.linspace(0, len(unused) - 1, 12).round().astype(np.int64))
    per_mask = len(added[TRANSFERRED]) // len(unused)
    rows = [("mask", list(unused.scheme.colour(unused.labels[shown])))]
    rows += [(name, list(added[name].images[shown])) for name in (PHOTOS, RECONSTRUCTED, RETURNED)]
    rows += [(f"{TRANSFERRED} {k + 1}", list(added[TRANSFERRED].images[shown * per_mask + k])) for k in range(min(per_mask, 3))]
    return grid(rows)
