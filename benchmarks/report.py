"""The parsing benchmark's results as numbers, a table and pictures."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from faceaug.files import atomic_file, write_text

SCORES = {
    "mean_f1": "mean F1",
    "helen_overall": "Helen overall F1",
    "mean_iou": "mean IoU",
    "mean_class_accuracy": "mean class accuracy",
    "pixel_accuracy": "pixel accuracy",
}
"""Keys of a cell's scores -> their titles. The first decides."""


def scored(cells: list[dict[str, Any]]) -> list[str]:
    """The keys of :data:`SCORES` that the cells have; Helen's overall needs Helen's classes."""
    return [key for key in SCORES if key in cells[0]["testing"]]


# Two-sided 95 % quantiles of Student's t for 1, 2, ... degrees of freedom.
_T95 = (12.71, 4.30, 3.18, 2.78, 2.57, 2.45, 2.36, 2.31, 2.26)

FLAT = 0.005
"""A tuning curve is flat where its last quarter gains less than this.

The curves are of averaged weights at a constant rate (see ParserTraining), so that flat means that more images would not help."""


def summarise(cells: list[dict[str, Any]], settings: Sequence[str]) -> dict[str, Any]:
    """Mean and spread over the seeds, differences seed by seed, whether the curves are flat, and the verdict in words.

    Args:
        cells: from the benchmark.
        settings: in the order of the table; neighbours are compared.
    """
    of = {setting: [cell for cell in cells if cell["setting"] == setting] for setting in settings}
    table: dict[str, dict[str, Any]] = {
        setting: {
            **{key: spread([cell["testing"][key] for cell in group]) for key in scored(cells)},
            "f1": {name: spread([cell["testing"]["f1"][name] for cell in group]) for name in group[0]["testing"]["f1"]},
            "groups": _groups([cell["testing"].get("groups", {}) for cell in group]),
            "gain_of_last_quarter": round(float(np.mean([_last_gain(cell["tuning_curve"]) for cell in group])), 5),
        }
        for setting, group in of.items()
    }
    for row in table.values():
        row["flat"] = row["gain_of_last_quarter"] < FLAT
    differences = {}
    for first, second in itertools.pairwise(settings):
        differences[f"{second} - {first}"] = {
            key: spread([b["testing"][key] - a["testing"][key] for a, b in zip(of[first], of[second], strict=True)])
            for key in scored(cells)
        }
    verdicts = [verdict(name, values["mean_f1"]) for name, values in differences.items()]
    if not all(row["flat"] for row in table.values()):
        steep = ", ".join(setting for setting, row in table.items() if not row["flat"])
        verdicts.append(f"Not yet at a plateau on tuning: {steep}. Train longer (--images) before concluding anything.")
    return {"settings": table, "differences": differences, "verdict": verdicts}


def _groups(scored: list[dict[str, Any]]) -> dict[str, Any]:
    """Mean F1 of each group over the seeds."""
    return {name: spread([found[name]["mean_f1"] for found in scored]) for name in scored[0]}


def verdict(name: str, difference: dict[str, Any]) -> str:
    """One sentence that claims no more than the seeds allow."""
    mean, interval = 100 * difference["mean"], difference["half_width_95"]
    if interval is None:
        return f"{name}: {mean:+.2f} points of mean F1 with one seed: no spread, so no conclusion; use --seeds 3 or more."
    width = 100 * interval
    text = f"{name}: {mean:+.2f} +- {width:.2f} points of mean F1 (95 % over {difference['n']} seeds)"
    if abs(mean) <= width:
        return f"{text}: no difference shown."
    return f"{text}: {'better' if mean > 0 else 'worse'}."


def budget_verdict(difference: dict[str, Any], passes: float) -> list[str]:
    """A sentence where augmentation does not pay: then nothing is overfitted, and more faces of any kind cannot pay either.

    Args:
        difference: of mean F1, with augmentation minus without.
        passes: how often each labelled face is seen.
    """
    if difference["mean"] > (difference["half_width_95"] or 0.0):
        return []
    return [
        f"Augmentation does not pay at this length, {passes:.1f} passes over the labelled faces: nothing is overfitted yet, and "
        f"generated faces cannot be judged. Train longer (--images) or on fewer faces (--labelled)."
    ]


def spread(values: list[float]) -> dict[str, Any]:
    """Mean, standard deviation and half the width of the 95 % interval of the mean; the latter two None for one value."""
    count = len(values)
    deviation = float(np.std(values, ddof=1)) if count > 1 else None
    half = None if deviation is None else _T95[min(count - 1, len(_T95)) - 1] * deviation / math.sqrt(count)
    return {
        "mean": round(float(np.mean(values)), 6),
        "sd": None if deviation is None else round(deviation, 6),
        "half_width_95": None if half is None else round(half, 6),
        "n": count,
    }


def _last_gain(curve: list[list[float]]) -> float:
    """How much the best score so far rose over the last quarter of a curve of [images, score]."""
    scores = [score for _, score in curve]
    before = scores[: max(len(scores) - max(len(scores) // 4, 1), 1)]
    return max(0.0, max(scores) - max(before))


def table(results: dict[str, Any]) -> pd.DataFrame:
    """Settings by scores, ``mean +- standard deviation`` in percent."""
    rows = {
        setting: {title: _cell_text(row[key]) for key, title in SCORES.items() if key in row}
        for setting, row in results["summary"]["settings"].items()
    }
    return pd.DataFrame.from_dict(rows, orient="index")


def _cell_text(value: dict[str, Any]) -> str:
    mean = f"{100 * value['mean']:.2f}"
    return mean if value["sd"] is None else f"{mean} +- {100 * value['sd']:.2f}"


def write_report(run: Path, results: dict[str, Any]) -> None:
    """Write ``table.md``, ``curves.png`` and ``scores.png``."""
    write_text(run / "table.md", markdown(results))
    title = f"{results['data']}, {results['faces']['train']:,} labelled, {results['faces']['generated']:,} generated"
    _draw_curves(run / "curves.png", results, title)
    _draw_scores(run / "scores.png", results, title)


def markdown(results: dict[str, Any]) -> str:
    """The table, per-class F1 and the verdict as Markdown."""
    frame = table(results)
    faces, bench = results["faces"], results["bench"]
    head = (
        f"# Parsing benchmark on {results['data']}\n\n"
        f"{faces['train']:,} labelled faces, {faces['generated']:,} generated ones (share {bench['synthetic_share']:.0%} of each "
        f"step), {bench['images']:,} images seen in each cell, {bench['seeds']} seed(s); the state chosen on {faces['tuning']} "
        f"tuning faces, scored once on {faces['testing']} testing faces. Percent, mean +- standard deviation over the seeds.\n\n"
    )
    classes, groups = (_by_setting(results, key) for key in ("f1", "groups"))
    apart = f"Mean F1 of each group:\n\n{markdown_table(groups.T)}\n" if len(groups.columns) else ""
    verdicts = "".join(f"* {line}\n" for line in results["summary"]["verdict"])
    return f"{head}{markdown_table(frame)}\nF1 of each class:\n\n{markdown_table(classes.T)}\n{apart}{verdicts}"


def _by_setting(results: dict[str, Any], key: str) -> pd.DataFrame:
    """Settings by what a key of the summary holds by name."""
    rows = {
        setting: {name: _cell_text(value) for name, value in row.get(key, {}).items()}
        for setting, row in results["summary"]["settings"].items()
    }
    return pd.DataFrame.from_dict(rows, orient="index")


def markdown_table(frame: pd.DataFrame) -> str:
    """A frame as a Markdown table."""
    lines = [
        "| | " + " | ".join(str(column) for column in frame.columns) + " |",
        "|---" * (len(frame.columns) + 1) + "|",
    ]
    lines += [
        f"| {name} | " + " | ".join(str(value) for value in row) + " |"
        for name, row in zip(frame.index, frame.values, strict=True)
    ]
    return "\n".join(lines) + "\n"


def _draw_curves(path: Path, results: dict[str, Any], title: str) -> None:
    figure = Figure(figsize=(6.4, 4.2), layout="constrained")
    axis = figure.subplots()
    for index, setting in enumerate(results["summary"]["settings"]):
        curves = [cell["tuning_curve"] for cell in results["cells"] if cell["setting"] == setting]
        seen = [point[0] for point in curves[0]]
        values = np.array([[point[1] for point in curve] for curve in curves])
        axis.plot(seen, values.mean(axis=0), label=setting, color=f"C{index}")
        axis.fill_between(seen, values.min(axis=0), values.max(axis=0), color=f"C{index}", alpha=0.15)
    axis.set(xlabel="images seen", ylabel="mean F1 on tuning", title=title)
    axis.title.set_fontsize(9)
    axis.legend()
    axis.grid(alpha=0.25)
    with atomic_file(path) as part:
        figure.savefig(part, format="png", dpi=110)


def _draw_scores(path: Path, results: dict[str, Any], title: str) -> None:
    figure = Figure(figsize=(7.6, 3.4), layout="constrained")
    shown = scored(results["cells"])[:2]
    axes = figure.subplots(1, len(shown))
    settings = list(results["summary"]["settings"])
    for axis, key in zip(axes, shown, strict=True):
        for row, setting in enumerate(settings):
            values = [100 * cell["testing"][key] for cell in results["cells"] if cell["setting"] == setting]
            axis.plot(values, [row] * len(values), "o", color=f"C{row}", alpha=0.6)
            axis.plot([np.mean(values)], [row], "|", color=f"C{row}", markersize=22, markeredgewidth=2.5)
        axis.set_yticks(range(len(settings)), settings if key == shown[0] else [""] * len(settings))
        axis.set_ylim(len(settings) - 0.5, -0.5)
        axis.set_xlabel(f"{SCORES[key]} on testing, %")
        axis.grid(axis="x", alpha=0.25)
    figure.suptitle(title, fontsize=9)
    with atomic_file(path) as part:
        figure.savefig(part, format="png", dpi=110)
