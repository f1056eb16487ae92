"""A row of a set generated again, to see that it is what its parameters say."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from faceaug.arrays import ByteArray
from faceaug.config import from_dict
from faceaug.errors import CheckpointMismatch
from faceaug.generate.config import GenerateConfig
from faceaug.generate.job import Made
from faceaug.generate.plan import Plan
from faceaug.generate.run import PREPARED, Inputs, identity, prepare
from faceaug.pictures import grid
from faceaug.shards.index import read_index
from faceaug.shards.reader import ShardReader


@dataclass(frozen=True)
class Replayed:
    """A row, generated again.

    Attributes:
        plan: what was planned for it.
        image: ``(S, S, 3)`` uint8 RGB as it is now.
        labels: ``(S, S)`` uint8 likewise.
        different: pixels of the image, and of the label map, that are not as they are in the set.
        picture: target, mask, sources, the row in the set and the row now, side by side, RGB.
    """

    plan: Plan
    image: ByteArray
    labels: ByteArray
    different: tuple[int, int]
    picture: ByteArray


def replay(folder: Path, row: int, inputs: Inputs) -> Replayed:
    """Plan and generate one row of a set again.

    On the device and with the versions that made the set it is the same bit for bit.

    Args:
        folder: the set.
        row: position in the set, from 0.
        inputs: what the set was generated from.

    Raises:
        CheckpointMismatch: the inputs are others than the set's, or the set is a merged one.
        IndexError: there is no such row.
        ShardDamaged: not a finished set, or damaged.
    """
    index, reader = read_index(folder), ShardReader(folder)
    if not (folder / PREPARED).is_file() or "generate" not in index:
        raise CheckpointMismatch(f"{folder}: was not made by `faceaug generate`, or by an older one; its rows cannot be replayed")
    for name, now in identity(inputs).items():
        if index.get(name) != now:
            raise CheckpointMismatch(f"{folder}: was made with other {name} than are there now; name those with its option")
    config = from_dict(GenerateConfig, index["generate"], where=str(folder))
    about = reader.about(row)
    number = int(about["row"])
    job = prepare(folder, inputs, config, batch=1).job
    made: Made = job.make(number, number + 1)
    if not len(made.images):
        raise CheckpointMismatch(f"{folder}: row {row} is dropped by the filters now; this device rounds otherwise")
    stored, labels = reader.face(row)
    plan = job.planner.rows(number, number + 1)
    targets, sources = inputs.targets, inputs.sources
    image, mask = plan.target_arrays(targets, job.painter.operations)
    photos = [sources.images[int(one)] for one in plan.people[0]]
    shown = [image[0], targets.scheme.colour(mask[0]), *photos, stored, made.images[0], targets.scheme.colour(made.labels[0])]
    different = int((made.images[0] != stored).any(-1).sum()), int((made.labels[0] != labels).sum())
    reader.close()
    return Replayed(plan, made.images[0], made.labels[0], different, grid([(f"row {row}", shown)], cell=128))
