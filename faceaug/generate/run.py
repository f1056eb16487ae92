"""A generation run: plan, generate shard by shard, filter, count, show."""

from __future__ import annotations

import contextlib
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from faceaug.arrays import ByteArray
from faceaug.config import check, to_dict
from faceaug.errors import CheckpointMismatch, NothingLeft
from faceaug.files import read_json, write_json
from faceaug.gan.batches import mirror_rows
from faceaug.gan.inference import Generator
from faceaug.gan.network import Look
from faceaug.generate.agreement import agreement
from faceaug.generate.gender import GenderClassifier, fit_gender
from faceaug.generate.pairing import Plan, check_gender_mode, plan_pairs
from faceaug.images import write_png
from faceaug.labels import IGNORE, check_schemes
from faceaug.parser.predict import Parser, predict_against
from faceaug.pictures import grid
from faceaug.prepare.faces import LabelledFaces
from faceaug.prepare.likeness import CANDIDATES
from faceaug.pretrained import ImageFeatures
from faceaug.progress import Progress, say
from faceaug.runs.folder import claim
from faceaug.shards.index import COMPLETE, common_facts, read_index
from faceaug.shards.reader import ShardReader
from faceaug.shards.verify import verify
from faceaug.shards.writer import shard_name, write_shard


@dataclass(frozen=True)
class GenerateConfig:
    """What is generated."""

    per_mask: int = 2
    """Different sources for every target mask."""
    gender: str = "consistent"
    """``consistent``: sources of the target's gender; ``filter``: any source, generated faces of another gender than the target's
    are dropped (the paper's way); ``any``."""
    candidates: int = CANDIDATES
    """Photos drawn for each row, of which the one most like the target in shape is its source; 1 takes any, as the paper does."""
    min_agreement: float = 0.0
    """Generated faces whose agreement with their mask is lower are dropped."""
    min_confidence: float = 0.0
    """Pixels whose class the parser finds less likely than this become unknown (255): something else was generated there."""
    rows_per_shard: int = 500
    """Planned rows of a shard, before filters."""
    seed: int = 0
    """Of the pairing and of the gender classifier's split."""

    def __post_init__(self) -> None:
        check_gender_mode(self.gender)
        check(
            {
                f"--per-mask {self.per_mask}: must be 1 or more": self.per_mask < 1,
                f"--candidates {self.candidates}: must be 1 or more": self.candidates < 1,
                f"--min-agreement {self.min_agreement}: must be within 0..1": not 0 <= self.min_agreement <= 1,
                f"--min-confidence {self.min_confidence}: must be at least 0 and below 1": not 0 <= self.min_confidence < 1,
                f"--rows-per-shard {self.rows_per_shard}: must be 1 or more": self.rows_per_shard < 1,
            }
        )


def generate(
    run: Path,
    *,
    targets: LabelledFaces,
    sources: LabelledFaces,
    generator: Generator,
    parser: Parser,
    config: GenerateConfig,
    batch: int = 32,
) -> dict[str, Any]:
    """Generate labelled faces into shards, or go on at the first shard that is missing.

    Args:
        run: the set's folder; gets ``config.json``, ``gender.json``, shards, ``faces.png`` and, last, ``complete.json``.
        targets: labelled faces: whose masks and backgrounds are used.
        sources: photos, with labels for the generator to cut components by.
        generator: with trained weights.
        parser: predicts label maps of the generated faces.
        config: what to generate.
        batch: faces at once; changes nothing in the result.

    Returns:
        What ``complete.json`` holds: shards, rows, counts of what was dropped and why, agreement, gender accuracy.

    Raises:
        CheckpointMismatch: the folder holds another set.
        ConfigError: the pairing is impossible.
        NothingLeft: the filters dropped every face.
        OutputError: the folder cannot be written.
    """
    if not targets.size == sources.size == generator.config.size:
        raise CheckpointMismatch(
            f"generator: generates {generator.config.size} px, targets are {targets.size} and sources {sources.size} px"
        )
    check_schemes("generate", targets=targets.scheme, generator=generator.config.scheme, parser=parser.config.scheme)
    record = {
        "generate": to_dict(config),
        "generator": generator.hash,
        "parser": parser.hash,
        "targets": targets.about(),
        "sources": sources.about(),
        "size": targets.size,
    }
    claim(run, record)
    if (run / COMPLETE).is_file() and not _broken_up(run):
        say(f"generate: already finished: {run}")
        return read_index(run)
    gender, target_male, report = _genders(run, targets, sources, config, parser)
    plan = plan_pairs(
        targets,
        sources,
        per_mask=config.per_mask,
        mode=config.gender,
        seed=config.seed,
        candidates=config.candidates,
        target_male=target_male,
    )
    generation = _Generation(targets, sources, target_male, generator, parser, gender, config, batch)

    count = -(-len(plan) // config.rows_per_shard)
    dropped: Counter[str] = Counter(plan.dropped)
    shards: list[dict[str, Any]] = []
    unknown = 0
    with Progress("generate", len(plan), unit="faces") as progress:
        for number in range(count):
            rows = np.arange(number * config.rows_per_shard, min((number + 1) * config.rows_per_shard, len(plan)))
            path = run / shard_name(number)
            tally = run / f"{shard_name(number)}.json"
            if not (path.is_file() and tally.is_file()):
                images, labels, columns, lost = generation.generate(plan, rows, progress)
                tally.unlink(missing_ok=True)  # of a shard that is gone
                entry = write_shard(
                    path, images, labels, columns, number=number, scheme=targets.scheme, generator=generator.hash, config=record
                )
                write_json(tally, {**entry, "dropped": lost, "unknown": int((labels == IGNORE).sum())})
            known = read_json(tally, "rows", "dropped", "unknown", advice="delete it to generate its shard again")
            dropped.update(known["dropped"])
            unknown += known["unknown"]
            shards.append({"file": path.name, **known})
            progress.update(int(rows[-1]) + 1)
    total = sum(shard["rows"] for shard in shards)
    if not total:
        _discard(run)
        raise NothingLeft(
            f"generate: the filters dropped all {len(plan)} faces ({_told(dropped)}); lower --min-agreement, or use --gender any"
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
        "unknown_pixels": round(unknown / (total * targets.size**2), 4),
        "shards": shards,
    }
    write_png(run / "faces.png", contact_sheet(reader, targets, sources))
    reader.close()
    write_json(run / COMPLETE, summary)
    for number in range(count):
        (run / f"{shard_name(number)}.json").unlink(missing_ok=True)
    say(f"generate: {total:,} faces; dropped: {_told(dropped)}")
    return summary


def _broken_up(run: Path) -> bool:
    """Whether a finished set has shards that are not as they were written; then it is as if they had never been.

    The index becomes the tallies of the shards that are right, so that only the others are generated again.
    """
    bad = verify(run)
    if not bad:
        return False
    for shard in bad:
        say(f"generate: {shard.path} {shard.reason}; generating it again")
    broken = {shard.path.name for shard in bad}
    for entry in read_index(run)["shards"]:
        if entry["file"] not in broken and "dropped" in entry:
            write_json(run / f"{entry['file']}.json", entry)
        else:
            (run / entry["file"]).unlink(missing_ok=True)
    (run / COMPLETE).unlink()
    return True


def _told(dropped: Counter[str]) -> str:
    return ", ".join(f"{count} {reason}" for reason, count in sorted(dropped.items())) or "none"


def _discard(run: Path) -> None:
    """Remove what a run without faces has written."""
    for pattern in ("shard-*.h5", "shard-*.h5.json", "gender.json", "config.json"):
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
