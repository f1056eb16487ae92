"""Numbers of several seeds, and tables of them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd

# Two-sided 95 % quantiles of Student's t for 1, 2, ... degrees of freedom.
_T95 = (12.71, 4.30, 3.18, 2.78, 2.57, 2.45, 2.36, 2.31, 2.26)


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
