"""Drawn faces as aligned crops in memory."""

from __future__ import annotations

import numpy as np

from faceaug.errors import NothingLeft
from faceaug.labels import HELEN_11
from faceaug.prepare.align import similarity, warp_image, warp_labels
from faceaug.prepare.faces import LabelledFaces

from ..layout import DRAWN
from .drawing import draw_face
from .layouts import HELEN_FRAME
from .traits import draw_person, draw_shot


def drawn_faces(count: int, *, size: int, seed: int = 0) -> LabelledFaces:
    """Aligned faces with label maps of Helen's scheme, each of its own person; the same arguments give the same pixels.

    Args:
        count: how many.
        size: side of the crops in pixels.
        seed: of every face.
    """
    images, labels = [], []
    for number in range(count):
        rng = np.random.default_rng([seed, 2, number])
        drawing = draw_face(draw_person(rng), draw_shot(rng), HELEN_FRAME)
        matrix = similarity(drawing.landmarks, size)
        if matrix is None:
            raise NothingLeft(f"drawn face {number} of seed {seed}: has no landmarks; use another seed")
        images.append(warp_image(drawing.image, matrix, size))
        labels.append(warp_labels(drawing.soft.argmax(0).astype(np.uint8), matrix, size, classes=len(HELEN_11)))
    names = tuple(f"drawn_{number:05d}" for number in range(count))
    unknown = np.full(count, -1, dtype=np.int64)
    return LabelledFaces(DRAWN, names, np.stack(images), np.stack(labels), unknown, unknown)
