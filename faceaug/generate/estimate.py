"""What a set would take, before it is generated: rows, disk, time, from a part that is generated and thrown away."""

from __future__ import annotations

import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from faceaug.generate.config import GenerateConfig
from faceaug.generate.run import Inputs, prepare
from faceaug.shards.writer import shard_name, write_shard

_MEASURED = 96
"""Faces that are generated to measure how long one takes, at most."""


@dataclass(frozen=True)
class Estimate:
    """What a set would be.

    Attributes:
        rows: planned faces.
        masks: that have any.
        fewest: faces of one of those masks.
        most: likewise.
        edited: share of the measured rows whose mask is changed.
        size: bytes on disk, before filters.
        shards: files.
        seconds: for one process, without what is prepared once.
        rate: faces a second.
        measured: faces that this was measured on.
    """

    rows: int
    masks: int
    fewest: int
    most: int
    edited: float
    size: float
    shards: int
    seconds: float
    rate: float
    measured: int


def estimate(inputs: Inputs, config: GenerateConfig, batch: int = 32) -> Estimate:
    """Plan a set and generate a little of it in a temporary folder.

    Args:
        inputs: what it would be generated from.
        config: what to generate.
        batch: faces at once.
    """
    with tempfile.TemporaryDirectory() as folder:
        run = Path(folder)
        job = prepare(run, inputs, config, batch).job
        rows = len(job.planner)
        count = min(_MEASURED, rows)
        job.make(0, min(batch, rows))  # the first batch is slower: kernels are chosen, shapes of all sources computed
        began = time.perf_counter()
        made = job.make(rows - count, rows)
        taken = time.perf_counter() - began
        plan = job.planner.rows(rows - count, rows)
        scheme = inputs.targets.scheme
        entry = write_shard(
            run / shard_name(0), made.images, made.labels, made.columns, number=0, scheme=scheme, generator="", config={}
        )
        copies = job.planner.copies[job.planner.copies > 0]
    return Estimate(
        rows,
        len(copies),
        int(copies.min()),
        int(copies.max()),
        float(np.mean([bool(edits) for edits in plan.edits])),
        entry["bytes"] / max(entry["rows"], 1) * rows,
        -(-rows // config.rows_per_shard),
        taken / count * rows,
        count / taken,
        count,
    )
