"""Which sources meet which target: of photos drawn at random, from the seed alone, the one that fits best."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
import numpy.typing as npt
import torch

from faceaug.arrays import ByteArray, FloatArray, IntArray
from faceaug.errors import ConfigError
from faceaug.gan.correspondence import Points, control_points, fit
from faceaug.labels import HELEN_11, fill_ignored
from faceaug.prepare.faces import LabelledFaces
from faceaug.prepare.likeness import CANDIDATES, Likeness, reduced, shape_vectors

GenderMode = Literal["consistent", "filter", "any"]

FINALISTS = 4
"""Candidates most like a target in shape, of which the one is taken whose label map, moved onto the target's, fits it best.

F1 of the moved label maps is 0.812 by shape alone and 0.841 after this choice, at best 0.843 (shape where classes count by their
area: 0.77)."""

_STEPS = 2
"""Steps of the registration that chooses; the five that move pixels choose sources better by 0.001 of F1, in twice the time."""

_POINTS_KEPT = 16_384
"""Sources whose control points are kept, a kilobyte each."""

_TOGETHER = 4
"""Targets whose finalists are moved at once; always as many, so that a row's numbers do not depend on its neighbours."""


@dataclass(frozen=True)
class Wanted:
    """What a source is sought for.

    Attributes:
        anatomy: ``(S, S)`` uint8 of the target, or 255.
        male: gender of the source, 1 or 0; None where it does not matter.
        seed: of the draw.
        taken: sources that are out of the question.
        finalists: candidates most like the target in shape whose label maps are moved onto it; 1 goes by shape alone.
    """

    anatomy: ByteArray
    male: int | None
    seed: int
    taken: IntArray
    finalists: int = FINALISTS


class Pairing:
    """Chooses sources for targets.

    Args:
        sources: photos with label maps.
        candidates: photos drawn for each target, of which, as they are or mirrored, the one that fits the target best is taken
            (:mod:`faceaug.prepare.likeness`, :data:`FINALISTS`); 1 takes any, as the paper does.
        device: where label maps are moved.
    """

    def __init__(self, sources: LabelledFaces, *, candidates: int = CANDIDATES, device: torch.device | None = None) -> None:
        self.sources, self.candidates = sources, candidates
        self._device = device or torch.device("cpu")
        self._pools: dict[int | None, IntArray] = {value: np.flatnonzero(sources.male == value) for value in (0, 1)}
        self._pools[None] = np.arange(len(sources))
        self._points: OrderedDict[tuple[int, bool], tuple[FloatArray, npt.NDArray[np.bool_]]] = OrderedDict()

    @cached_property
    def _shapes(self) -> Likeness:
        return Likeness(self.sources)

    def available(self, male: int | None) -> int:
        """How many sources there are of a gender."""
        return len(self._pools[male])

    def choose(self, wanted: Sequence[Wanted]) -> list[tuple[int, bool]]:
        """A source for each target, and whether it is mirrored; each depends on its own :class:`Wanted` alone.

        Raises:
            ConfigError: all sources of a gender are taken.
        """
        drawn = [self._draw(one) for one in wanted]
        if self.candidates == 1:
            return [(int(one[0]), False) for one in drawn]
        found = []
        for start in range(0, len(wanted), _TOGETHER):
            some = slice(start, start + _TOGETHER)
            anatomies = reduced(np.stack([one.anatomy for one in wanted[some]]))
            # A mirrored source is as like the target as the source is like the mirrored target.
            shapes = [shape_vectors(maps) for maps in (anatomies, HELEN_11.flip(anatomies))]
            finalists = [
                self._finalists(np.unique(one), [shape[i] for shape in shapes], wanted[start + i].finalists)
                for i, one in enumerate(drawn[some])
            ]
            found += self._fittest(finalists, anatomies)
        return found

    def _draw(self, one: Wanted) -> IntArray:
        pool = self._pools[one.male]
        left = pool[~np.isin(pool, one.taken)] if len(one.taken) else pool
        if not len(left):
            gender = "" if one.male is None else f" {('female', 'male')[one.male]}"
            raise ConfigError(f"sources: there are {len(pool)}{gender} ones, too few for one mask; add some, or use fewer a mask")
        found: IntArray = left[np.random.default_rng(one.seed).integers(len(left), size=self.candidates)]
        return found

    def _finalists(self, drawn: IntArray, shapes: list[np.ndarray], count: int) -> list[tuple[int, bool]]:
        vectors = self._shapes.vectors[drawn].astype(np.float32)
        alike = np.concatenate([vectors @ shape for shape in shapes])
        best = np.argsort(-alike, kind="stable")[:count]
        return [(int(drawn[one % len(drawn)]), bool(one >= len(drawn))) for one in best]

    def _fittest(self, finalists: list[list[tuple[int, bool]]], anatomies: ByteArray) -> list[tuple[int, bool]]:
        """Of each target's finalists the one whose moved label map fits its mask best."""
        if all(len(group) == 1 for group in finalists):
            return [group[0] for group in finalists]
        padded = [group + group[-1:] * (FINALISTS - len(group)) for group in finalists]
        padded += padded[-1:] * (_TOGETHER - len(padded))
        rows, mirrored = (np.array(column) for column in zip(*[one for group in padded for one in group], strict=True))
        maps = fill_ignored(reduced(self.sources.anatomy(rows)))
        maps[mirrored] = HELEN_11.flip(maps[mirrored])
        place = np.minimum(np.arange(_TOGETHER), len(anatomies) - 1)
        wanted = torch.from_numpy(fill_ignored(anatomies)[place])
        theirs, own = self._points_of(rows, mirrored, maps), control_points(wanted)
        points = tuple(column.repeat_interleave(FINALISTS, 0).to(self._device) for column in own)
        scores = fit(
            wanted.repeat_interleave(FINALISTS, 0).to(self._device),
            torch.from_numpy(maps).to(self._device),
            points=((points[0], points[1]), theirs),
            steps=_STEPS,
        )
        best = scores.cpu().numpy().reshape(_TOGETHER, FINALISTS).argmax(1)
        return [group[min(int(one), len(group) - 1)] for group, one in zip(finalists, best, strict=False)]

    def _points_of(self, rows: IntArray, mirrored: npt.NDArray[np.bool_], maps: ByteArray) -> Points:
        """Control points of sources, computed when first needed, each alone, so that they depend on no neighbour."""
        keys = list(zip(rows.tolist(), mirrored.tolist(), strict=True))
        for place, key in enumerate(keys):
            if key not in self._points:
                points, present = control_points(torch.from_numpy(maps[place : place + 1]))
                self._points[key] = points.numpy(), present.numpy()
            self._points.move_to_end(key)
        found = [self._points[key] for key in keys]
        while len(self._points) > _POINTS_KEPT:
            self._points.popitem(last=False)
        points, present = (torch.from_numpy(np.concatenate(column)).to(self._device) for column in zip(*found, strict=True))
        return points, present
