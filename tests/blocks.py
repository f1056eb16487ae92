"""Label maps and photos of faces made of rectangles, in any scheme: quick to write in any layout."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from faceaug.labels import HELEN_11, Scheme

ByteArray = npt.NDArray[np.uint8]

# Top, bottom, left and right of each part in 32nds of the side.
_PLACES = {
    "hair": (1, 8, 6, 26), "skin": (7, 29, 8, 24), "left_brow": (10, 11, 10, 14), "right_brow": (10, 11, 18, 22),
    "brows": (10, 11, 10, 22), "left_eye": (12, 14, 11, 14), "right_eye": (12, 14, 18, 21), "nose": (13, 19, 15, 17),
    "upper_lip": (21, 22, 12, 20), "inner_mouth": (22, 23, 13, 19), "lower_lip": (23, 24, 12, 20), "mouth": (21, 24, 12, 20),
}  # fmt: skip


def labels_of(scheme: Scheme = HELEN_11, size: int = 32) -> ByteArray:
    """A face ``(size, size)`` that has every class: what belongs to no part lies in its corner."""
    found = np.zeros((size, size), dtype=np.uint8)
    for part, (top, bottom, left, right) in _PLACES.items():
        for label in scheme.where(part):
            place = tuple(slice(low * size // 32, high * size // 32) for low, high in ((top, bottom), (left, right)))
            found[place] = label
    for label in scheme.where("eyes"):
        found[12 * size // 32 : 14 * size // 32, 11 * size // 32 : 14 * size // 32] = label
        found[12 * size // 32 : 14 * size // 32, 18 * size // 32 : 21 * size // 32] = label
    for label in scheme.where("kept")[1:]:
        found[-1, label] = label
    for label in set(range(len(scheme))) - set(np.unique(found).tolist()):
        found[8 * size // 32, 10 * size // 32 + label] = label
    return found


def photo_of(seed: int, size: int = 32) -> ByteArray:
    """A photo ``(size, size, 3)`` of noise, another for each seed."""
    return np.random.default_rng(seed).integers(0, 256, (size, size, 3), dtype=np.uint8)


def write(path: Path, pixels: ByteArray) -> Path:
    """Write a picture in the format of its extension, RGB, and give its path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), pixels[..., ::-1] if pixels.ndim == 3 else pixels)
    return path


def write_folder(root: Path, count: int = 9, scheme: Scheme = HELEN_11, size: int = 32) -> Path:
    """A plain folder of labelled faces ``a0``, ``a1``, ..., a third of them in each split's list."""
    for number in range(count):
        write(root / "images" / f"a{number}.png", photo_of(number, size))
        write(root / "masks" / f"a{number}.png", labels_of(scheme, size))
    (root / "scheme.txt").write_text(f"{scheme.name}\n")
    for at, split in enumerate(("train", "tuning", "testing")):
        names = [f"a{number}" for number in range(count) if number % 3 == at]
        (root / f"{split}.txt").write_text("\n".join(names) + "\n")
    return root
