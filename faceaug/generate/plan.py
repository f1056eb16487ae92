"""What is generated: rows of target, edits, sources and seed, each a function of the settings and its own number alone.

A plan is drawn in parts, where and when they are needed: parts of any length are the same as the whole. So processes that share
a set need not wait for one of them to plan it, and a set of a million rows is never planned at once.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import torch

from faceaug.arrays import ByteArray, IntArray
from faceaug.config import check_choice
from faceaug.errors import ConfigError, NothingLeft
from faceaug.gan.components import COMPONENTS
from faceaug.generate.pairing import FINALISTS, GenderMode, Pairing, Wanted
from faceaug.prepare.faces import UNKNOWN, LabelledFaces
from faceaug.prepare.likeness import CANDIDATES
from faceaug.shapes.edits import Edit, apply_edits, draw_edits
from faceaug.shapes.operation import Operation
from faceaug.shapes.target import Target

MixMode = Literal["none", "pairs", "all"]

PEOPLE: dict[str, int] = {"none": 1, "pairs": 2, "all": 4}
"""Sources of a face."""

GROUPS = ((0, 1), (2,), (3,), (4,))
"""Components that are always of one person: both eyes; mouth; skin and nose; hair."""

SKIN_COMPONENT = 3
"""Whose skin it is, is who a face is from, where one name is asked for."""


@dataclass(frozen=True)
class Plan:
    """Rows to be generated, in order.

    Attributes:
        row: ``(R,)`` number of each row in the whole plan.
        target: ``(R,)`` index of each row's target.
        people: ``(R, M)`` indices of its sources; M is 1 where components are not mixed.
        turned: ``(R, M)`` bool: the source is mirrored.
        owner: ``(R, 5)`` int64, 0..M-1: which of the sources each component is from.
        edits: changes of the target's shape, see :mod:`faceaug.shapes.edits`.
        seed: ``(R,)`` uint64 that the row was drawn with.
        rejected: draws of edits that gave no face, by reason.
        changed: the changed targets by position, as far as they are at hand.
    """

    row: IntArray
    target: IntArray
    people: IntArray
    turned: npt.NDArray[np.bool_]
    owner: IntArray
    edits: list[list[Edit]]
    seed: npt.NDArray[np.uint64]
    rejected: Counter[str] = field(default_factory=Counter)
    changed: dict[int, Target] = field(default_factory=dict, compare=False, repr=False)

    def __len__(self) -> int:
        return len(self.row)

    @property
    def source(self) -> IntArray:
        """``(R,)`` index of the source whose skin each row has."""
        found: IntArray = self._of_skin(self.people)
        return found

    @property
    def mirrored(self) -> npt.NDArray[np.bool_]:
        """``(R,)`` bool: that source is mirrored."""
        found: npt.NDArray[np.bool_] = self._of_skin(self.turned)
        return found

    def _of_skin(self, values: Any) -> Any:
        return np.take_along_axis(values, self.owner[:, SKIN_COMPONENT, None], 1)[:, 0]

    def target_arrays(self, targets: LabelledFaces, operations: Mapping[str, Operation]) -> tuple[ByteArray, ByteArray]:
        """Photos ``(R, S, S, 3)`` and label maps ``(R, S, S)`` of the targets, their shapes changed."""
        images, labels = np.array(targets.images[self.target]), np.array(targets.labels[self.target])
        for place, edits in enumerate(self.edits):
            if edits:
                target = self.changed.get(place) or apply_edits(
                    Target(images[place], labels[place], targets.scheme), edits, operations
                )
                images[place], labels[place] = target.image, target.labels
        return images, labels

    def params(self, place: int, sources: LabelledFaces) -> str:
        """What was done for one row, as JSON: ``edits``, and ``sources`` by component where they are several."""
        found: dict[str, Any] = {"edits": self.edits[place]} if self.edits[place] else {}
        if self.people.shape[1] > 1:
            found["sources"] = {
                component.name: {
                    "name": sources.names[int(self.people[place, one])],
                    "mirrored": bool(self.turned[place, one]),
                }
                for component, one in zip(COMPONENTS, self.owner[place], strict=True)
            }
        return json.dumps(found)


@dataclass(frozen=True)
class Shapes:
    """How targets' shapes are changed.

    Attributes:
        operations: by name; none leaves every target as it is.
        share: of the rows whose shape is changed.
        strength: see :class:`~faceaug.shapes.operation.Operation`.
    """

    operations: Mapping[str, Operation] = field(default_factory=dict)
    share: float = 0.5
    strength: float = 1.0


class Planner:
    """Draws the rows of a plan.

    Args:
        targets: labelled faces.
        sources: photos with label maps.
        copies: ``(T,)`` rows of each target.
        mode: ``consistent`` draws only sources of the target's gender; ``filter`` and ``any`` draw from all, but the people that
            a face is mixed from are of one gender all the same.
        mix: ``none``: one source a face; ``pairs``: two, who share the components; ``all``: one for the eyes, one for the mouth,
            one for skin and nose, one for the hair.
        seed: a row depends on it, on the target's number and on the row's number within the target, on nothing else.
        candidates: see :class:`~faceaug.generate.pairing.Pairing`.
        target_male: ``(T,)`` the targets' genders, 1, 0, or -1 for unknown, where they are not the set's own.
        shapes: how targets are changed.
        device: where label maps are compared.

    Attributes:
        dropped: targets left out, by reason.

    Raises:
        ConfigError: more sources a mask than there are.
        NothingLeft: no target can be paired.
    """

    def __init__(
        self,
        targets: LabelledFaces,
        sources: LabelledFaces,
        *,
        copies: IntArray,
        mode: str,
        seed: int,
        mix: str = "none",
        candidates: int = CANDIDATES,
        target_male: IntArray | None = None,
        shapes: Shapes | None = None,
        device: torch.device | None = None,
    ) -> None:
        check_choice("--gender", mode, GenderMode)
        check_choice("--mix", mix, MixMode)
        self.targets, self.sources, self.mode, self.mix, self.seed = targets, sources, mode, mix, seed
        self.shapes = shapes or Shapes()
        self._genders = targets.male if target_male is None else target_male
        known = (self._genders != UNKNOWN) | (mode == "any")
        self.dropped = {"target's gender unknown": int((~known).sum())} if not known.all() else {}
        self.copies = np.where(known, copies, 0)
        self._ends = np.cumsum(self.copies)
        self._pairing = Pairing(sources, candidates=candidates, device=device)
        pools = [self._pairing.available(value) for value in (0, 1)]
        if mode != "consistent":  # all sources, but for the others in a mixture, who are of the first one's gender
            pools = [self._pairing.available(None), *(pool for pool in pools if pool and mix != "none")]
        smallest = min(pools)
        needed = int(self.copies.max(initial=0)) * PEOPLE[mix]
        if needed > smallest:
            raise ConfigError(
                f"--per-mask {int(copies.max())}: there are {smallest} sources to draw from; choose 1 to {smallest}"
                + ("" if mix == "none" else f", a fraction of them with --mix {mix}")
            )
        if not len(self):
            raise NothingLeft("no target has a known gender; use --gender any")
        self._own = _own_photos(targets, sources)
        self._begun: tuple[int, list[_Row]] = (-1, [])

    def __len__(self) -> int:
        return int(self._ends[-1])

    def rows(self, start: int, stop: int) -> Plan:
        """The rows from ``start`` to ``stop``."""
        first, last = (int(np.searchsorted(self._ends, row, side="right")) for row in (start, stop - 1))
        drawn: dict[int, list[_Row]] = {target: [] for target in range(first, last + 1) if self.copies[target]}
        if self._begun[0] in drawn:
            drawn[self._begun[0]] = self._begun[1]
        begins = {target: int(self._ends[target] - self.copies[target]) for target in drawn}
        for k in range(int(self.copies[first : last + 1].max())):
            # Rows of one target follow one another: no source comes twice. Those of different targets are chosen together.
            now = [target for target, rows in drawn.items() if len(rows) == k < min(self.copies[target], stop - begins[target])]
            for target, row in zip(now, self._draw(now, k, drawn), strict=True):
                drawn[target].append(row)
        self._begun = (last, drawn[last])
        return _plan([(begins[t] + k, t, row) for t, rows in drawn.items() for k, row in enumerate(rows)], start, stop)

    def _draw(self, targets: list[int], k: int, drawn: dict[int, list[_Row]]) -> list[_Row]:
        """The rows number ``k`` of some targets."""
        seeds = [int(np.random.SeedSequence([self.seed, target, k]).generate_state(1, np.uint64)[0]) for target in targets]
        shaped = [self._shape(target, seed) for target, seed in zip(targets, seeds, strict=True)]
        owners = [_owner(np.random.default_rng([seed, 2]), self.mix) for seed in seeds]
        genders = [int(self._genders[target]) if self.mode == "consistent" else None for target in targets]
        people: list[list[tuple[int, bool]]] = [[] for _ in targets]
        for number in range(PEOPLE[self.mix]):
            wanted = []
            for place, target in enumerate(targets):
                others = [one for row in drawn[target] for one, _ in row.people] + [one for one, _ in people[place]]
                taken = np.concatenate([self._own.get(target, np.empty(0, np.int64)), np.array(others, np.int64)])
                # The people that a face is mixed from are of the first one's gender.
                gender = genders[place]
                if number and gender is None and (male := int(self.sources.male[people[place][0][0]])) != UNKNOWN:
                    gender = male
                seed = seeds[place] if not number else int(np.random.SeedSequence([seeds[place], 3, number]).generate_state(1)[0])
                # Moving label maps takes longer than generating a face: the others, of whom a part is seen, go by shape alone.
                finalists = 1 if number else FINALISTS
                wanted.append(Wanted(shaped[place].anatomy, gender, seed, taken, finalists))
            for found, one in zip(people, self._pairing.choose(wanted), strict=True):
                found.append(one)
        return [
            _Row(*row) for row in zip(people, owners, [s.edits for s in shaped], seeds, [s.rejected for s in shaped],
                                      [s.target for s in shaped], strict=True)
        ]  # fmt: skip

    def _shape(self, target: int, seed: int) -> _Shaped:
        """The target's shape in one row."""
        rng = np.random.default_rng([seed, 1])
        if self.shapes.operations and rng.random() < self.shapes.share:
            face = Target(self.targets.images[target], self.targets.labels[target], self.targets.scheme)
            edits, changed, rejected = draw_edits(face, self.shapes.operations, rng, self.shapes.strength)
            return _Shaped(edits, changed if edits else None, changed.anatomy, rejected)
        return _Shaped([], None, self.targets.anatomy([target])[0], Counter())


@dataclass(frozen=True)
class _Shaped:
    edits: list[Edit]
    target: Target | None
    anatomy: ByteArray
    rejected: Counter[str]


@dataclass(frozen=True)
class _Row:
    people: list[tuple[int, bool]]
    owner: list[int]
    edits: list[Edit]
    seed: int
    rejected: Counter[str]
    changed: Target | None


def _plan(rows: list[tuple[int, int, _Row]], start: int, stop: int) -> Plan:
    wanted = sorted((row for row in rows if start <= row[0] < stop), key=lambda row: row[0])
    numbers, targets, drawn = zip(*wanted, strict=True)
    return Plan(
        np.array(numbers, dtype=np.int64),
        np.array(targets, dtype=np.int64),
        np.array([[one for one, _ in row.people] for row in drawn], dtype=np.int64),
        np.array([[turned for _, turned in row.people] for row in drawn], dtype=bool),
        np.array([row.owner for row in drawn], dtype=np.int64),
        [row.edits for row in drawn],
        np.array([row.seed for row in drawn], dtype=np.uint64),
        sum((row.rejected for row in drawn), Counter()),
        {place: row.changed for place, row in enumerate(drawn) if row.changed is not None},
    )


def _owner(rng: np.random.Generator, mix: str) -> list[int]:
    """Whose each component is."""
    if mix == "none":
        groups = [0] * len(GROUPS)
    elif mix == "all":
        groups = list(range(len(GROUPS)))
    else:  # both people have at least one group
        second = rng.permutation(len(GROUPS))[: int(rng.integers(1, len(GROUPS)))]
        groups = [int(group in second) for group in range(len(GROUPS))]
    return [groups[next(number for number, group in enumerate(GROUPS) if one in group)] for one in range(len(COMPONENTS))]


def _own_photos(targets: LabelledFaces, sources: LabelledFaces) -> dict[int, IntArray]:
    """Sources that are a target's own photo, or other photos of the same person, by target; found by what the photos contain."""
    if targets.images.shape[1:] != sources.images.shape[1:]:
        return {}
    known = {row.tobytes(): number for number, row in enumerate(targets.photo_hashes)}
    same = [(known.get(row.tobytes()), number) for number, row in enumerate(sources.photo_hashes)]
    order = np.argsort(sources.identity, kind="stable")
    people = sources.identity[order]
    found: dict[int, IntArray] = {}
    for target, source in same:
        if target is not None:
            person = int(sources.identity[source])
            first, last = np.searchsorted(people, [person, person + 1])
            found[target] = order[first:last] if person >= 0 else np.array([source])
    return found


def plan_pairs(
    targets: LabelledFaces,
    sources: LabelledFaces,
    *,
    per_mask: int,
    mode: str,
    seed: int,
    candidates: int = CANDIDATES,
) -> Plan:
    """A whole plan of as many rows for every target, each of one source, the targets as they are; see :class:`Planner`."""
    if per_mask < 1:
        raise ConfigError(f"--per-mask {per_mask}: must be 1 or more")
    copies = np.full(len(targets), per_mask)
    planner = Planner(targets, sources, copies=copies, mode=mode, seed=seed, candidates=candidates)
    return planner.rows(0, len(planner))
