"""Lists of operations: which of them a row has, drawn until the result can be a face's, and how they are applied."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

import numpy as np

from faceaug.errors import ConfigError
from faceaug.prepare.faces import LabelledFaces
from faceaug.shapes.geometry import Elastic, Flip, Similarity
from faceaug.shapes.hair import Hair
from faceaug.shapes.model import ShapeModel
from faceaug.shapes.operation import Operation
from faceaug.shapes.parts import Brows, Eyes, Mouth
from faceaug.shapes.plausible import implausible
from faceaug.shapes.target import Target

Edit = dict[str, Any]
"""``{"name": operation, **parameters}``, JSON-able."""

OPERATIONS = ("flip", "similarity", "elastic", "model", "hair", "mouth", "eyes", "brows")
"""In the order in which they are applied: the whole face first."""

ATTEMPTS = 4
"""Draws for a row, of which the first plausible one is taken; after them the mask stays as it is."""


def chosen_operations(text: str) -> tuple[str, ...]:
    """Names of operations from ``mouth,hair``, ``all`` or nothing, in the order in which they are applied.

    Raises:
        ConfigError: there is no such operation.
    """
    names = [name.strip() for name in text.split(",") if name.strip() and name.strip() != "none"]
    unknown = [name for name in names if name not in (*OPERATIONS, "all")]
    if unknown:
        raise ConfigError(f"--shapes {', '.join(unknown)}: unknown; use all, or some of {', '.join(OPERATIONS)}")
    return tuple(name for name in OPERATIONS if name in names or "all" in names)


def build_operations(names: tuple[str, ...], faces: LabelledFaces, model: ShapeModel | None = None) -> dict[str, Operation]:
    """The operations by name.

    Args:
        names: from :func:`chosen_operations`.
        faces: the set whose masks are changed: other people's hair comes from it.
        model: its shape model; fitted where it is needed and not given.
    """
    simple: dict[str, type[Operation]] = {"flip": Flip, "similarity": Similarity, "elastic": Elastic}
    simple |= {"mouth": Mouth, "eyes": Eyes, "brows": Brows}
    found: dict[str, Operation] = {}
    for name in names:
        if name == ShapeModel.name:
            found[name] = model or ShapeModel.fit(faces)
        else:
            found[name] = Hair(faces) if name == Hair.name else simple[name]()
    return found


def apply_edits(target: Target, edits: list[Edit], operations: Mapping[str, Operation]) -> Target:
    """The target with a list of operations applied, one after the other."""
    for edit in edits:
        target = operations[edit["name"]].apply(target, edit)
    return target


def draw_edits(
    target: Target, operations: Mapping[str, Operation], rng: np.random.Generator, strength: float
) -> tuple[list[Edit], Target, Counter[str]]:
    """Operations for one row.

    Args:
        target: the face.
        operations: those to choose from, at least one; each enters with its own chance.
        rng: random numbers.
        strength: see :class:`~faceaug.shapes.operation.Operation`.

    Returns:
        The operations with their parameters, the changed target, and why other draws were rejected. No operations where every
        draw was.
    """
    rejected: Counter[str] = Counter()
    for _ in range(ATTEMPTS):
        names = [name for name, operation in operations.items() if rng.random() < operation.chance]
        names = names or [list(operations)[int(rng.integers(len(operations)))]]
        edits: list[Edit] = [{"name": name, **operations[name].draw(rng, strength)} for name in names]
        changed = apply_edits(target, edits, operations)
        mirrored = "flip" in names
        before = target.scheme.anatomy(target.scheme.flip(target.labels)) if mirrored else target.anatomy
        reason = implausible(changed.anatomy, before)
        if not reason:
            return edits, changed, rejected
        rejected[reason] += 1
    return [], target, rejected
