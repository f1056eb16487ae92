"""How alike two faces are in shape, from their label maps: which sources fit a target.

A face whose pose, hair and mouth resemble the target's gives it nearly all of its pixels; a random one leaves a third of them to
be invented.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch
from torch.nn import functional as F

from faceaug.labels import FLIP_TABLE, NUM_CLASSES, fill_ignored

ByteArray = npt.NDArray[np.uint8]
FloatArray = npt.NDArray[np.float32]
IntArray = npt.NDArray[np.int64]

CANDIDATES = 1024
"""Photos drawn for a target, of which one most like it in shape is its source."""

_CELLS = 8
"""Cells along a side in which the share of each class is compared."""

_SMALLEST = 0.15
"""Length of a class's shares below which it counts less than the others; about that of a thin brow.

Classes count alike because an open mouth is a hundredth of the face: compared by area, a source with a closed one is as good, and
its teeth have to be invented. F1 of the moved inner mouth with the target's is 0.82; by area it was 0.56."""


def shape_vectors(labels: ByteArray) -> FloatArray:
    """What is where in each face: vectors of length 1 whose scalar product is large for faces of like shape.

    Args:
        labels: ``(N, S, S)`` uint8, 0..10; 255 takes its nearest class.

    Returns:
        ``(N, 11 * 64)`` float32.
    """
    found = np.empty((len(labels), NUM_CLASSES * _CELLS**2), dtype=np.float32)
    for start in range(0, len(labels), 256):
        rows = torch.from_numpy(fill_ignored(labels[start : start + 256])).long()
        shares = F.adaptive_avg_pool2d(F.one_hot(rows, NUM_CLASSES).permute(0, 3, 1, 2).float(), _CELLS)
        alike = shares / shares.flatten(2).norm(dim=2).clamp(min=_SMALLEST)[..., None, None]
        found[start : start + 256] = F.normalize(alike.flatten(1), dim=1).numpy()
    return found


class Likeness:
    """Shapes of a set of faces, as they are and mirrored.

    Args:
        labels: ``(N, S, S)`` uint8, 0..10 or 255.
    """

    def __init__(self, labels: ByteArray) -> None:
        self.vectors = shape_vectors(labels).astype(np.float16)  # 1.4 kB a face

    def __len__(self) -> int:
        return len(self.vectors)

    def of(self, rows: IntArray, mirrored: npt.NDArray[np.bool_]) -> FloatArray:
        """Vectors ``(K, D)`` of some faces, mirrored where asked: cells in the opposite order, left and right exchanged."""
        cells = self.vectors[rows].reshape(-1, NUM_CLASSES, _CELLS, _CELLS)
        turned = cells[:, FLIP_TABLE[:NUM_CLASSES], :, ::-1]
        return np.where(mirrored[:, None, None, None], turned, cells).reshape(len(rows), -1).astype(np.float32)
