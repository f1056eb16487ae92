"""What edits do: is the new mask in the picture, does a transferred component have its source's look, what else changes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from faceaug.arrays import ByteArray
from faceaug.config import check, to_dict
from faceaug.edit.editor import TRANSFERABLE, Edited, Editor
from faceaug.edit.face import PhotoFace, doubt
from faceaug.edit.operations import OPERATIONS
from faceaug.edit.picture import Picture
from faceaug.errors import ConfigError, NothingLeft
from faceaug.evaluate.fidelity import crops, mean_colours
from faceaug.files import write_json, write_text
from faceaug.gan.components import COMPONENTS, Component
from faceaug.gan.config import TEMPLATE_SIZE
from faceaug.images import write_png
from faceaug.labels import IGNORE, check_schemes
from faceaug.parser.metrics import confusion
from faceaug.parser.photos import predict
from faceaug.parser.predict import Parser, predict_labels
from faceaug.pictures import grid
from faceaug.prepare.faces import LabelledFaces
from faceaug.prepare.photos import Face
from faceaug.progress import Progress, say
from faceaug.runs.folder import claim

from .resampling import Resamples, interval, measured

RESULTS, TABLE, PICTURE = "editing.json", "editing.md", "editing.png"
_SHOWN = 6

Features = Callable[..., npt.NDArray[np.float32]]

MEASURED = {
    name: Component(
        name,
        tuple(part for one in COMPONENTS if one.name in members for part in one.labels),
        TEMPLATE_SIZE,
        TEMPLATE_SIZE,
    )
    for name, members in TRANSFERABLE.items()
}
"""What can be transferred, as components whose colours and features are measured: the whole face with all else grey."""


@dataclass(frozen=True)
class EditingConfig:
    """What is measured."""

    faces: int = 200
    """Faces that each operation changes, and pairs of each transfer."""
    rounds: int = 1_000
    """Bootstrap resamples of the intervals, over faces or pairs."""
    seed: int = 0
    """Of the pairs."""

    def __post_init__(self) -> None:
        check(
            {
                f"--count {self.faces}: must be 2 or more": self.faces < 2,
                f"--rounds {self.rounds}: must be 10 or more": self.rounds < 10,
            }
        )


def bench_editing(
    run: Path,
    editor: Editor,
    judge: Parser,
    faces: LabelledFaces,
    features: Features,
    config: EditingConfig,
    *,
    record: dict[str, Any],
) -> dict[str, Any]:
    """Edit held-out faces in every way and measure the results.

    Masks are those that the editor's parser predicts, as for users' photos; the judge is another parser.

    Args:
        run: gets ``editing.json``, ``editing.md`` and ``editing.png``.
        editor: with trained weights.
        judge: labels edited faces.
        faces: aligned faces that nothing was trained on, of the editor's size.
        features: pictures ``(N, S, S, 3)`` to ``(N, D)``.
        config: what is measured.
        record: what else to keep.

    Returns:
        What ``editing.json`` holds.

    Raises:
        CheckpointMismatch: schemes differ.
        ConfigError: sizes differ.
        NothingLeft: fewer than two faces can be parsed reliably.
        OutputError: something cannot be written.
    """
    check_schemes("bench-editing", editor=editor.scheme, judge=judge.config.scheme)
    if faces.size != editor.size:
        raise ConfigError(f"{faces.title}: {faces.size} px, the generator {editor.size} px; they must be of one size")
    about = {"editing": to_dict(config), "generator": editor.generator.hash, "parser": editor.parser.hash, "judge": judge.hash}
    claim(run, {**about, "faces": faces.about(), **record})
    people, left_out = _people(editor, faces, config.faces)
    operations, shown = _operations(editor, judge, people, config)
    transfers, pairs = _transfers(editor, people, features, config)
    results = {
        **about,
        **record,
        "data": faces.title,
        "faces": len(people),
        "left out": left_out,
        "operations": operations,
        "transfers": transfers,
    }
    write_json(run / RESULTS, results)
    write_text(run / TABLE, table(results))
    write_png(run / PICTURE, _picture(people, {**shown, **pairs}))
    return results


def _people(editor: Editor, faces: LabelledFaces, count: int) -> tuple[list[PhotoFace], int]:
    """The first faces that can be parsed reliably, as photos that are their own crops, and how many before them cannot."""
    found: list[PhotoFace] = []
    nowhere, itself = np.full((5, 2), np.nan), np.eye(2, 3)
    for row in range(len(faces)):
        image = faces.images[row]
        labels, sure = predict(editor.parser, image[None])
        if not doubt(labels[0], float(sure[0]), editor.scheme):
            place = Face(nowhere, itself, None, None)
            found.append(PhotoFace(faces.names[row], Picture(image), place, image, labels[0], editor.scheme, float(sure[0])))
        if len(found) == count:
            return found, row + 1 - count
    if len(found) < 2:
        raise NothingLeft(f"{faces.title}: {len(found)} of {len(faces)} faces can be parsed reliably; train the parser longer")
    return found, len(faces) - len(found)


def _operations(
    editor: Editor, judge: Parser, people: Sequence[PhotoFace], config: EditingConfig
) -> tuple[dict[str, Any], dict[str, list[Edited]]]:
    """For each operation how well the judge finds the new mask before and after, and the first edits."""
    found: dict[str, Any] = {}
    shown: dict[str, list[Edited]] = {}
    with Progress("operations", len(OPERATIONS) * len(people), unit="edits") as progress:
        for number, name in enumerate(OPERATIONS):
            edits = []
            for row, face in enumerate(people):
                try:
                    edits.append(editor.edit(face, name))
                except ConfigError:  # this face lacks the part
                    continue
                finally:
                    progress.update(number * len(people) + row + 1)
            found[name] = _judged(judge, edits, config) if edits else {"faces": 0}
            shown |= {name: edits[:_SHOWN]} if edits else {}
    return found, shown


def _judged(judge: Parser, edits: Sequence[Edited], config: EditingConfig) -> dict[str, Any]:
    """Mean F1, over the classes that an operation changes, of the judge's label maps."""
    old, new = (np.stack(maps) for maps in zip(*((one.face.labels, one.labels) for one in edits), strict=True))
    changed = (old != new) & (new != IGNORE)
    classes = sorted({int(label) for label in np.concatenate([old[changed], new[changed]])} - {0, IGNORE})
    before = predict_labels(judge, np.stack([one.face.image for one in edits]), batch=64)
    after = predict_labels(judge, np.stack([one.pixels for one in edits]), batch=64)
    resamples = Resamples.draw(1, len(edits), config.rounds)
    scheme = edits[0].face.scheme

    def score(predicted: ByteArray, wanted: ByteArray) -> npt.NDArray[np.float64]:
        pairs = zip(predicted, wanted, strict=True)
        matrices = np.stack([confusion(a, b, classes=len(scheme)) for a, b in pairs])[None]
        values = measured(matrices, resamples, scheme)
        found: npt.NDArray[np.float64] = np.nanmean([values[f"f1 {scheme.classes[label]}"] for label in classes], axis=0)
        return found

    was, now = score(before, new), score(after, new)
    return {
        "faces": len(edits),
        "classes": [scheme.classes[label] for label in classes],
        "before": interval(was),
        "after": interval(now),
        "gain": interval(now - was),
        "own mask, unedited": interval(score(before, old)),
        "outside": _outside(edits),
    }


def _outside(edits: Sequence[Edited]) -> int:
    """Pixels that differ from the photo's although they are not in the region that is replaced."""
    return int(sum(((one.pixels != one.face.picture.pixels).any(-1) & ~one.region).sum() for one in edits))


def _transfers(
    editor: Editor, people: Sequence[PhotoFace], features: Features, config: EditingConfig
) -> tuple[dict[str, Any], dict[str, list[Edited]]]:
    """For each component its distance to the source's before and after, how far all others move, and the first transfers."""
    found: dict[str, Any] = {}
    shown: dict[str, list[Edited]] = {}
    rng = np.random.default_rng(config.seed)
    others = (np.arange(len(people)) + rng.integers(1, len(people), len(people))) % len(people)
    with Progress("transfers", len(MEASURED) * len(people), unit="edits") as progress:
        for number, name in enumerate(MEASURED):
            edits = []
            for row, face in enumerate(people):
                try:
                    edits.append(editor.transfer(face, people[int(others[row])], name))
                except ConfigError:  # one of the two lacks the component
                    continue
                finally:
                    progress.update(number * len(people) + row + 1)
            if edits:
                found[name], shown[f"{name} of another"] = _compared(name, edits, features, config), edits[:_SHOWN]
    return found, shown


def _compared(name: str, edits: Sequence[Edited], features: Features, config: EditingConfig) -> dict[str, Any]:
    """Distances in colour (CIELAB) and features of one transfer's faces."""
    resamples = Resamples.draw(1, len(edits), config.rounds)
    images = {
        "target": np.stack([one.face.image for one in edits]),
        "source": np.stack([one.other.image for one in edits if one.other is not None]),
        "edited": np.stack([one.pixels for one in edits]),
    }
    masks = np.stack([one.face.scheme.anatomy(one.face.labels) for one in edits])
    theirs = np.stack([one.other.scheme.anatomy(one.other.labels) for one in edits if one.other is not None])
    result: dict[str, Any] = {"pairs": len(edits), "outside": _outside(edits)}
    for other, component in MEASURED.items():
        told: dict[str, Any] = {}
        for kind, measure in (("colour", mean_colours), ("features", lambda *args: features(crops(*args)))):
            target, source, edited = (
                measure(images[of], maps, component) for of, maps in (("target", masks), ("source", theirs), ("edited", masks))
            )
            if other == name:
                was, now = (np.linalg.norm(one - source, axis=1) for one in (target, edited))
                told[kind] = {
                    "before": _mean(was, resamples), "after": _mean(now, resamples), "change": _mean(now - was, resamples)
                }  # fmt: skip
            else:
                told[kind] = {"moved": _mean(np.linalg.norm(edited - target, axis=1), resamples)}
        result[other] = told
    return result


def _mean(values: npt.NDArray[Any], resamples: Resamples) -> dict[str, float | None]:
    """The mean of each pair's value, with an interval; pairs without one do not count."""
    known = np.isfinite(values)
    weights = resamples.faces * known
    return interval(weights @ np.where(known, values, 0.0) / np.maximum(weights.sum(1), 1))


def table(results: Mapping[str, Any]) -> str:
    """All measures as Markdown."""

    def told(entry: Mapping[str, Any], form: str = "{:.1f}") -> str:
        if None in entry.values():
            return ""
        return "{} [{}, {}]".format(*(form.format(entry[key]) for key in ("value", "low", "high")))

    lines = ["| operation | faces | classes | new mask, photo | new mask, edited | gain | own mask, photo |", "|---" * 7 + "|"]
    for name, entry in results["operations"].items():
        if not entry["faces"]:
            lines.append(f"| {name} | 0 |" + " |" * 5)
            continue
        cells = [told(entry[key]) for key in ("before", "after")]
        lines.append(
            f"| {name} | {entry['faces']} | {', '.join(entry['classes'])} | {' | '.join(cells)} | "
            f"{told(entry['gain'], '{:+.1f}')} | {told(entry['own mask, unedited'])} |"
        )
    lines += ["", "| transferred | pairs | measured | colour, before | after | features, before | after |", "|---" * 7 + "|"]
    for name, entry in results["transfers"].items():
        for other in MEASURED:
            if other not in entry:
                continue
            row = entry[other]
            if other == name:
                cells = [told(row[kind][key], "{:.2f}") for kind in ("colour", "features") for key in ("before", "after")]
            else:
                cells = [cell for kind in ("colour", "features") for cell in ("", told(row[kind]["moved"], "{:.2f}"))]
            what = "to the source's" if other == name else "to its own before"
            lines.append(f"| {name} | {entry['pairs']} | {other}, {what} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _picture(people: Sequence[PhotoFace], shown: Mapping[str, Sequence[Edited]]) -> ByteArray:
    rows: list[tuple[str, list[ByteArray]]] = []
    for name, edits in shown.items():
        cells = []
        for one in edits:
            cells += [one.face.image, one.other.image if one.other else one.face.scheme.colour(one.labels), one.pixels]
        rows.append((name, cells))
    if not rows:
        say("nothing was edited")
        rows = [("faces", [face.image for face in people[:_SHOWN]])]
    return grid(rows)
