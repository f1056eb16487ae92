"""A generation run: what it needs is prepared once, processes share its shards, the first to see all of them finished ends it."""

from __future__ import annotations

import contextlib
import shutil
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from faceaug.arrays import IntArray
from faceaug.config import to_dict
from faceaug.errors import CheckpointMismatch, ConfigError, NothingLeft
from faceaug.files import atomic_file, locked, read_json, write_json
from faceaug.gan.inference import Generator
from faceaug.generate.balance import mask_weights, shared_out
from faceaug.generate.config import GenerateConfig
from faceaug.generate.filters import Agreement, Doubt, Filter, Gender, NearDuplicates, SameIdentity, class_losses
from faceaug.generate.gender import GenderClassifier, fit_gender, possible
from faceaug.generate.job import Painter, ShardJob
from faceaug.generate.plan import Planner, Shapes
from faceaug.generate.report import write_report
from faceaug.hub import CARD
from faceaug.imagenet import ImageFeatures
from faceaug.labels import check_schemes
from faceaug.parser.predict import Parser
from faceaug.prepare.faces import LabelledFaces
from faceaug.progress import Progress, say
from faceaug.runs.folder import claim
from faceaug.runs.jobs import DONE, Cell, compute_cells
from faceaug.shapes.edits import build_operations, chosen_operations
from faceaug.shapes.model import ShapeModel
from faceaug.shapes.operation import Operation
from faceaug.shards.card import write_card
from faceaug.shards.index import COMPLETE, common_facts, read_index
from faceaug.shards.reader import ShardReader
from faceaug.shards.verify import verify
from faceaug.shards.writer import shard_name, write_shard

_WHERE = ("provenance", "files")
PREPARED, MODEL, PARTS = "prepared.json", "shape-model.safetensors", "parts"


@dataclass(frozen=True)
class Inputs:
    """What a set is generated from.

    Attributes:
        targets: labelled faces: whose masks and backgrounds are used.
        sources: photos, with label maps for the generator to cut components by.
        generator: with trained weights.
        parser: that labelled the sources.
        judge: predicts label maps of the generated faces.

    Raises:
        CheckpointMismatch: sizes or label schemes differ.
    """

    targets: LabelledFaces
    sources: LabelledFaces
    generator: Generator
    parser: Parser
    judge: Parser

    def __post_init__(self) -> None:
        if not self.targets.size == self.sources.size == self.generator.config.size:
            raise CheckpointMismatch(
                f"generator: generates {self.generator.config.size} px, targets are {self.targets.size} and sources "
                f"{self.sources.size} px"
            )
        schemes = {"generator": self.generator.config.scheme, "judge": self.judge.config.scheme}
        check_schemes("generate", targets=self.targets.scheme, **schemes)


def identity(inputs: Inputs) -> dict[str, Any]:
    """What a set's rows depend on, beside the settings."""
    return {
        "generator": inputs.generator.hash,
        "parser": inputs.parser.hash,
        "judge": inputs.judge.hash,
        "targets": inputs.targets.about(),
        "sources": inputs.sources.about(),
    }


def _trained_by(generator: Generator, judge: Parser) -> bool | None:
    """Whether a parser is the generator's P_F, alone or among others; None where its record does not say which that was."""
    known = generator.record.get("parser_hash")
    return None if known is None else known in (judge.hash, *judge.members)


@dataclass(frozen=True)
class Origin:
    """Where a set came from: for its card, and for generating a row again.

    Attributes:
        provenance: for each dataset ``role`` (masks or sources), ``title``, ``count``, ``name`` on the command line, ``licence``.
        files: ``data_root``, ``labelled`` (only the first so many masks, or None), and the weights files ``generator``,
            ``parser`` (a list where several label together) and ``judge``, or None where they follow from the generator.
    """

    provenance: Sequence[Mapping[str, Any]]
    files: Mapping[str, Any]


def generate(
    run: Path,
    inputs: Inputs,
    *,
    config: GenerateConfig,
    batch: int = 32,
    origin: Origin | None = None,
) -> dict[str, Any]:
    """Generate labelled faces into shards, or go on with the shards that are missing or damaged.

    Processes that do the same at the same time, on this machine or on others that share the disk, share the shards. A row depends
    on the settings and its number in the plan alone, so they make the set that one process would have made.

    Args:
        run: the set's folder; gets ``config.json``, shards, pictures, ``report.html``, ``complete.json`` when all are there,
            and a card.
        inputs: what it is generated from.
        config: what to generate.
        batch: faces at once; changes nothing in the result.
        origin: where all this came from; files may lie elsewhere when the run is resumed.

    Returns:
        What ``complete.json`` holds: shards, rows, counts of what was dropped and why, agreement, gender accuracy.

    Raises:
        CheckpointMismatch: the folder holds another set.
        ConfigError: the pairing is impossible, or a filter cannot be used.
        NothingLeft: the filters dropped every face.
        OutputError: the folder cannot be written.
    """
    config = possible(config, inputs.sources)
    record = {
        "generate": to_dict(config),
        **identity(inputs),
        "judge_trained_the_gan": _trained_by(inputs.generator, inputs.judge),
        **({"provenance": list(origin.provenance), "files": dict(origin.files)} if origin else {}),
    }
    claim(run, record, movable=_WHERE)
    if (run / COMPLETE).is_file() and not _broken_up(run):
        _tidy(run)
        say(f"generate: already finished: {run}")
        return read_index(run)
    setting = prepare(run, inputs, config, batch)
    total = len(setting.job.planner)
    count = -(-total // config.rows_per_shard)
    with Progress("generate", total, unit="faces") as progress:
        cells: list[Cell] = []
        for number in range(count):
            rows = number * config.rows_per_shard, min((number + 1) * config.rows_per_shard, total)
            folder = run / PARTS / Path(shard_name(number)).stem
            compute = partial(_compute, run, number, rows, setting.job, record, progress)
            cells.append(_ShardCell(folder, compute, lambda result: "", run / shard_name(number)))
        entries = compute_cells(cells)
        progress.update(total)
    with locked(run, ".finish", wait=True):
        if not (run / COMPLETE).is_file():  # another process may have been first
            _finish(run, record, setting, entries, total)
        return read_index(run)


@dataclass(frozen=True)
class Setting:
    """What a set's shards are made with.

    Attributes:
        job: makes them.
        classifier: what is known of the gender classifier's errors; None where there is none.
    """

    job: ShardJob
    classifier: dict[str, Any] | None


def prepare(run: Path, inputs: Inputs, config: GenerateConfig, batch: int) -> Setting:
    """What all shards need; what takes long or may round differently elsewhere is computed by one process and kept in ``run``.

    Raises:
        ConfigError: the generator has no components to mix, or as :func:`generate`.
    """
    generator, targets, sources = inputs.generator, inputs.targets, inputs.sources
    if config.mix != "none" and generator.config.variant != "full":
        raise ConfigError(f"--mix {config.mix}: the generator's variant, {generator.config.variant}, has no components to mix")
    made = [PREPARED, MODEL] if ShapeModel.name in chosen_operations(config.shapes) else [PREPARED]
    there = all((run / name).is_file() for name in made)  # a row of a set on a read-only disk can be generated again
    with contextlib.nullcontext() if there else locked(run, ".prepare", wait=True):
        classifier, known = _prepared(run, targets, sources, inputs.judge, config)
        operations = _operations(run, targets, config)
    male = np.array(known["target_male"], dtype=np.int64)
    planner = Planner(
        targets,
        sources,
        copies=np.array(known["copies"], dtype=np.int64),
        mode=config.gender,
        mix=config.mix,
        seed=config.seed,
        candidates=config.candidates,
        target_male=male,
        shapes=Shapes(operations, config.shape_share, config.shape_strength),
        device=generator.compute.device,
    )
    filters: list[Filter] = [Agreement(config.min_agreement)] if config.min_agreement else []
    filters += [Gender(classifier)] if classifier is not None else []
    filters += [NearDuplicates(config.min_difference, [targets, sources])] if config.min_difference else []
    filters += [SameIdentity(config.min_identity_distance, sources)] if config.min_identity_distance else []
    losses = known["class_losses"]
    doubt = Doubt(
        config.min_confidence,
        None if losses is None else config.max_doubt * np.array([np.inf if one is None else one for one in losses]),
    )
    painter = Painter(targets, sources, generator, operations, batch)
    return Setting(ShardJob(planner, painter, inputs.judge, filters, doubt, male), known["classifier"])


def _prepared(
    run: Path, targets: LabelledFaces, sources: LabelledFaces, judge: Parser, config: GenerateConfig
) -> tuple[GenderClassifier | None, dict[str, Any]]:
    """The classifier, where faces are filtered by it, and what is known of the targets, kept in ``prepared.json``."""
    path = run / PREPARED
    keys = ("target_male", "classifier", "copies", "class_losses")
    known = read_json(path, *keys, advice="delete it to prepare the set anew") if path.is_file() else None
    classifier = None
    if config.gender == "filter" or (config.gender == "consistent" and known is None):
        classifier = fit_gender(sources, ImageFeatures(judge.compute), seed=config.seed)
    if known is None:
        male, report = _genders(classifier, targets)
        total = config.total or config.per_mask * len(targets)
        losses = class_losses(judge, targets) if config.max_doubt else None
        known = {
            "classifier": report,
            "target_male": male.tolist(),
            "copies": shared_out(total, mask_weights(targets, config.balance, judge)).tolist(),
            "class_losses": None if losses is None else [round(float(x), 6) if np.isfinite(x) else None for x in losses],
        }
        write_json(path, known)
    return classifier if config.gender == "filter" else None, known


def _genders(classifier: GenderClassifier | None, targets: LabelledFaces) -> tuple[IntArray, dict[str, Any] | None]:
    """The targets' genders, as known, else classified."""
    if classifier is None:
        return targets.male, None
    found = classifier.male(targets.images, label="gender of targets")
    male = np.where(targets.male >= 0, targets.male, found)
    report = {"held_out_accuracy": classifier.accuracy, "held_out_photos": classifier.held_out}
    say(
        f"gender: {classifier.accuracy:.1%} right on {classifier.held_out} held-out source photos; targets: "
        f"{int((male == 1).sum())} male, {int((male == 0).sum())} female"
    )
    return male, report


def _operations(run: Path, targets: LabelledFaces, config: GenerateConfig) -> dict[str, Operation]:
    """Changes of shape; the shape model is fitted once, because another machine's would round differently."""
    names = chosen_operations(config.shapes)
    model = None
    if ShapeModel.name in names:
        if not (run / MODEL).is_file():
            ShapeModel.fit(targets).save(run / MODEL)
        model = ShapeModel.load(run / MODEL)
    return build_operations(names, targets, model)


@dataclass(frozen=True)
class _ShardCell(Cell):
    """A shard as a job: finished where its file is there, too."""

    shard: Path

    def result(self) -> dict[str, Any] | None:
        if not (self.shard.parent / COMPLETE).is_file():
            try:
                return super().result() if self.shard.is_file() else None
            except CheckpointMismatch:
                if not (self.shard.parent / COMPLETE).is_file():
                    raise
        # Another process has finished the set meanwhile, and removed what the jobs left.
        entries = {entry["file"]: entry for entry in read_index(self.shard.parent)["shards"]}
        return entries.get(self.shard.name)


def _compute(
    run: Path, number: int, rows: tuple[int, int], job: ShardJob, record: dict[str, Any], progress: Progress
) -> dict[str, Any]:
    made = job.make(*rows, done=progress.update)
    entry = write_shard(
        run / shard_name(number),
        made.images,
        made.labels,
        made.columns,
        number=number,
        scheme=job.painter.targets.scheme,
        generator=record["generator"],
        config={key: value for key, value in record.items() if key not in _WHERE},
    )
    if made.shown:
        folder = run / PARTS / Path(shard_name(number)).stem
        with atomic_file(folder / "dropped.npz") as part, open(part, "wb") as file:
            np.savez(file, **made.shown)  # type: ignore[arg-type]
    unknown = round(float(made.columns["unknown"].sum()), 4)
    return {**entry, "dropped": made.dropped, "rejected": made.rejected, "unknown": unknown, "seconds": made.seconds}


def _finish(
    run: Path,
    record: dict[str, Any],
    setting: Setting,
    entries: list[dict[str, Any]],
    planned: int,
) -> None:
    """Index, pictures, report and card of a set whose shards are all there; called by one process at a time."""
    targets, sources = setting.job.painter.targets, setting.job.painter.sources
    dropped = Counter(setting.job.planner.dropped)
    rejected: Counter[str] = Counter()
    for entry in entries:
        dropped.update(entry["dropped"])
        rejected.update(entry["rejected"])
    faces = sum(entry["rows"] for entry in entries)
    if not faces:
        _discard(run)
        raise NothingLeft(
            f"generate: the filters dropped all {planned} faces ({told(dropped)}); use weaker ones: lower --min-... "
            f"options, or --gender any"
        )
    reader = ShardReader(run, partial=True)
    measured = reader.column("agreement")
    summary = {
        **record,
        **common_facts(targets.size, targets.scheme),
        "faces": faces,
        "planned": planned,
        "dropped": dict(sorted(dropped.items())),
        "rejected_shapes": dict(sorted(rejected.items())),
        "gender_classifier": setting.classifier,
        "agreement": {"mean": round(float(measured.mean()), 4), "p10": round(float(np.quantile(measured, 0.1)), 4)},
        "trained_on": setting.job.painter.generator.trained_on,
        "unknown_pixels": round(sum(entry["unknown"] for entry in entries) / faces, 4),
        "shards": [{key: value for key, value in entry.items() if key != "seconds"} for entry in entries],
    }
    seconds: Counter[str] = Counter()
    for entry in entries:
        seconds.update(entry.get("seconds", {}))
    operations = setting.job.painter.operations
    write_report(run, summary, reader, targets, sources, seconds=dict(seconds), parts=run / PARTS, operations=operations)
    reader.close()
    write_json(run / COMPLETE, summary)
    _tidy(run)
    say(f"generate: {faces:,} faces; dropped: {told(dropped)}")


def _tidy(run: Path) -> None:
    """What comes after the index, also where a run was killed between the two: the card, and what the jobs left is removed."""
    if not (run / CARD).is_file():
        write_card(run)
    shutil.rmtree(run / PARTS, ignore_errors=True)


def _broken_up(run: Path) -> bool:
    """Whether a finished set has shards that are not as they were written; then it is as if they had never been.

    The index becomes the results of the jobs whose shards are right, so that only the others are generated again.
    """
    if not verify(run):  # nothing is locked or written: a finished set may lie on a disk that is read-only
        return False
    with locked(run, ".finish", wait=True):
        bad = verify(run) if (run / COMPLETE).is_file() else []  # another process may be at it
        for shard in bad:
            say(f"generate: {shard.path} {shard.reason}; generating it again")
        broken = {shard.path.name for shard in bad}
        for entry in read_index(run)["shards"] if bad else []:
            if entry["file"] not in broken and "rejected" in entry:
                write_json(run / PARTS / Path(entry["file"]).stem / DONE, entry)
            else:
                (run / entry["file"]).unlink(missing_ok=True)
        if bad:
            (run / COMPLETE).unlink()
    return True


def told(dropped: Mapping[str, int]) -> str:
    """Counts by reason, in words."""
    return ", ".join(f"{count:,} {reason}" for reason, count in sorted(dropped.items())) or "none"


def _discard(run: Path) -> None:
    """Remove what a run without faces has written."""
    shutil.rmtree(run / PARTS, ignore_errors=True)
    for pattern in ("shard-*.h5", PREPARED, MODEL, "config.json", ".finish", ".prepare"):
        for path in run.glob(pattern):
            path.unlink()
    with contextlib.suppress(OSError):  # the user's own files may be there
        run.rmdir()
