"""The parsing benchmark's report: a sentence, a curve of labels, tables, faces."""

from __future__ import annotations

import math
import platform
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from matplotlib.figure import Figure

from faceaug.files import atomic_file, write_text
from faceaug.images import write_png
from faceaug.page import Section, write_page
from faceaug.parser.metrics import confusion, scores
from faceaug.pictures import grid

from ..resampling import METRICS
from ..tables import markdown_table
from .arms import BUILT_IN, CONTINUE, MIXED, PRETRAIN
from .cell import predictions
from .data import PASSES, SHORTEST, Data
from .sets import Sets

REPORT, TABLE = "report.html", "table.md"
CURVE, TUNING, WORST, ADDITIONS = "labels.png", "tuning.png", "worst.png", "additions.png"

_CHART = (5.8, 4.2)
"""Inches at 110 dots each: as wide as a page shows whole on a phone."""

FLAT = 0.002
"""A tuning curve is flat where its last quarter gains less than this: less than what additions gain.

The curves are of averaged weights at a constant rate (see ParserTraining), so that flat means that more images would not help."""

FEWEST_POINTS = 4
"""Curves of fewer points cannot be said to be flat."""


def write_report(run: Path, results: dict[str, Any], data: Data, sets: Sets) -> None:
    """Write ``table.md``, pictures and ``report.html`` of what is there so far.

    Args:
        run: the benchmark's folder.
        results: see :func:`faceaug.benchmarks.parsing.bench.bench_parsing`.
        data: faces.
        sets: additions of the smallest number of labelled faces, which are shown.
    """
    pictures = run / "pictures"
    drawn = []
    for parser in results["parsers"]:
        if results["scores"].get(parser):
            name = CURVE if len(results["parsers"]) == 1 else f"{parser}-{CURVE}"
            _draw_scores(pictures / name, results, parser)
            drawn.append(pictures / name)
    sections = [
        Section("What it shows", [*sentences(results), *warnings(results)], drawn),
        *_tables(results),
        *_faces(run, results, data),
        *_additions(pictures, results, sets),
        _training(pictures, results),
        _protocol(results, data),
    ]
    write_text(run / TABLE, markdown(results))
    write_page(run / REPORT, f"What generated faces are worth: {results['data']}", sections)


def told(entry: dict[str, Any] | None, form: str = "{:+.2f}") -> str:
    """An interval in words."""
    if entry is None or entry["value"] is None:
        return ""
    value = form.format(entry["value"])
    if entry["low"] is None:
        return value
    return f"{value} [{form.format(entry['low'])}, {form.format(entry['high'])}]"


def main_arms(results: dict[str, Any]) -> list[str]:
    """Arms with generated faces and labelled ones."""
    return [name for name, arm in results["arms"].items() if arm["real"] and arm["generated"]]


def sentences(results: dict[str, Any]) -> list[str]:
    """What was found, claiming no more than seeds and faces allow."""
    found = []
    for parser, by_count in results["scores"].items():
        for count, arms in by_count.items():
            for name in main_arms(results):
                if "gain" not in arms.get(name, {}):
                    continue
                arm = arms[name]
                gain, seeds = arm["gain"]["mean_f1"], arm["common"]
                text = f"{int(count):,} labelled faces, {parser}: {name} is {told(gain)} points of mean F1 over {arm['base']}"
                text += f" (95 %, {seeds} seed{'s' if seeds > 1 else ''}): {_verdict(gain, seeds)}"
                if (control := arm.get("over_control")) is not None:
                    text += (
                        f"; over the best control, {control['control']}: {told(control)}, {_verdict(control, control['common'])}"
                    )
                found.append(f"{text}.")
        for name, replaced in results["labels_replaced"][parser].items():
            if name in main_arms(results):
                for entry in replaced:
                    known = f"; {_ONE_SEED}" if entry["common"] < 2 else ""
                    low, largest = entry["worth"]["low"], entry["ends"][1]
                    if low is not None and low >= largest:
                        words = f"ahead of {largest:,} without ({parser}), where the curve ends: name larger numbers"
                    else:
                        words = f"as good as {told_labels(entry)} without ({parser})"
                    found.append(f"{entry['labelled']:,} labelled faces with {name} are {words}{known}.")
    return found or ["Nothing was compared yet."]


def told_labels(entry: dict[str, Any]) -> str:
    """Labels replaced in words, and how many times as many that is; where the curve ends they are bounds."""
    smallest, largest = entry["ends"]

    def number(value: float, below: str, above: str) -> str:
        form = below if value <= smallest else above if value >= largest else "{}"
        return form.format(f"{value:,.0f}")

    worth = entry["worth"]
    if worth["value"] is None:
        return "an unknown number"
    text = number(worth["value"], "at most {}", "at least {}")
    if worth["low"] is not None:
        low, high = (number(worth[end], "{} or fewer", "{} or more") for end in ("low", "high"))
        text += f" [{low}, {high}]"
    return text + (f", {worth['value'] / entry['labelled']:.1f} times as many," if smallest < worth["value"] < largest else "")


_ONE_SEED = "one seed shows no spread, so no conclusion"


def _verdict(entry: dict[str, Any], seeds: int) -> str:
    if seeds < 2:
        return _ONE_SEED
    if entry["low"] is None or entry["low"] <= 0 <= entry["high"]:
        return "no difference shown"
    return "better" if entry["value"] > 0 else "worse"


def warnings(results: dict[str, Any]) -> list[str]:
    """What a reader should know before believing it."""
    found = [] if results["finished"] else ["Cells are still missing; this is what is there so far."]
    steep = sorted({f"{cell['arm']} ({cell['labelled']})" for cell in results["cells"] if _last_gain(cell["curve"]) >= FLAT})
    if steep:
        found.append(
            f"Not yet at a plateau on tuning (its last quarter gains {100 * FLAT:.1f} points or more): {', '.join(steep)}. Arms "
            f"that train further gain by that too; compare them with one that does, or train longer (--images)."
        )
    if len(computed := sorted({cell["compute"] for cell in results["cells"] if "compute" in cell})) > 1:
        found.append(f"Cells were computed on {' and on '.join(computed)}: a part of their differences may be rounding.")
    if given := results["faces"]["given"]:
        found.append(
            f"{', '.join(given)}: given, made with labels that are not known here; labels replaced is left out, and a gain "
            f"counts only if they are made of no more labels than the cells have."
        )
    return found


def _last_gain(curve: list[list[float]]) -> float:
    """How much the best score so far rose over the last quarter of a curve of [images, score]."""
    values = [score for _, score in curve]
    if len(values) < FEWEST_POINTS:
        return math.inf
    before = values[: max(len(values) - max(len(values) // 4, 1), 1)]
    return max(0.0, max(values) - max(before))


GAIN = "Gain over the same augmentation without additions, trained as long where there is such an arm"


def table(results: dict[str, Any], key: str = "mean_f1", *, gain: bool = False) -> pd.DataFrame:
    """Arms by numbers of labelled faces, for each parser: scores in percent, or gains in points."""
    rows: dict[str, dict[str, str]] = {}
    for parser, by_count in results["scores"].items():
        for name in results["arms"]:
            title = name if len(results["scores"]) == 1 else f"{name} ({parser})"
            for count, arms in by_count.items():
                entry = arms.get(name, {}).get("gain" if gain else "scores", {}).get(key)
                rows.setdefault(title, {})[f"{int(count):,} labelled"] = told(entry, "{:+.2f}" if gain else "{:.2f}")
    frame = pd.DataFrame.from_dict(rows, orient="index").fillna("")
    return frame[(frame != "").any(axis=1)] if len(frame) else frame


def markdown(results: dict[str, Any]) -> str:
    """Tables of scores and gains, and the sentences, as Markdown."""
    parts = [f"# Parsing benchmark on {results['data']}\n\nMean F1 in percent, 95 % intervals over seeds and testing faces.\n\n"]
    parts += [markdown_table(table(results)), f"\n{GAIN}, points of mean F1.\n\n"]
    parts += [markdown_table(table(results, gain=True)), "\n"]
    if len(over := _over(results)):
        parts += ["Gain of generated faces over each arm without them, points of mean F1.\n\n", markdown_table(over), "\n"]
    parts += [f"* {line}\n" for line in (*sentences(results), *warnings(results))]
    return "".join(parts)


def _rows(frame: pd.DataFrame) -> list[list[str]]:
    head = ["", *[str(column) for column in frame.columns]]
    return [head, *[[str(name), *map(str, row)] for name, row in zip(frame.index, frame.values, strict=True)]]


def _tables(results: dict[str, Any]) -> list[Section]:
    found = [
        Section("Mean F1, percent", ["95 % intervals over seeds and testing faces."], table=_rows(table(results))),
        Section(
            GAIN,
            ["Points of mean F1, on the same seeds and faces."],
            table=_rows(table(results, gain=True)),
        ),
    ]
    frame = _over(results)
    if len(frame):
        title = "Gain of generated faces over each arm without them"
        found.append(Section(title, ["Points of mean F1, on the seeds that both have."], table=_rows(frame)))
    for title, start in (("Gain by class", "f1 "), ("Gain by group of faces", "group ")):
        frame = _parts(results, start).rename(index={name: f"{name}: {n}" for name, n in results["faces"]["groups"].items()})
        if len(frame):
            found.append(Section(title, ["Points of F1 for each arm with generated faces."], table=_rows(frame)))
    other = [key for key in METRICS if key != "mean_f1"]
    rows = {METRICS[key]: table(results, key, gain=True) for key in other}
    for name, frame in rows.items():
        if len(frame):
            found.append(Section(f"Gain in {name}", table=_rows(frame)))
    return found


def _over(results: dict[str, Any]) -> pd.DataFrame:
    """Gains of arms with generated faces over each other arm."""
    columns: dict[str, dict[str, str]] = {}
    for parser, by_count in results["scores"].items():
        for count, arms in by_count.items():
            for name in main_arms(results):
                if over := arms.get(name, {}).get("over"):
                    columns[_title(results, name, count, parser)] = {other: told(entry) for other, entry in over.items()}
    return pd.DataFrame(columns).fillna("")


def _title(results: dict[str, Any], name: str, count: str, parser: str) -> str:
    return f"{name}, {int(count):,}" + ("" if len(results["scores"]) == 1 else f", {parser}")


def _parts(results: dict[str, Any], start: str) -> pd.DataFrame:
    """Gains of arms with generated faces by class or group."""
    columns: dict[str, dict[str, str]] = {}
    for parser, by_count in results["scores"].items():
        for count, arms in by_count.items():
            for name in main_arms(results):
                gain = arms.get(name, {}).get("gain", {})
                of = {key.removeprefix(start): told(entry) for key, entry in gain.items() if key.startswith(start)}
                if of:
                    columns[_title(results, name, count, parser)] = of
    return pd.DataFrame(columns).fillna("")


def _draw_scores(path: Path, results: dict[str, Any], parser: str) -> None:
    """The curve of labels of a parser; for one number of labelled faces, a row of points for each arm."""
    figure = Figure(figsize=_CHART, layout="constrained")
    axis = figure.subplots()
    by_count = results["scores"][parser]
    names = [name for name in results["arms"] if any(name in arms for arms in by_count.values())]
    if len(by_count) > 1:
        for number, name in enumerate(names):
            counts = [count for count in by_count if name in by_count[count]]
            entries = [by_count[count][name]["scores"]["mean_f1"] for count in counts]
            x = [int(count) for count in counts]
            axis.plot(x, [entry["value"] for entry in entries], "o-", color=f"C{number % 10}", label=name, markersize=4)
            if all(entry["low"] is not None for entry in entries):
                low, high = ([entry[key] for entry in entries] for key in ("low", "high"))
                axis.fill_between(x, low, high, color=f"C{number % 10}", alpha=0.1)
        axis.set_xscale("log")
        axis.set_xticks([int(count) for count in by_count], [f"{int(count):,}" for count in by_count], minor=False)
        axis.minorticks_off()
        axis.set(xlabel="labelled faces", ylabel="mean F1, %")
        axis.legend(fontsize=7)
    else:
        arms = next(iter(by_count.values()))
        for row, name in enumerate(names):
            values = [
                100 * cell["scores"]["mean_f1"] for cell in results["cells"] if cell["arm"] == name and cell["parser"] == parser
            ]
            entry = arms[name]["scores"]["mean_f1"]
            axis.plot(values, [row] * len(values), "o", color=f"C{row % 10}", alpha=0.6)
            axis.plot(
                [entry["value"] if entry[end] is None else entry[end] for end in ("low", "high")],
                [row, row],
                color=f"C{row % 10}",
            )
        axis.set_yticks(range(len(names)), names)
        axis.set_ylim(len(names) - 0.5, -0.5)
        axis.set_xlabel("mean F1, %: each seed, and 95 % over seeds and faces")
    axis.grid(alpha=0.25)
    axis.set_title(f"{results['data']}, {parser}", fontsize=9, parse_math=False)
    with atomic_file(path) as part:
        figure.savefig(part, format="png", dpi=110)


def _faces(run: Path, results: dict[str, Any], data: Data) -> list[Section]:
    """The testing faces that change most, and the worst ones, for the first comparison of the smallest count."""
    for name in main_arms(results):
        base = results["arms"][name]["base"]
        pairs = [
            (cell, other)
            for cell in results["cells"]
            for other in results["cells"]
            if (cell["arm"], other["arm"]) == (name, base)
            and all(cell[key] == other[key] for key in ("labelled", "parser", "seed"))
        ]
        for with_, without in sorted(pairs, key=lambda pair: (pair[0]["labelled"], pair[0]["seed"])):
            maps = [predictions(run / "cells" / cell["folder"]) for cell in (without, with_)]
            if any(one is None for one in maps):
                continue
            path = run / "pictures" / WORST
            _draw_worst(path, data, *maps)
            text = (
                f"{name} beside {base}, {with_['labelled']:,} labelled, seed {with_['seed']}: the testing faces that the parser "
                f"without generated faces gets worst, then those that gain and lose most."
            )
            return [Section("Faces", [text], [path])]
    return []


def _additions(pictures: Path, results: dict[str, Any], sets: Sets) -> list[Section]:
    """Some faces of each addition that is there, with their labels."""
    names = dict.fromkeys(one["what"] for arm in results["arms"].values() for one in arm["added"])
    rows = []
    for name in names:
        if any(job.result() is None for job in sets.needs(name)):
            continue
        faces = sets.faces(name)
        shown = np.random.default_rng(0).choice(len(faces), size=min(12, len(faces)), replace=False)
        rows.append((name, list(np.asarray(faces.images[shown]))))
        if faces.labels is not None:
            rows.append(("", list(faces.scheme.colour(np.asarray(faces.labels[shown])))))
    if not rows:
        return []
    write_png(pictures / ADDITIONS, grid(rows))
    text = f"Drawn at random from what is added to {sets.count:,} labelled faces, with the labels that are trained on."
    return [Section("Additions", [text], [pictures / ADDITIONS])]


def _draw_worst(path: Path, data: Data, without: Any, with_: Any) -> None:
    truth, scheme = data.testing.labels[:], data.testing.scheme

    def of(predicted: Any) -> Any:
        classes = len(scheme)
        return np.array(
            [scores(confusion(a, b, classes=classes), scheme)["mean_f1"] for a, b in zip(predicted, truth, strict=True)]
        )

    before, after = of(without), of(with_)
    worst, change = np.argsort(before, kind="stable"), np.argsort(after - before, kind="stable")
    shown = list(dict.fromkeys([*worst[:4], *change[::-1][:4], *change[:4]]))
    rows = [
        ("photo", list(np.asarray(data.testing.images[shown]))),
        ("truth", list(scheme.colour(truth[shown]))),
        ("without", list(scheme.colour(without[shown]))),
        ("with", list(scheme.colour(with_[shown]))),
    ]
    write_png(path, grid(rows))


def _training(pictures: Path, results: dict[str, Any]) -> Section:
    if not results["cells"]:
        return Section("Training")
    figure = Figure(figsize=_CHART, layout="constrained")
    axis = figure.subplots()
    largest = max(cell["labelled"] for cell in results["cells"])
    for number, name in enumerate(results["arms"]):
        curves = [cell["curve"] for cell in results["cells"] if cell["arm"] == name and cell["labelled"] == largest]
        for curve in curves:
            axis.plot(
                [100 * images / curve[-1][0] for images, _ in curve],
                [100 * score for _, score in curve],
                color=f"C{number % 10}",
                alpha=0.7,
                linewidth=1,
                label=name if curve is curves[0] else None,
            )
    axis.set(xlabel="share of the training, %", ylabel="mean F1 on tuning, %", title=f"{largest:,} labelled faces")
    axis.grid(alpha=0.25)
    axis.legend(fontsize=7)
    with atomic_file(pictures / TUNING) as part:
        figure.savefig(part, format="png", dpi=110)
    hours = sum(cell["seconds"] for cell in results["cells"]) / 3600
    text = f"{len(results['cells'])} cells, {hours:.1f} hours of one process, beside the teachers, GANs and faces made for them."
    return Section("Training", [text], [pictures / TUNING])


def _protocol(results: dict[str, Any], data: Data) -> Section:
    bench, faces = results["bench"], results["faces"]
    usual = f"{PASSES} passes over the labelled faces, {SHORTEST:,} images at least"
    length = f"{bench['images']:,} labelled images" if bench["images"] else usual
    size, rounds = data.train.size, bench["rounds"]
    arms = [f"{name}: {_about(arm)}" for name, arm in results["arms"].items()]
    return Section(
        "Protocol",
        [
            f"Faces of {results['data']} at {size} px; {faces['photos']:,} photos without labels. Each cell sees {length}, "
            f"{bench['batch']} a step, and two thirds more where it trains further; additions come on top, so that labelled "
            f"faces are seen as often in every arm of one schedule. "
            f"The state is chosen on {faces['tuning']} tuning faces and scored once on {faces['testing']} testing faces; "
            f"{_origin(results)}Intervals: {rounds:,} resamples of seeds and faces. All seeds share a number's labelled "
            f"faces and the teachers, GAN and generated faces made of them: what these vary by is not in the intervals.",
            *arms,
            f"Python {platform.python_version()}, torch {torch.__version__}, {results['compute']}.",
        ],
        code=str(results.get("command", "")),
    )


def _origin(results: dict[str, Any]) -> str:
    """Which labels what is added is made of, and who labels photos and predicts masks."""
    recipe = results["recipe"]
    if recipe is None:
        return "Generated faces were given; which labels they are made of is not known here. "
    teacher = recipe["teacher"] or recipe["parser"]
    several = recipe["teachers"] > 1
    return (
        f"P_F, teachers and GAN are trained on the labelled faces of the cell and no others. Photos are labelled by "
        f"{recipe['teachers']} parser{'s' if several else ''} of {teacher['size']} px. "
    )


_SCHEDULES = {
    MIXED: "",
    PRETRAIN: "additions first, then the labelled faces alone",
    CONTINUE: "begins as the parser of the labelled faces alone and trains further",
}


def _about(arm: dict[str, Any]) -> str:
    added = [f"{one['share']:.0%} of each step {BUILT_IN.get(one['what'], one['what'])}" for one in arm["added"]]
    words = [
        f"labelled faces, augmentation {arm['augment']}" if arm["real"] else f"no labelled faces, augmentation {arm['augment']}"
    ]
    return "; ".join(word for word in [*words, *added, _SCHEDULES[arm["schedule"]]] if word)
