"""Looks of sources: encoded when they are first needed, kept as long as there is room."""

from __future__ import annotations

from collections import OrderedDict

import numpy as np
import torch

from faceaug.gan.batches import mirror_rows
from faceaug.gan.inference import Generator
from faceaug.gan.network import Look
from faceaug.generate.plan import Plan
from faceaug.prepare.faces import LabelledFaces

ROOM = 512 * 2**20
"""Bytes of looks that are kept: of a face of 64 px 20 kB, of one of 256 px 270 kB."""


class LookCache:
    """Encodes sources, each once while it is kept.

    Args:
        generator: with trained weights.
        sources: photos with label maps.
        batch: how many are encoded at once.
        room: bytes that are kept; those used longest ago go first.
    """

    def __init__(self, generator: Generator, sources: LabelledFaces, *, batch: int = 32, room: int = ROOM) -> None:
        self._generator, self._sources, self._batch, self._room = generator, sources, batch, room
        self._looks: OrderedDict[tuple[int, bool], Look] = OrderedDict()
        self.encoded = 0

    def of(self, plan: Plan) -> Look:
        """The looks of a plan's rows, mixed where they are of several people."""
        people = plan.people.shape[1]
        wanted = list(zip(plan.people.ravel().tolist(), plan.turned.ravel().tolist(), strict=True))
        known = {key: self._looks[key] for key in set(wanted) if key in self._looks}
        new = sorted(set(wanted) - known.keys())
        for start in range(0, len(new), self._batch):
            some = new[start : start + self._batch]
            rows, turned = (np.array(column) for column in zip(*some, strict=True))
            look = self._generator.encode(
                *mirror_rows(self._sources.images[rows], self._sources.labels[rows], turned, self._sources.scheme),
                self._sources.scheme,
            )
            # Copies: a slice would keep the whole batch alive.
            known.update({key: look[i : i + 1].map(torch.clone) for i, key in enumerate(some)})
            self.encoded += len(some)
        for key in dict.fromkeys(wanted):
            self._looks[key] = known[key]
            self._looks.move_to_end(key)
        size = sum(tensor.nbytes for tensor in vars(next(iter(known.values()))).values() if tensor is not None)
        while len(self._looks) > max(self._room // size, 1):
            self._looks.popitem(last=False)
        columns = [Look.join([known[key] for key in wanted[one::people]]) for one in range(people)]
        return columns[0] if people == 1 else Look.mix(columns, torch.from_numpy(plan.owner))
