"""Changes of the whole face: mirrored, turned and scaled, bent. Photo and label map move together."""

from __future__ import annotations

import math

import cv2
import numpy as np

from faceaug.shapes.operation import Params, pixels, resample, rounded
from faceaug.shapes.target import Target


class Flip:
    """The mirrored face, left and right classes exchanged."""

    name, chance = "flip", 0.5

    def draw(self, rng: np.random.Generator, strength: float) -> Params:
        """Nothing is drawn: a face is mirrored or it is not."""
        return {}

    def apply(self, target: Target, params: Params) -> Target:
        """See the protocol; twice gives the target back."""
        image = np.ascontiguousarray(target.image[:, ::-1])
        return Target(image, target.scheme.flip(target.labels), target.scheme)


class Similarity:
    """The face turned, scaled and shifted: up to 8 degrees, 10 % and 3 % of the side."""

    name, chance = "similarity", 0.5

    def draw(self, rng: np.random.Generator, strength: float) -> Params:
        """Degrees, natural logarithm of the scale, and shifts as shares of the side."""
        angle, scale, right, down = rng.uniform(-1, 1, 4) * strength * (8.0, 0.1, 0.03, 0.03)
        return {"angle": rounded(angle), "log_scale": rounded(scale), "right": rounded(right), "down": rounded(down)}

    def apply(self, target: Target, params: Params) -> Target:
        """See the protocol."""
        x, y = pixels(target.size)
        middle = (target.size - 1) / 2
        angle, scale = math.radians(params["angle"]), math.exp(-params["log_scale"])
        across, along = x - middle - params["right"] * target.size, y - middle - params["down"] * target.size
        cos, sin = scale * math.cos(angle), scale * math.sin(angle)
        moved_x, moved_y = cos * across + sin * along + middle, cos * along - sin * across + middle
        return resample(target, moved_x.astype(np.float32), moved_y.astype(np.float32))


_KNOTS = 4


class Elastic:
    """The face bent by a smooth field: a standard deviation of 1.5 % of the side at 4 x 4 knots."""

    name, chance = "elastic", 0.4

    def draw(self, rng: np.random.Generator, strength: float) -> Params:
        """Displacements of the knots as shares of the side."""
        knots = np.clip(rng.standard_normal((2, _KNOTS, _KNOTS)), -2, 2) * 0.015 * strength
        return {"right": [rounded(value) for value in knots[0].flat], "down": [rounded(value) for value in knots[1].flat]}

    def apply(self, target: Target, params: Params) -> Target:
        """See the protocol."""
        x, y = pixels(target.size)

        def field(name: str) -> np.ndarray:
            knots = np.array(params[name], dtype=np.float32).reshape(_KNOTS, _KNOTS)
            return cv2.resize(knots, (target.size, target.size), interpolation=cv2.INTER_CUBIC) * target.size

        return resample(target, x - field("right"), y - field("down"))
