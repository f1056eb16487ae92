"""Curves of a run as one PNG, and its log for TensorBoard."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from faceaug.errors import ConfigError
from faceaug.files import atomic_file
from faceaug.runs.log import read_log

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


def write_tensorboard(run: Path) -> Path:
    """Write a run's ``log.jsonl`` as TensorBoard events, every number by images seen.

    Args:
        run: the run's folder.

    Returns:
        The folder of the events, ``RUN/tensorboard``; what was there is replaced.

    Raises:
        ConfigError: tensorboard is not installed.
    """
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError as error:
        raise ConfigError("--tensorboard: needs tensorboard; pip install 'faceaug[tensorboard]'") from error
    folder = run / "tensorboard"
    shutil.rmtree(folder, ignore_errors=True)
    with SummaryWriter(str(folder)) as writer:  # type: ignore[no-untyped-call]
        for row in read_log(run / "log.jsonl"):
            for name, value in _numbers(row):
                writer.add_scalar(name, value, row["images"])  # type: ignore[no-untyped-call]
    return folder


def _numbers(row: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, float]]:
    """All numbers of a log's row, those of nested rows with a path."""
    for name, value in row.items():
        if isinstance(value, Mapping):
            yield from _numbers(value, f"{prefix}{name}/")
        elif isinstance(value, int | float) and name != "images":
            yield f"{prefix}{name}", float(value)
