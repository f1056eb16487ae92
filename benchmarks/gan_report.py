"""A comparison of generators as numbers, a table and a picture."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from faceaug.evaluate.report import interval_text
from faceaug.files import atomic_file

from .tables import markdown_table, spread

SCORES = {
    "FID-EffLite0": "lower",
    "KID-EffLite0 x1000": "lower",
    "FID-judge": "lower",
    "two-sample AUC": "lower",
    "agreement pixel_accuracy": "higher",
    "agreement mean_f1": "higher",
    "diversity": "higher",
}
"""Scores of the table and which way is better."""


def summarise(cells: list[dict[str, Any]], rows: Sequence[str]) -> dict[str, Any]:
    """Spread over the seeds of each score, and whether the order of the rows is the same for every seed."""
    of_row = {row: [cell["scores"] for cell in cells if cell["row"] == row] for row in rows}
    table = {row: {key: spread([scores[key]["value"] for scores in group]) for key in SCORES} for row, group in of_row.items()}
    orders = {}
    for key, better in SCORES.items():
        by_seed = []
        for seed in sorted({cell["seed"] for cell in cells}):
            of = {cell["row"]: cell["scores"][key]["value"] for cell in cells if cell["seed"] == seed}
            by_seed.append(sorted(of, key=lambda row, of=of: of[row], reverse=better == "higher"))  # type: ignore[misc]
        orders[key] = {"best_first": by_seed, "same_for_all_seeds": all(order == by_seed[0] for order in by_seed)}
    return {"rows": table, "orders": orders}


def markdown(results: dict[str, Any]) -> str:
    """The table (mean over the seeds, then each seed with its interval) as Markdown."""
    bench = results["bench"]
    head = (
        f"# Generators on {results['data']}\n\n{bench['images']:,} images seen by each, {bench['seeds']} seed(s); "
        f"{results['faces']['targets']} unseen masks with {bench['evaluation']['per_mask']} sources each. Mean +- standard "
        f"deviation over the seeds. pix2pixhd and bicyclegan are this package's, on the framework's layers.\n\n"
    )
    mean = pd.DataFrame.from_dict(
        {
            row: {f"{key} ({better} is better)": _mean_text(scores[key]) for key, better in SCORES.items()}
            for row, scores in results["summary"]["rows"].items()
        },
        orient="index",
    )
    single = pd.DataFrame.from_dict(
        {
            f"{cell['row']}, seed {cell['seed']}": {key: interval_text(cell["scores"][key]) for key in SCORES}
            for cell in results["cells"]
        },
        orient="index",
    )
    orders = "".join(f"* {key}: {_order_text(order)}\n" for key, order in results["summary"]["orders"].items())
    return f"{head}{markdown_table(mean)}\n{orders}\nEach run, with the 95 % interval over masks:\n\n{markdown_table(single)}"


def _order_text(order: dict[str, Any]) -> str:
    by_seed = order["best_first"]
    same = "the same" if order["same_for_all_seeds"] else "not the same"
    agreed = f"the order is {same} for all seeds; " if len(by_seed) > 1 else ""
    return f"{agreed}best first: {', '.join(by_seed[0])}"


def _mean_text(value: dict[str, Any]) -> str:
    return f"{value['mean']:.4g}" if value["sd"] is None else f"{value['mean']:.4g} +- {value['sd']:.2g}"


def write_plots(run: Path, results: dict[str, Any]) -> None:
    """``scores.png``: every seed a dot with its interval, one panel a score."""
    rows = list(results["summary"]["rows"])
    figure = Figure(figsize=(3.0 * len(SCORES), 0.5 * len(rows) + 1.4), layout="constrained")
    axes = np.atleast_1d(figure.subplots(1, len(SCORES)))
    for axis, (key, better) in zip(axes, SCORES.items(), strict=True):
        for height, row in enumerate(rows):
            for cell in results["cells"]:
                if cell["row"] == row:
                    score, place = cell["scores"][key], height + 0.15 * cell["seed"]
                    axis.plot([score["low"], score["high"]], [place, place], color=f"C{height}", alpha=0.5)
                    axis.plot([score["value"]], [place], "o", color=f"C{height}")
        axis.set_yticks(range(len(rows)), rows if axis is axes[0] else [""] * len(rows))
        axis.set_ylim(len(rows) - 0.3, -0.5)
        axis.set_xlabel(f"{key}\n({better} is better)", fontsize=8)
        axis.grid(axis="x", alpha=0.25)
    figure.suptitle(f"{results['data']}, {results['bench']['images']:,} images each", fontsize=9)
    with atomic_file(run / "scores.png") as part:
        figure.savefig(part, format="png", dpi=110)
