"""Curves of a run as one PNG."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import matplotlib
from matplotlib.figure import Figure

from faceaug.files import atomic_file

matplotlib.use("Agg", force=False)

Series = tuple[Sequence[float], Sequence[float]]


def draw_curves(path: Path, panels: Mapping[str, Mapping[str, Series]], *, xlabel: str, title: str = "") -> None:
    """Draw panels side by side.

    Args:
        path: the PNG, written atomically.
        panels: y label of each panel -> name of each line -> its x and y values.
        xlabel: what the x axis counts.
        title: above all of them.
    """
    figure = Figure(figsize=(5.2 * max(len(panels), 1), 3.6), layout="constrained")
    axes = figure.subplots(1, max(len(panels), 1), squeeze=False)[0]
    for axis, (ylabel, lines) in zip(axes, panels.items(), strict=False):
        for name, (x, y) in lines.items():
            axis.plot(x, y, label=name, linewidth=1.3)
        axis.set_xlabel(xlabel)
        axis.set_ylabel(ylabel)
        axis.grid(alpha=0.25)
        if len(lines) > 1:
            axis.legend(fontsize=7)
    if title:
        figure.suptitle(title)
    with atomic_file(path) as part:
        figure.savefig(part, format="png", dpi=110)
