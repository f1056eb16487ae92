"""How alike two faces are in shape, from their anatomies: which sources fit a target.

A face whose pose, hair and mouth resemble the target's gives it nearly all of its pixels; a random one leaves a third of them to
be invented.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch
from torch.nn import functional as F

from faceaug.arrays import ByteArray, Float32Array, IntArray
from faceaug.labels import HELEN_11, NUM_PARTS, fill_ignored
from faceaug.prepare.faces import LabelledFaces

CANDIDATES = 1024
"""Photos drawn for a target, of which one most like it in shape is its source."""

_CELLS = 8
"""Cells along a side in which the share of each class is compared."""

_SMALLEST = 0.15
"""Length of a class's shares below which it counts less than the others; about that of a thin brow.

Classes count alike because an open mouth is a hundredth of the face: compared by area, a source with a closed one is as good, and
its teeth have to be invented. F1 of the moved inner mouth with the target's is 0.82; by area it was 0.56."""


def shape_vectors(anatomies: ByteArray) -> Float32Array:
    """What is where in each face: vectors of length 1 whose scalar product is large for faces of like shape.

    Args:
        anatomies: ``(N, S, S)`` uint8, see :meth:`faceaug.labels.Scheme.anatomy`; 255 takes its nearest part.

    Returns:
        ``(N, 11 * 64)`` float32.
    """
    found = np.empty((len(anatomies), NUM_PARTS * _CELLS**2), dtype=np.float32)
    anatomies = reduced(anatomies)
    for start in range(0, len(anatomies), 256):
        rows = torch.from_numpy(fill_ignored(anatomies[start : start + 256])).long()
        shares = F.adaptive_avg_pool2d(F.one_hot(rows, NUM_PARTS).permute(0, 3, 1, 2).float(), _CELLS)
        alike = shares / shares.flatten(2).norm(dim=2).clamp(min=_SMALLEST)[..., None, None]
        found[start : start + 256] = F.normalize(alike.flatten(1), dim=1).numpy()
    return found


def reduced(anatomies: ByteArray) -> ByteArray:
    """Maps ``(N, S, S)`` of more than 64 px at 64 px, where all faces are compared at the same cost."""
    step = max(anatomies.shape[1] // 64, 1)
    return np.ascontiguousarray(anatomies[:, step // 2 :: step, step // 2 :: step])


class Likeness:
    """Shapes of a set of faces, as they are and mirrored.

    Args:
        faces: with label maps of any scheme; they are looked through in parts.
    """

    def __init__(self, faces: LabelledFaces) -> None:
        vectors = [shape_vectors(faces.anatomy(slice(at, at + 1024))).astype(np.float16) for at in range(0, len(faces), 1024)]
        self.vectors = np.concatenate(vectors)  # 1.4 kB a face

    def __len__(self) -> int:
        return len(self.vectors)

    def of(self, rows: IntArray, mirrored: npt.NDArray[np.bool_]) -> Float32Array:
        """Vectors ``(K, D)`` of some faces, mirrored where asked: cells in the opposite order, left and right exchanged."""
        cells = self.vectors[rows].reshape(-1, NUM_PARTS, _CELLS, _CELLS)
        turned = cells[:, list(HELEN_11.mirror), :, ::-1]
        return np.where(mirrored[:, None, None, None], turned, cells).reshape(len(rows), -1).astype(np.float32)
