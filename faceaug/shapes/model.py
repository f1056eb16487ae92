"""A shape model: principal components of signed distance maps, along which outlines change while their own detail stays.

It moves the outlines of head and face. Brows, eyes and lips are one or two pixels high at 64 px, less than a component of all
masks moves them by: they would vanish, so they stay where they are and have operations of their own.
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import torch
from safetensors.torch import load_file, save_file
from sklearn.decomposition import PCA

from faceaug.arrays import ByteArray, Float32Array
from faceaug.errors import CheckpointMismatch
from faceaug.files import atomic_file
from faceaug.labels import BACKGROUND, HAIR, IGNORE, SKIN, fill_ignored
from faceaug.prepare.faces import LabelledFaces
from faceaug.prepare.likeness import reduced
from faceaug.shapes.distances import signed_distance
from faceaug.shapes.operation import Params, rounded
from faceaug.shapes.target import Target, among

MODES = 16
"""Components; those of 200 masks hold four fifths of the variance."""

_MOST = 1000
"""Masks that a model is fitted to, at most; evenly over the set."""


def outlines(parts: ByteArray) -> Float32Array:
    """Signed distances of an anatomy's head, which is face and hair, and of its face: ``(S, S)`` to ``(2, S, S)`` float32."""
    return np.stack([signed_distance(parts != BACKGROUND), signed_distance(~among(parts, BACKGROUND, HAIR))])


class ShapeModel:
    """How the masks of a set differ.

    Args:
        modes: ``(M, 2, s, s)`` float32: changes of the signed distances of head and face, of one standard deviation each.
    """

    name, chance = "model", 0.3

    def __init__(self, modes: Float32Array) -> None:
        self.modes = modes

    @classmethod
    def fit(cls, faces: LabelledFaces) -> ShapeModel:
        """The model of a set's masks; at most 64 px, which is enough for how heads differ."""
        rows = np.unique(np.linspace(0, len(faces) - 1, min(len(faces), _MOST)).round().astype(np.int64))
        maps = np.stack([outlines(fill_ignored(reduced(faces.anatomy([row])))[0]) for row in rows])
        shape = maps.shape[1:]
        count = min(MODES, len(rows) - 1)
        if count < 1:
            return cls(np.zeros((1, *shape), dtype=np.float32))
        found = PCA(count, svd_solver="randomized", random_state=0).fit(maps.reshape(len(rows), -1))
        modes = found.components_ * np.sqrt(found.explained_variance_)[:, None]
        return cls(np.ascontiguousarray(modes.reshape(count, *shape), dtype=np.float32))

    def draw(self, rng: np.random.Generator, strength: float) -> Params:
        """How many standard deviations along each component; 1.5 at most, whatever the strength."""
        drawn = np.clip(rng.standard_normal(len(self.modes)) * 0.5 * strength, -1.5, 1.5)
        return {"deviations": [rounded(value) for value in drawn]}

    def apply(self, target: Target, params: Params) -> Target:
        """See the protocol."""
        change = np.tensordot(np.array(params["deviations"], dtype=np.float32), self.modes, 1)
        if change.shape[-1] != target.size:
            side = (target.size, target.size)
            change = np.stack([cv2.resize(plane, side, interpolation=cv2.INTER_LINEAR) for plane in change])
        parts = fill_ignored(target.anatomy[None])[0]
        head, face = outlines(parts) + change
        inner = ~among(parts, BACKGROUND, SKIN, HAIR)
        beside_face = HAIR if (parts == HAIR).any() else SKIN  # who has no hair gets none
        shape = np.where(head >= 0, BACKGROUND, np.where(face < 0, SKIN, beside_face))
        changed = np.where(inner, parts, shape).astype(np.uint8)
        return target.with_anatomy(np.where(target.anatomy == IGNORE, IGNORE, changed))

    def save(self, path: Path) -> None:
        """Write the model, whole or not at all."""
        with atomic_file(path) as part:
            save_file({"modes": torch.from_numpy(self.modes)}, part)

    @classmethod
    def load(cls, path: Path) -> ShapeModel:
        """Read a saved model.

        Raises:
            CheckpointMismatch: the file is damaged.
        """
        try:
            return cls(load_file(path)["modes"].numpy())
        except Exception as error:  # safetensors has exceptions of its own
            raise CheckpointMismatch(f"{path}: not a shape model ({error}); delete it, and it is fitted again") from error
