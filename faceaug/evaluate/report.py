"""Evaluations as a table."""

from __future__ import annotations

from typing import Any

import pandas as pd


def table(evaluations: dict[str, dict[str, Any]]) -> pd.DataFrame:
    """Generators by scores, ``value [low, high]``.

    Args:
        evaluations: name -> what :func:`faceaug.evaluate.run.evaluate` gave.
    """
    rows = {
        name: {
            **{key: interval_text(score) for key, score in found["scores"].items()},
            "colour to source": _mean_over_components(found, "colour to source"),
            "colour to stranger": _mean_over_components(found, "colour to stranger"),
            "features to source": _mean_over_components(found, "features to source"),
            "features to stranger": _mean_over_components(found, "features to stranger"),
        }
        for name, found in evaluations.items()
    }
    return pd.DataFrame.from_dict(rows, orient="index")


def interval_text(score: dict[str, Any]) -> str:
    """``value [low, high]`` with four significant digits."""
    if score["value"] is None:
        return "-"
    return f"{score['value']:.4g} [{score['low']:.4g}, {score['high']:.4g}]"


def _mean_over_components(found: dict[str, Any], key: str) -> str:
    values = [row[key]["value"] for row in found["fidelity"].values() if row[key]["value"] is not None]
    return f"{sum(values) / len(values):.4g}" if values else "-"
