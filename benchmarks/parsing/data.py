"""What the benchmark is run on: who is labelled, who is not, who chooses and who scores."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from faceaug.config import check
from faceaug.errors import ConfigError
from faceaug.parser.config import ParserConfig, ParserTraining
from faceaug.parser.groups import Groups
from faceaug.prepare.faces import FaceSet, LabelledFaces


@dataclass(frozen=True)
class Detailed:
    """The same faces, larger: those that teachers are trained on and label photos by.

    Attributes:
        train: as :attr:`Data.train`.
        tuning: as :attr:`Data.tuning`.
        photos: as :attr:`Data.photos`.
    """

    train: LabelledFaces
    tuning: LabelledFaces
    photos: FaceSet


@dataclass(frozen=True)
class Data:
    """Faces of the benchmark.

    Attributes:
        train: labelled faces; the first so many are a cell's, the next :attr:`unused` the oracles'.
        tuning: choose the state of each cell.
        testing: score it.
        photos: sources of generated faces, and what is labelled by a parser; label maps of their own are not looked at. None
            where there are none.
        unused: how many faces the oracles have; 0 for none.
        groups: of the testing faces, scored apart.
        detailed: for teachers of a larger size; None where they are of the cells' size.
    """

    train: LabelledFaces
    tuning: LabelledFaces
    testing: LabelledFaces
    photos: FaceSet | None = None
    unused: int = 0
    groups: Groups = field(default_factory=dict)
    detailed: Detailed | None = None

    @cached_property
    def unlabelled(self) -> FaceSet:
        """The photos, without label maps of their own; the same object each time, so that they are hashed once.

        Raises:
            ConfigError: there are none.
        """
        if self.photos is None:
            raise ConfigError("--sources none: this arm needs photos; name some")
        return self.photos if self.photos.labels is None else replace(self.photos, labels=None, predicted=None)

    def labelled(self, count: int) -> LabelledFaces:
        """The first so many."""
        if count > len(self.train) - self.unused:
            spare = f", of which {self.unused} are kept for the oracles" if self.unused else ""
            raise ConfigError(f"--labelled {count}: there are {len(self.train)} labelled faces{spare}; ask for fewer")
        return self.train.select(range(count), lazily=True)

    @property
    def oracle(self) -> LabelledFaces:
        """Labelled faces that nothing but the oracles sees: the last ones.

        Raises:
            ConfigError: none are kept.
        """
        if not self.unused:
            raise ConfigError("--unused 0: the arms photos and transferred need labelled faces of their own; keep some, e.g. 600")
        return self.train.select(range(len(self.train) - self.unused, len(self.train)), lazily=True)

    def about(self) -> dict[str, Any]:
        """What cells depend on, but for the labelled faces of each count; groups are scored anew each time."""
        found = {"tuning": self.tuning.about(), "testing": self.testing.about()}
        found |= {} if self.photos is None else {"photos": self.photos.about()}
        return {**found, "unused": self.unused}


def unseen(photos: FaceSet, *scored: LabelledFaces) -> FaceSet:
    """Photos without those that choose or score: equal pixel by pixel. How many were left out is in ``dropped``."""
    known = {row.tobytes() for faces in scored for row in faces.photo_hashes}
    rows = [number for number, row in enumerate(photos.photo_hashes) if row.tobytes() not in known]
    if len(rows) == len(photos):
        return photos
    if len(rows) < 2:
        raise ConfigError(f"--sources: {photos.title}: all but {len(rows)} are tuning or testing faces; name other photos")
    dropped = {**photos.dropped, "tuning or testing face": len(photos) - len(rows)}
    return replace(photos.select(rows, lazily=True), dropped=dropped)


SHORTEST, PASSES = 12_000, 12
"""Labelled images that a cell sees at least, and how often it sees each labelled face at least.

Enough for a plateau: what is added makes parsers learn faster too, and with a third of it any addition seems to help
(benchmarks/results/tried.json)."""


@dataclass(frozen=True)
class BenchConfig:
    """How cells are trained; everything but the arm, the labelled faces, the parser and the seed is the same in all."""

    seeds: int = 3
    """Repetitions: seeds 0, 1, ..."""
    images: int = 0
    """Labelled images seen in each cell; 0: :data:`PASSES` of each face, :data:`SHORTEST` at least."""
    batch: int = 8
    """Labelled images a step; additions come on top."""
    learning_rate: float = 6e-3
    """AdamW's rate."""
    evaluations: int = 12
    """Points of each tuning curve."""
    rounds: int = 1_000
    """Bootstrap resamples of the intervals."""

    def __post_init__(self) -> None:
        check(
            {
                f"--seeds {self.seeds}: must be 1 or more": self.seeds < 1,
                f"--images {self.images}: must be positive, or 0 for the usual length": self.images < 0,
                f"--rounds {self.rounds}: must be 10 or more": self.rounds < 10,
            }
        )
        self.training(1, 0)

    def training(self, labelled: int, seed: int) -> ParserTraining:
        """How an arm without additions is trained."""
        return ParserTraining(
            images=self.images or max(SHORTEST, PASSES * labelled),
            batch=self.batch,
            learning_rate=self.learning_rate,
            evaluations=self.evaluations,
            seed=seed,
        )


PARSERS: dict[str, dict[str, Any]] = {
    "unet": {},
    "unet-scratch": {"encoder": "resnet18", "pretrained": False},
    "fpn": {"architecture": "fpn"},
}
"""Parsers that arms are compared on: a U-Net with ImageNet weights, one from scratch, and another decoder."""


def parser_config(name: str, data: Data) -> ParserConfig:
    """The network of a name of :data:`PARSERS`."""
    return ParserConfig(size=data.train.size, scheme=data.train.scheme, **PARSERS[name])
