"""The faces of one shard: planned and read in a thread, generated, judged in another thread, filtered."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from faceaug.arrays import ByteArray, Float32Array, IntArray
from faceaug.gan.inference import CHUNK, Generator
from faceaug.generate.agreement import agreement
from faceaug.generate.filters import Candidates, Doubt, Filter
from faceaug.generate.looks import LookCache
from faceaug.generate.plan import Plan, Planner
from faceaug.generate.tone import typology_angles
from faceaug.labels import IGNORE
from faceaug.parser.predict import Parser, predict_against
from faceaug.prepare.faces import LabelledFaces
from faceaug.shapes.operation import Operation
from faceaug.training.ahead import Ahead

SHOWN = 4
"""Dropped faces of each reason that a shard keeps pictures of."""


@dataclass(frozen=True)
class Made:
    """What became of a shard's planned rows.

    Attributes:
        images: ``(N, S, S, 3)`` uint8 RGB of the faces that stay.
        labels: ``(N, S, S)`` uint8.
        columns: their other columns, see :mod:`faceaug.shards.columns`.
        dropped: faces that do not, by reason.
        shown: pictures of some of them, by reason: ``(K, 2, S, S, 3)`` uint8 RGB, face and mask.
        rejected: draws of shapes that gave no face, by reason.
        seconds: spent on each part of the work; ``idle`` is what generating waited for the threads.
    """

    images: ByteArray
    labels: ByteArray
    columns: dict[str, Any]
    dropped: dict[str, int]
    shown: dict[str, ByteArray]
    rejected: dict[str, int]
    seconds: dict[str, float]


@dataclass
class Painter:
    """Generates planned rows.

    Attributes:
        targets: labelled faces.
        sources: photos with label maps.
        generator: with trained weights.
        operations: changes of shape that plans may have.
        batch: faces at once; changes nothing in the result.
    """

    targets: LabelledFaces
    sources: LabelledFaces
    generator: Generator
    operations: Mapping[str, Operation]
    batch: int = 32
    looks: LookCache = field(init=False)

    def __post_init__(self) -> None:
        self.looks = LookCache(self.generator, self.sources, batch=self.batch)

    def generate(self, plan: Plan, images: ByteArray, labels: ByteArray) -> ByteArray:
        """Faces ``(R, S, S, 3)`` uint8 RGB of a plan's rows, on targets from :meth:`Plan.target_arrays`."""
        return self.generator.generate(self.looks.of(plan), images, labels)


@dataclass(frozen=True)
class Judged:
    """A part of a shard: what was generated, and what the judge says of it."""

    plan: Plan
    images: ByteArray
    labels: ByteArray
    agreement: Float32Array
    likely: Float32Array


@dataclass(frozen=True)
class ShardJob:
    """Makes the faces of any shard of a set.

    Attributes:
        planner: of the whole set.
        painter: generates its rows.
        judge: predicts label maps of the generated faces.
        filters: in order: a face is dropped for the first reason that applies.
        doubt: which pixels become unknown.
        target_male: ``(T,)`` int64.
    """

    planner: Planner
    painter: Painter
    judge: Parser
    filters: Sequence[Filter]
    doubt: Doubt
    target_male: IntArray

    def make(self, start: int, stop: int, done: Callable[[int], None] = lambda row: None) -> Made:
        """Generate the planned rows from ``start`` to ``stop``; ``done`` is told how far it has come."""
        painter = self.painter
        batch = -(-painter.batch // CHUNK) * CHUNK  # the generator fills its batches up to these
        bounds = [(at, min(at + batch, stop)) for at in range(start, stop, batch)]
        seconds = {"generate": 0.0, "encode": 0.0, "idle": 0.0}
        spent = {"plan": 0.0, "judge": 0.0}  # in the threads

        def prepare(part: int) -> tuple[Plan, ByteArray, ByteArray]:
            began = time.perf_counter()
            plan = self.planner.rows(*bounds[part])
            arrays = plan.target_arrays(painter.targets, painter.operations)
            spent["plan"] += time.perf_counter() - began
            return plan, *arrays

        def judge(plan: Plan, images: ByteArray, labels: ByteArray) -> Judged:
            began = time.perf_counter()
            read, likely = predict_against(self.judge, images, labels)
            fits = agreement(read, labels)
            spent["judge"] += time.perf_counter() - began
            return Judged(plan, images, labels, fits, likely)

        pending: list[Future[Judged]] = []
        with Ahead(prepare, steps=len(bounds)) as ahead, ThreadPoolExecutor(1, thread_name_prefix="judge") as pool:
            for part, (_, end) in enumerate(bounds):
                plan, target_images, labels = ahead.get(part)
                began = time.perf_counter()
                look = painter.looks.of(plan)
                encoded = time.perf_counter()
                images = painter.generator.generate(look, target_images, labels)
                seconds["encode"] += encoded - began
                seconds["generate"] += time.perf_counter() - encoded
                if len(pending) > 1:  # the judge never falls behind by more than a part
                    began = time.perf_counter()
                    pending[-2].result()
                    seconds["idle"] += time.perf_counter() - began
                pending.append(pool.submit(judge, plan, images, labels))
                done(end)
            began = time.perf_counter()
            parts = [one.result() for one in pending]
            seconds["idle"] += time.perf_counter() - began + ahead.waited
        began = time.perf_counter()
        made = self._filtered(parts)
        seconds["filter"] = time.perf_counter() - began
        made.seconds.update({name: round(value, 3) for name, value in {**seconds, **spent}.items()})
        return made

    def _filtered(self, parts: list[Judged]) -> Made:
        targets, sources = self.painter.targets, self.painter.sources
        images, labels, fits, likely = (
            np.concatenate([getattr(part, name) for part in parts]) for name in ("images", "labels", "agreement", "likely")
        )
        target, source = (np.concatenate([getattr(part.plan, name) for part in parts]) for name in ("target", "source"))
        faces = Candidates(images, labels, fits, likely, self.target_male[target], source)
        keep = np.ones(len(images), dtype=bool)
        dropped: dict[str, int] = {}
        shown: dict[str, ByteArray] = {}
        for one in self.filters:
            lost = np.flatnonzero(keep & ~one.keep(faces))
            if len(lost):
                dropped[one.reason] = len(lost)
                some = lost[:SHOWN]
                shown[one.reason] = np.stack([images[some], targets.scheme.colour(labels[some])], 1)
                keep[lost] = False
        known = self.doubt.labels(labels, likely)
        unknown = ((known == IGNORE) & (labels != IGNORE)).mean((1, 2))
        kept = np.flatnonzero(keep)
        params = [part.plan.params(place, sources) for part in parts for place in range(len(part.plan))]
        row, mirrored, seed = (
            np.concatenate([getattr(part.plan, name) for part in parts]) for name in ("row", "mirrored", "seed")
        )
        columns: dict[str, Any] = {
            "target": [targets.names[i] for i in target[kept]],
            "source": [sources.names[i] for i in source[kept]],
            "row": row[kept],
            "seed": seed[kept],
            "agreement": fits[kept],
            "params": [params[i] for i in kept],
            "target_male": self.target_male[target[kept]],
            "source_male": sources.male[source[kept]],
            "source_mirrored": mirrored[kept].astype(np.int64),
            "mask_read": (~targets.human[target[kept]]).astype(np.int64),
            "unknown": unknown[kept].astype(np.float32),
            "ita": typology_angles(images[kept], targets.scheme.anatomy(labels[kept])),
        }
        rejected = sum((part.plan.rejected for part in parts), Counter())
        return Made(images[kept], known[kept], columns, dropped, shown, dict(rejected), {})
