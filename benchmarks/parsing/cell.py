"""A cell: one parser trained in one arm, and what it predicts for the faces that score it."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
import numpy.typing as npt

from faceaug.arrays import ByteArray
from faceaug.compute.device import Compute
from faceaug.config import to_dict
from faceaug.errors import DatasetDamaged
from faceaug.files import atomic_file, read_json, short_hash
from faceaug.parser.additions import Addition
from faceaug.parser.config import ParserConfig, ParserTraining
from faceaug.parser.metrics import confusion, scores
from faceaug.parser.predict import load_parser, predict_labels
from faceaug.parser.train import REPORT, fit_parser
from faceaug.prepare.faces import LabelledFaces
from faceaug.runs.jobs import Cell
from faceaug.runs.log import read_log

from .arms import CONTINUE, Arm
from .data import Data
from .sets import Sets

PREDICTED = "predicted.npz"
"""In a cell's folder: ``labels``, the predicted label maps of the scored faces, for pictures."""

FACES = "faces.npz"
"""In a cell's folder: ``matrices``, the confusion matrix of each scored face. With :data:`faceaug.runs.jobs.DONE` it is all that
a benchmark needs of a cell that is done, so that the two travel to another machine, or stay when weights are deleted."""


DAMAGED = (OSError, ValueError, KeyError, EOFError, BadZipFile)
"""What reading an array file raises where it is missing or damaged."""


@dataclass(frozen=True)
class Training:
    """A cell and what it is trained on.

    Attributes:
        run: the benchmark's folder.
        arm: what is added, and how.
        sets: the additions of the cell's labelled faces.
        parser: by name, and its network.
        usual: the training of an arm without additions, with the cell's seed.
        data: who chooses and who scores.
        compute: device and precision.
    """

    run: Path
    arm: Arm
    sets: Sets
    parser: tuple[str, ParserConfig]
    usual: ParserTraining
    data: Data
    compute: Compute

    @cached_property
    def _trained(self) -> tuple[ParserTraining, tuple[float, ...]]:
        return self.arm.training(self.usual)

    @property
    def _plain(self) -> bool:
        """Whether it is the labelled faces alone: such parsers are trained once, for whatever they are needed."""
        return self.arm.real and not self.arm.added and self.arm.schedule != CONTINUE

    @property
    def _before(self) -> ParserTraining:
        """The training that an arm continues: that of the labelled faces alone, augmented as the arm's are."""
        return replace(self.usual, augment=self.arm.augment)

    @cached_property
    def _first(self) -> Cell | None:
        """The job of the parser that it is, or that it continues from."""
        if self._plain or self.arm.schedule == CONTINUE:
            return self.sets.plain(self.parser[1], self._before)
        return None

    @cached_property
    def job(self) -> Cell:
        """The cell as a job; its folder is named after all that its result depends on."""
        training, shares = self._trained
        identity = {
            "parser": to_dict(self.parser[1]),
            "training": to_dict(training),
            "labelled": self.sets.labelled.about() if self.arm.real else None,
            "added": [{**self.sets.about(one.what), "share": share} for one, share in zip(self.arm.added, shares, strict=True)],
            "tuning": self.data.tuning.about(),
            "testing": self.data.testing.about(),
            **({"continues": to_dict(self._before)} if self.arm.schedule == CONTINUE else {}),
        }
        words = (self.arm.name, str(self.sets.count), self.parser[0], f"seed{self.usual.seed}", short_hash(identity))
        name = "-".join("".join(letter if letter.isalnum() or letter in "+." else "_" for letter in word) for word in words)
        needs = dict.fromkeys(need for one in self.arm.added for need in self.sets.needs(one.what))
        needs |= {} if self._first is None else {self._first: None}
        return Cell(self.run / "cells" / name, self._compute, self._told, needs=tuple(needs))

    def _told(self, result: dict[str, Any]) -> str:
        return (
            f"{self.arm.name}, {self.sets.count} labelled, {self.parser[0]}, seed {self.usual.seed}: "
            f"mean F1 {result['scores']['mean_f1']:.4f}"
        )

    def _compute(self) -> dict[str, Any]:
        began = time.monotonic()
        folder = self.job.folder
        trained = self._first.folder if self._plain and self._first is not None else self._fit(folder)
        testing = self.data.testing
        predicted = predict_labels(load_parser(trained, self.compute), testing.images, batch=64)
        with atomic_file(folder / PREDICTED) as path, open(path, "wb") as handle:
            np.savez_compressed(handle, labels=predicted)
        found = matrices(predicted, testing)
        with atomic_file(folder / FACES) as path, open(path, "wb") as handle:
            np.savez_compressed(handle, matrices=found.astype(np.int32))
        report = read_json(trained / REPORT, "seconds", "best", advice="delete its folder to compute this cell again")
        return {
            "arm": self.arm.name,
            "labelled": self.sets.count,
            "parser": self.parser[0],
            "seed": self.usual.seed,
            "folder": folder.name,
            "compute": f"{self.compute.device.type}, {self.compute.precision}",
            "seconds": round(report["seconds"], 1),
            "whole_seconds": round(time.monotonic() - began, 1),
            "best_at": report["best"]["images"],
            "tuning": report["best"]["mean_f1"],
            "scores": scores(found.sum(axis=0), testing.scheme),
            "curve": [[row["images"], row["tuning"]["mean_f1"]] for row in read_log(trained / "log.jsonl")],
        }

    def _fit(self, folder: Path) -> Path:
        """Train the cell's parser in its folder."""
        training, shares = self._trained
        added = [
            Addition(one.what, self.sets.faces(one.what), share, taught=one.taught)
            for one, share in zip(self.arm.added, shares, strict=True)
        ]
        faces = self.sets.labelled
        if not self.arm.real:  # weights of classes, too, come from what is seen
            faces, added = added[0].faces.labelled(), added[1:]
        fit_parser(
            folder,
            faces=faces,
            tuning=self.data.tuning,
            parser=self.parser[1],
            training=training,
            compute=self.compute,
            record={"arm": self.arm.name},
            additions=added,
            start=None if self._first is None else load_parser(self._first.folder, self.compute),
            label=f"{self.arm.name}, {self.sets.count} labelled, seed {self.usual.seed}",
        )
        return folder


def predictions(folder: Path) -> ByteArray | None:
    """The label maps that a cell predicted, ``(F, S, S)`` uint8; None where they were left behind or are damaged."""
    try:
        with np.load(folder / PREDICTED) as stored:
            found: ByteArray = stored["labels"]
    except DAMAGED:
        return None
    return found


def face_matrices(folder: Path) -> npt.NDArray[np.int64]:
    """The confusion matrices ``(F, K, K)`` of a cell that is done.

    Raises:
        DatasetDamaged: they are missing or damaged.
    """
    path = folder / FACES
    try:
        with np.load(path) as stored:
            found: npt.NDArray[np.int64] = stored["matrices"].astype(np.int64)
    except DAMAGED as error:
        raise DatasetDamaged(f"{path}: missing or damaged; delete its folder to compute this cell again") from error
    return found


def matrices(predicted: ByteArray, testing: LabelledFaces) -> npt.NDArray[np.int64]:
    """Confusion matrices ``(F, K, K)`` of the scored faces."""
    truth, classes = testing.labels[:], len(testing.scheme)
    return np.stack([confusion(a, b, classes=classes) for a, b in zip(predicted, truth, strict=True)])
