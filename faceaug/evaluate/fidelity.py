"""How faithful generated components are to their sources, and how different the faces of one mask are."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt
import torch

from faceaug.arrays import ByteArray, Float32Array
from faceaug.gan.components import Component, centres, cut, region


def mean_colours(images: ByteArray, labels: ByteArray, component: Component) -> Float32Array:
    """Mean CIELAB colour of a component, face by face.

    Args:
        images: ``(N, S, S, 3)`` uint8 RGB.
        labels: ``(N, S, S)`` uint8.
        component: which part.

    Returns:
        ``(N, 3)`` float32: L in 0..100, a and b in about -128..127; NaN where the face has no such component.
    """
    found = np.full((len(images), 3), np.nan, dtype=np.float32)
    where = np.isin(labels, component.labels)
    for row in np.flatnonzero(where.any(axis=(1, 2))):
        lab = cv2.cvtColor(images[row].astype(np.float32) / 255.0, cv2.COLOR_RGB2LAB)
        found[row] = lab[where[row]].mean(axis=0)
    return found


def crops(images: ByteArray, labels: ByteArray, component: Component) -> ByteArray:
    """The component's window of each face, everything else grey: ``(N, h, w, 3)`` uint8."""
    masks = torch.from_numpy(np.array(labels))
    where = region(masks, component)
    grey = torch.from_numpy(np.array(images)).permute(0, 3, 1, 2).float() - 128.0
    masked = grey * where[:, None]
    if not component.whole:
        row, column, _ = centres(where)
        masked = cut(masked, row, column, *component.crop(images.shape[1]))
    return (masked + 128.0).clamp(0, 255).to(torch.uint8).permute(0, 2, 3, 1).contiguous().numpy()


def has(labels: ByteArray, component: Component) -> npt.NDArray[np.bool_]:
    """Which faces have the component: ``(N,)``."""
    return np.asarray(np.isin(labels, component.labels).any(axis=(1, 2)), dtype=np.bool_)


def diversity(features: Float32Array, groups: npt.NDArray[np.int64]) -> Float32Array:
    """Mean distance of a face's features to those of the other faces of its mask.

    Args:
        features: ``(N, D)``.
        groups: ``(N,)`` which mask each face has.

    Returns:
        ``(N,)`` float32; NaN where a mask has one face.
    """
    found = np.full(len(features), np.nan, dtype=np.float32)
    for name in np.unique(groups):
        rows = np.flatnonzero(groups == name)
        if len(rows) < 2:
            continue
        some = features[rows].astype(np.float64)
        distance = np.linalg.norm(some[:, None] - some[None, :], axis=-1)
        found[rows] = distance.sum(axis=1) / (len(rows) - 1)
    return found
