"""Which sources meet which target: of photos drawn at random, from the seed alone, the one that fits best."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt
import torch

from faceaug.arrays import IntArray
from faceaug.errors import ConfigError, NothingLeft
from faceaug.gan.correspondence import fit
from faceaug.labels import HELEN_11, fill_ignored
from faceaug.prepare.faces import UNKNOWN, LabelledFaces
from faceaug.prepare.likeness import CANDIDATES, Likeness, reduced, shape_vectors
from faceaug.progress import Progress

GenderMode = Literal["consistent", "filter", "any"]

FINALISTS = 4
"""Candidates most like a target in shape, of which the one is taken whose label map, moved onto the target's, fits it best.

F1 of the moved label maps is 0.82 by shape alone and 0.84 after this choice (0.77 where classes count by their area)."""

_TOGETHER = 4
"""Targets whose finalists are moved at once."""


@dataclass(frozen=True)
class Plan:
    """Rows to be generated, in order.

    Attributes:
        target: ``(R,)`` index of each row's target.
        source: ``(R,)`` index of its source.
        mirrored: ``(R,)`` bool: the source is mirrored.
        seed: ``(R,)`` uint64 that its source was drawn with.
        dropped: targets left out, by reason.
    """

    target: IntArray
    source: IntArray
    mirrored: npt.NDArray[np.bool_]
    seed: npt.NDArray[np.uint64]
    dropped: dict[str, int]

    def __len__(self) -> int:
        return len(self.target)


def check_gender_mode(mode: str) -> None:
    """Raise ConfigError unless ``mode`` is one of :data:`GenderMode`."""
    if mode not in get_args(GenderMode):
        raise ConfigError(f"--gender {mode}: unknown; use {', '.join(get_args(GenderMode))}")


def plan_pairs(
    targets: LabelledFaces,
    sources: LabelledFaces,
    *,
    per_mask: int,
    mode: str,
    seed: int,
    candidates: int = CANDIDATES,
    target_male: IntArray | None = None,
) -> Plan:
    """Draw ``per_mask`` different sources for every target.

    Args:
        targets: labelled faces.
        sources: photos with label maps.
        per_mask: sources a target.
        candidates: photos drawn for each row, of which, as they are or mirrored, the one that fits the target best is taken
            (:mod:`faceaug.prepare.likeness`, :data:`FINALISTS`); 1 takes any, as the paper does.
        target_male: ``(T,)`` the targets' genders, 1, 0, or -1 for unknown, where they are not the set's own.
        mode: ``consistent`` draws only sources of the target's gender; ``filter`` and ``any`` draw from all.
        seed: a row's source depends on it, the target's number and the row's number within the target, on nothing else.

    Raises:
        ConfigError: more sources a mask than there are.
        NothingLeft: no target can be paired.
    """
    check_gender_mode(mode)
    genders = targets.male if target_male is None else target_male
    pools = {value: np.flatnonzero(sources.male == value) for value in (0, 1)}
    everyone = np.arange(len(sources))
    smallest = min(len(pool) for pool in pools.values()) if mode == "consistent" else len(everyone)
    if not 1 <= per_mask <= smallest:
        raise ConfigError(f"--per-mask {per_mask}: there are {smallest} sources to draw from; choose 1 to {smallest}")
    # A mirrored source is as like the target as the source is like the mirrored target.
    wanted = None
    if candidates > 1:
        anatomies = np.concatenate([reduced(targets.anatomy(slice(at, at + 1024))) for at in range(0, len(targets), 1024)])
        wanted = [shape_vectors(maps) for maps in (anatomies, HELEN_11.flip(anatomies))]
    shapes = Likeness(sources) if candidates > 1 else None
    rows: list[tuple[int, int, bool, int]] = []
    known = [index for index, male in enumerate(genders) if mode == "any" or male != UNKNOWN]
    dropped = Counter({"target's gender unknown": len(genders) - len(known)} if len(known) < len(genders) else {})
    chosen: dict[int, list[int]] = {index: [] for index in known}
    with Progress("choosing sources", len(known) * per_mask, unit="faces") as progress:
        for k in range(per_mask):
            finalists: list[tuple[int, int, bool, int]] = []
            for index in known:
                pool = pools[int(genders[index])] if mode == "consistent" else everyone
                row_seed = int(np.random.SeedSequence([seed, index, k]).generate_state(1, np.uint64)[0])
                left = pool[~np.isin(pool, chosen[index])] if k else pool
                drawn = left[np.random.default_rng(row_seed).integers(len(left), size=candidates)]
                if shapes is None or wanted is None:
                    finalists.append((index, int(drawn[0]), False, row_seed))
                    continue
                drawn = np.unique(drawn)
                vectors = shapes.vectors[drawn].astype(np.float32)
                alike = np.concatenate([vectors @ shape[index] for shape in wanted])
                best = np.argsort(-alike, kind="stable")[:FINALISTS]
                finalists += [(index, int(drawn[one % len(drawn)]), bool(one >= len(drawn)), row_seed) for one in best]
            for row in _fittest(finalists, targets, sources, progress):
                chosen[row[0]].append(row[1])
                rows.append(row)
    rows.sort(key=lambda row: row[0])  # stable: a target's rows stay in the order in which they were drawn
    if not rows:
        raise NothingLeft("no target has a known gender; use --gender any")
    target, source, mirrored, seeds = zip(*rows, strict=True)
    return Plan(
        np.array(target, dtype=np.int64),
        np.array(source, dtype=np.int64),
        np.array(mirrored, dtype=bool),
        np.array(seeds, dtype=np.uint64),
        dict(dropped),
    )


def _fittest(
    finalists: list[tuple[int, int, bool, int]], targets: LabelledFaces, sources: LabelledFaces, progress: Progress
) -> Iterator[tuple[int, int, bool, int]]:
    """Of each target's finalists, which follow one another, the one whose moved label map fits its mask best."""
    groups = [list(group) for _, group in groupby(finalists, key=lambda row: row[0])]
    done = progress.count
    for start in range(0, len(groups), _TOGETHER):
        some = groups[start : start + _TOGETHER]
        rows = [row for group in some for row in group]
        best = np.zeros(len(rows))
        if any(len(group) > 1 for group in some):
            target, source, mirrored, _ = (np.array(column) for column in zip(*rows, strict=True))
            maps = fill_ignored(reduced(sources.anatomy(source)))
            maps[mirrored] = HELEN_11.flip(maps[mirrored])
            wanted = fill_ignored(reduced(targets.anatomy(target)))
            best = fit(torch.from_numpy(wanted), torch.from_numpy(maps)).numpy()
        place = 0
        for group in some:
            yield group[int(np.argmax(best[place : place + len(group)]))]
            place += len(group)
        progress.update(done + start + len(some))
