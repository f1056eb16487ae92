"""A generation run: what it needs is prepared once, processes share its shards, the first to see all of them finished ends it."""

from __future__ import annotations

import contextlib
import shutil
from collections import Counter
from collections.abc import Mapping
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
from faceaug.generate.gender import GenderClassifier, fit_gender
from faceaug.generate.job import Painter, ShardJob
from faceaug.generate.plan import Planner, Shapes
from faceaug.generate.report import write_report
from faceaug.labels import check_schemes
from faceaug.parser.predict import Parser
from faceaug.prepare.faces import LabelledFaces
from faceaug.pretrained import ImageFeatures
from faceaug.progress import Progress, say
from faceaug.runs.folder import claim
from faceaug.shards.index import COMPLETE, common_facts, read_index
from faceaug.shards.reader import ShardReader
from faceaug.shards.verify import verify
from faceaug.shards.writer import shard_name, write_shard

PREPARED, MODEL, PARTS = "prepared.json", "shape-model.safetensors", "parts"


def generate(
    run: Path,
    *,
    targets: LabelledFaces,
    sources: LabelledFaces,
    generator: Generator,
    parser: Parser,
    config: GenerateConfig,
    judge: Parser | None = None,
    batch: int = 32,
    provenance: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Generate labelled faces into shards, or go on with the shards that are missing or damaged.

    Processes that do the same at the same time, on this machine or on others that share the disk, share the shards. A row depends
    on the settings and its number in the plan alone, so they make the set that one process would have made.

    Args:
        run: the set's folder; gets ``config.json``, shards, ``faces.png``, ``report.html``, a card, and, last, ``complete.json``.
        targets: labelled faces: whose masks and backgrounds are used.
        sources: photos, with labels for the generator to cut components by.
        generator: with trained weights.
        parser: that labelled the sources.
        config: what to generate.
        judge: predicts label maps of the generated faces; ``parser`` where None.
        batch: faces at once; changes nothing in the result.
        provenance: where all this came from, for the card and for ``faceaug shards replay``; it may change between runs.

    Returns:
        What ``complete.json`` holds: shards, rows, counts of what was dropped and why, agreement, gender accuracy.

    Raises:
        CheckpointMismatch: the folder holds another set, or sizes or label schemes differ.
        ConfigError: the pairing is impossible, or a filter cannot be used.
        NothingLeft: the filters dropped every face.
        OutputError: the folder cannot be written.
    """
    judge = judge or parser
    check_inputs(targets, sources, generator, judge, config)
    record = {
        "generate": to_dict(config),
        "generator": generator.hash,
        "parser": parser.hash,
        "judge": judge.hash,
        "judge_trained_the_gan": judge.hash == generator.record.get("parser_hash"),
        "targets": targets.about(),
        "sources": sources.about(),
        "size": targets.size,
        **({"provenance": provenance} if provenance else {}),
    }
    claim(run, record, movable=("provenance",))
    with locked(run, ".finish", wait=True):
        if (run / COMPLETE).is_file() and not _broken_up(run):
            say(f"generate: already finished: {run}")
            return read_index(run)
    setting = prepare(run, targets, sources, generator, judge, config, batch)
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
            _finish(run, record, setting, entries, total, targets, sources)
        return read_index(run)


def check_inputs(
    targets: LabelledFaces, sources: LabelledFaces, generator: Generator, judge: Parser, config: GenerateConfig
) -> None:
    """Raise CheckpointMismatch or ConfigError unless these belong together."""
    if not targets.size == sources.size == generator.config.size:
        raise CheckpointMismatch(
            f"generator: generates {generator.config.size} px, targets are {targets.size} and sources {sources.size} px"
        )
    check_schemes("generate", targets=targets.scheme, generator=generator.config.scheme, judge=judge.config.scheme)
    if config.mix != "none" and generator.config.variant != "full":
        raise ConfigError(f"--mix {config.mix}: the generator's variant, {generator.config.variant}, has no components to mix")


@dataclass(frozen=True)
class Setting:
    """What a set's shards are made with.

    Attributes:
        job: makes them.
        classifier: what is known of the gender classifier's errors; None where there is none.
    """

    job: ShardJob
    classifier: dict[str, Any] | None


def prepare(
    run: Path,
    targets: LabelledFaces,
    sources: LabelledFaces,
    generator: Generator,
    judge: Parser,
    config: GenerateConfig,
    batch: int,
) -> Setting:
    """What all shards need; what takes long or may round differently elsewhere is computed by one process and kept in ``run``."""
    with locked(run, ".prepare", wait=True):
        classifier, known = _prepared(run, targets, sources, judge, config)
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
    return Setting(ShardJob(planner, painter, judge, filters, doubt, male), known["classifier"])


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
        index = self.shard.parent / COMPLETE
        if index.is_file():  # another process has finished the set meanwhile, and removed what the jobs left
            entries = {entry["file"]: entry for entry in read_index(index.parent)["shards"]}
            return entries.get(self.shard.name)
        return super().result() if self.shard.is_file() else None


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
        config={key: value for key, value in record.items() if key != "provenance"},
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
    targets: LabelledFaces,
    sources: LabelledFaces,
) -> None:
    """Index, pictures, report and card of a set whose shards are all there; called by one process at a time."""
    dropped = Counter(setting.job.planner.dropped)
    rejected: Counter[str] = Counter()
    for entry in entries:
        dropped.update(entry["dropped"])
        rejected.update(entry["rejected"])
    faces = sum(entry["rows"] for entry in entries)
    if not faces:
        _discard(run)
        raise NothingLeft(
            f"generate: the filters dropped all {planned} faces ({told(dropped)}); use weaker ones, for example a lower "
            f"--min-agreement, or --gender any"
        )
    reader = ShardReader(run, partial=True)
    measured = reader.column("agreement")
    summary = {
        **record,
        **common_facts(targets.size, targets.scheme),
        "faces": total,
        "planned": len(plan),
        "dropped": dict(dropped),
        "gender_classifier": report,
        "agreement": {"mean": round(float(measured.mean()), 4), "p10": round(float(np.quantile(measured, 0.1)), 4)},
        "unknown_pixels": round(sum(entry["unknown"] for entry in entries) / faces, 4),
        "shards": [{key: value for key, value in entry.items() if key != "seconds"} for entry in entries],
    }
    seconds: Counter[str] = Counter()
    for entry in entries:
        seconds.update(entry.get("seconds", {}))
    write_report(run, summary, reader, targets, sources, seconds=dict(seconds), parts=run / PARTS)
    reader.close()
    write_json(run / COMPLETE, summary)
    write_card(run)
    shutil.rmtree(run / PARTS, ignore_errors=True)
    say(f"generate: {faces:,} faces; dropped: {told(dropped)}")


def _broken_up(run: Path) -> bool:
    """Whether a finished set has shards that are not as they were written; then it is as if they had never been.

    The index becomes the results of the jobs whose shards are right, so that only the others are generated again.
    """
    bad = verify(run)
    if not bad:
        return False
    for shard in bad:
        say(f"generate: {shard.path} {shard.reason}; generating it again")
    broken = {shard.path.name for shard in bad}
    for entry in read_index(run)["shards"]:
        if entry["file"] not in broken and "rejected" in entry:
            write_json(run / PARTS / Path(entry["file"]).stem / DONE, entry)
        else:
            (run / entry["file"]).unlink(missing_ok=True)
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


def _genders(
    run: Path, targets: LabelledFaces, sources: LabelledFaces, config: GenerateConfig, parser: Parser
) -> tuple[GenderClassifier | None, npt.NDArray[np.int64], dict[str, Any] | None]:
    """The targets' genders: as known, else classified; kept in ``gender.json`` for a resumed run."""
    if config.gender == "any":
        return None, targets.male, None
    path = run / "gender.json"
    if path.is_file() and config.gender == "consistent":
        stored = read_json(path, "target_male", "classifier", advice="delete it to classify anew")
        return None, np.array(stored["target_male"], dtype=np.int64), stored["classifier"]
    classifier = fit_gender(sources, ImageFeatures(parser.compute), seed=config.seed)
    found = classifier.male(targets.images, label="gender of targets")
    male = np.where(targets.male >= 0, targets.male, found)
    report = {"held_out_accuracy": classifier.accuracy, "held_out_photos": classifier.held_out}
    say(
        f"gender: {classifier.accuracy:.1%} right on {classifier.held_out} held-out source photos; targets: "
        f"{int((male == 1).sum())} male, {int((male == 0).sum())} female"
    )
    write_json(path, {"classifier": report, "target_male": male.tolist()})
    return classifier, male, report


class _Generation:
    """Generates planned rows; every source is encoded once and its look kept."""

    def __init__(
        self,
        targets: LabelledFaces,
        sources: LabelledFaces,
        target_male: npt.NDArray[np.int64],
        generator: Generator,
        parser: Parser,
        gender: GenderClassifier | None,
        config: GenerateConfig,
        batch: int,
    ) -> None:
        self.targets, self.sources, self.target_male = targets, sources, target_male
        self.generator, self.parser, self.gender, self.config, self.batch = generator, parser, gender, config, batch
        self.looks: dict[tuple[int, bool], Look] = {}

    def _encode(self, source: npt.NDArray[np.int64], mirrored: npt.NDArray[np.bool_]) -> Look:
        scheme = self.sources.scheme
        wanted = list(zip(source.tolist(), mirrored.tolist(), strict=True))
        new = sorted(set(wanted) - self.looks.keys())
        for start in range(0, len(new), self.batch):
            rows, turned = (np.array(column) for column in zip(*new[start : start + self.batch], strict=True))
            look = self.generator.encode(
                *mirror_rows(self.sources.images[rows], self.sources.labels[rows], turned, scheme), scheme
            )
            self.looks.update({key: look[i : i + 1] for i, key in enumerate(new[start : start + self.batch])})
        return Look.join([self.looks[key] for key in wanted])

    def generate(
        self, plan: Plan, rows: npt.NDArray[np.int64], progress: Progress
    ) -> tuple[ByteArray, ByteArray, dict[str, Any], dict[str, int]]:
        """Images, labels, columns and counts of what was dropped, of the planned ``rows``."""
        look = self._encode(plan.source[rows], plan.mirrored[rows])
        target, source = plan.target[rows], plan.source[rows]
        labels = self.targets.labels[target]
        generated, read, likely = [], [], []
        for start in range(0, len(rows), self.batch):
            some = slice(start, start + self.batch)
            generated.append(self.generator.generate(look[some], self.targets.images[target[some]], labels[some]))
            found, probability = predict_against(self.parser, generated[-1], labels[some])
            read.append(found)
            likely.append(probability)
            progress.update(int(rows[start]))
        images = np.concatenate(generated)
        fits = agreement(np.concatenate(read), labels)
        labels = np.where(np.concatenate(likely) < self.config.min_confidence, IGNORE, labels).astype(np.uint8)
        lost: dict[str, int] = {}
        keep = fits >= self.config.min_agreement
        lost["agreement too low"] = int((~keep).sum())
        if self.config.gender == "filter" and self.gender is not None:
            same = self.gender.male(images) == self.target_male[target]
            lost["generated gender differs from the target's"] = int((keep & ~same).sum())
            keep &= same
        columns = {
            "target": [self.targets.names[i] for i in target[keep]],
            "source": [self.sources.names[i] for i in source[keep]],
            "target_male": self.target_male[target[keep]],
            "source_male": self.sources.male[source[keep]],
            "row": rows[keep],
            "source_mirrored": plan.mirrored[rows[keep]].astype(np.int64),
            "seed": plan.seed[rows[keep]],
            "agreement": fits[keep],
            "params": ["{}"] * int(keep.sum()),
        }
        return images[keep], labels[keep], columns, {reason: n for reason, n in lost.items() if n}


def contact_sheet(reader: ShardReader, targets: LabelledFaces, sources: LabelledFaces, *, columns: int = 12) -> ByteArray:
    """Generated faces between their target, mask and source: two bands of ``columns`` rows, evenly over the set, RGB."""
    chosen = np.unique(np.linspace(0, len(reader) - 1, 2 * columns).round().astype(int))
    target_of = {name: index for index, name in enumerate(targets.names)}
    source_of = {name: index for index, name in enumerate(sources.names)}
    lines: list[tuple[str, list[ByteArray]]] = []
    for start in range(0, len(chosen), columns):
        about = [reader.about(int(index)) for index in chosen[start : start + columns]]
        faces = [reader.face(int(index)) for index in chosen[start : start + columns]]
        lines += [
            ("target", [targets.images[target_of[row["target"]]] for row in about]),
            ("mask", [targets.scheme.colour(labels) for _, labels in faces]),
            ("source", [sources.images[source_of[row["source"]]] for row in about]),
            ("generated", [image for image, _ in faces]),
        ]
    return grid(lines)
