"""Faces that a parser is trained on beside the labelled ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from faceaug.errors import ConfigError
from faceaug.parser.config import ParserTraining
from faceaug.prepare.faces import FaceSet, LabelledFaces


@dataclass(frozen=True)
class Addition:
    """Faces of one kind, a share of every step.

    Attributes:
        name: in messages and in the run's record.
        faces: with label maps; where ``taught`` they may have none, and none are looked at.
        share: of the rows of a step, above 0 and at most 1. All additions together leave the rest to the labelled faces.
        taught: their labels are those of the parser's own weight average, see :mod:`faceaug.parser.consistency`.

    Raises:
        ConfigError: the share is out of range, or label maps are missing.
    """

    name: str
    faces: FaceSet
    share: float
    taught: bool = False

    def __post_init__(self) -> None:
        if not 0 < self.share <= 1:
            raise ConfigError(f"{self.name}: share {self.share:g} of a step; it must be above 0 and at most 1")
        if self.faces.labels is None and not self.taught:
            raise ConfigError(f"{self.name}: {self.faces.title} has no label maps; label them, or add them as taught")

    def about(self) -> dict[str, Any]:
        """For the record of a run."""
        return {**self.faces.about(), "share": self.share, "taught": self.taught}


def on_top(usual: ParserTraining, shares: Sequence[float]) -> tuple[ParserTraining, tuple[float, ...]]:
    """A training with additions whose steps have as many labelled faces as before, and the exact share of each addition.

    Args:
        usual: of the labelled faces alone.
        shares: of a step's rows, together below 1.

    Returns:
        Larger batches and as many more images; shares that are whole rows of such a batch, one row each at least.
    """
    rows = [max(round(usual.batch / (1 - sum(shares)) * share), 1) for share in shares]
    batch = usual.batch + sum(rows)
    return replace(usual, batch=batch, images=usual.steps * batch), tuple(row / batch for row in rows)


def check_additions(real: LabelledFaces, additions: Sequence[Addition]) -> None:
    """Raise ConfigError where additions do not go together with the labelled faces.

    Args:
        real: the labelled faces.
        additions: their shares may add up to 1: then no labelled face is seen.
    """
    whole = sum(addition.share for addition in additions)
    if whole > 1 + 1e-9:
        raise ConfigError(f"additions: their shares add up to {whole:g}; they must leave 1 or less, labelled faces included")
    for addition in additions:
        faces = addition.faces
        if not addition.taught and faces.scheme != real.scheme:
            raise ConfigError(
                f"{faces.title}: labels are of {faces.scheme.name}, those of {real.title} of {real.scheme.name}; generate from "
                f"masks of the same scheme"
            )
        if faces.size != real.size:
            raise ConfigError(f"{faces.title}: {faces.size} px, {real.title} {real.size} px; they must be of one size")
