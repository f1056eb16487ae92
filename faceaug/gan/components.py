"""The five face components: which parts of the anatomy they cover, how they are cut out and placed (Section 3.1).

Cutting and placing share one form: 0/1 matrices that select rows and columns. A window that sticks out over the border simply
selects nothing there, so no face is ever too close to the edge, and a batch is two matrix products.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from faceaug.gan.config import TEMPLATE_SIZE
from faceaug.labels import HAIR, LEFT_BROW, LEFT_EYE, MOUTH, NOSE, NUM_PARTS, RIGHT_BROW, RIGHT_EYE, SKIN, Scheme

STRIDE = 4
"""Pixels per cell of the feature maps that G_m works on."""


@dataclass(frozen=True)
class Component:
    """One separately embedded part of a face.

    Attributes:
        name: the paper's name of it.
        labels: the parts of the anatomy that it is made of.
        height: of its crop in a 256 px face; the width likewise. A crop as large as the face is not moved.
    """

    name: str
    labels: tuple[int, ...]
    height: int
    width: int

    @property
    def whole(self) -> bool:
        """Whether the crop is the whole face."""
        return self.height == TEMPLATE_SIZE

    def crop(self, size: int) -> tuple[int, int]:
        """Height and width of the crop, in pixels of a face of ``size``."""
        return self.height * size // TEMPLATE_SIZE, self.width * size // TEMPLATE_SIZE


COMPONENTS = (
    Component("left eye", (LEFT_EYE,), 32, 48),
    Component("right eye", (RIGHT_EYE,), 32, 48),
    Component("mouth", MOUTH, 80, 144),
    Component("skin & nose", (SKIN, LEFT_BROW, RIGHT_BROW, NOSE), 256, 256),
    Component("hair", (HAIR,), 256, 256),
)
"""In the paper's order (Section 3.1); the brows travel with skin & nose."""


def one_hot(labels: Tensor, classes: int = NUM_PARTS) -> Tensor:
    """Label maps ``(N, S, S)`` below ``classes`` as ``(N, classes, S, S)`` float32 of 0 and 1, channels_last."""
    return F.one_hot(labels.long(), classes).permute(0, 3, 1, 2).to(torch.float32, memory_format=torch.channels_last)


def anatomy(labels: Tensor, scheme: Scheme) -> Tensor:
    """Which part of the face each pixel of label maps ``(N, S, S)`` uint8 is, see :meth:`faceaug.labels.Scheme.anatomy`."""
    left, right = torch.from_numpy(scheme.anatomy_tables).to(labels.device)
    middle = labels.shape[-1] // 2
    index = labels.long()
    return torch.cat([left[index[..., :middle]], right[index[..., middle:]]], -1)


def region(parts: Tensor, component: Component) -> Tensor:
    """Where a component is in anatomies ``(N, S, S)``: ``(N, S, S)`` bool."""
    return torch.isin(parts, torch.tensor(component.labels, device=parts.device, dtype=parts.dtype))


def centres(where: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Integer midpoints of the bounding boxes of boolean regions.

    Args:
        where: ``(N, S, S)`` bool.

    Returns:
        ``(N,)`` row, ``(N,)`` column (int64, pixels; the crop's middle where the region is empty) and ``(N,)`` bool: not empty.
    """
    size = where.shape[-1]
    present = where.flatten(1).any(1)
    middles = []
    for axis in (2, 1):
        line = where.any(axis).to(torch.uint8)
        first = line.argmax(1)
        last = size - 1 - line.flip(1).argmax(1)
        middles.append(torch.where(present, (first + last) // 2, size // 2))
    return middles[0], middles[1], present


def enlarge(labels: Tensor, parts: Tensor, factor: float) -> Tensor:
    """Label maps ``(N, S, S)`` uint8 whose eyes and mouth are ``factor`` larger around their centres, as in the public code.

    Args:
        labels: of any scheme; or the anatomy itself.
        parts: their anatomy.
        factor: 1 changes nothing.
    """
    if factor == 1.0:
        return labels
    size = labels.shape[-1]
    line = torch.arange(size, device=labels.device)
    grown = labels
    for component in COMPONENTS:
        if component.whole:
            continue
        middle = centres(region(parts, component))[:2]
        rows, columns = (
            (centre[:, None] + (line - centre[:, None]) / factor).round().long().clamp(0, size - 1) for centre in middle
        )
        index = (rows[:, :, None] * size + columns[:, None, :]).flatten(1)
        moved, there = (maps.flatten(1).gather(1, index).reshape(maps.shape) for maps in (labels, parts))
        grown = torch.where(region(there, component), moved, grown)
    return grown


def _selector(start: Tensor, length: int, size: int) -> Tensor:
    """``(N, length, size)``: row i of sample n selects position ``start[n] + i``, nothing where that lies outside."""
    wanted = start[:, None] + torch.arange(length, device=start.device)
    return (wanted[:, :, None] == torch.arange(size, device=start.device)).float()


def cut(images: Tensor, row: Tensor, column: Tensor, height: int, width: int) -> Tensor:
    """Windows around centres; what lies outside of the image is 0.

    Args:
        images: ``(N, C, S, S)`` float.
        row: ``(N,)`` int64, centres.
        column: ``(N,)`` int64, likewise.
        height: of the window, pixels.
        width: of the window, pixels.

    Returns:
        ``(N, C, height, width)``.
    """
    size = images.shape[-1]
    rows = _selector(row - height // 2, height, size).to(images.dtype)
    columns = _selector(column - width // 2, width, size).to(images.dtype)
    return rows[:, None] @ images @ columns.transpose(1, 2)[:, None]


def place(features: Tensor, row: Tensor, column: Tensor, size: int) -> Tensor:
    """Component feature maps put into zero tensors around centres; what would stick out is dropped.

    Args:
        features: ``(N, C, h, w)`` float, one cell for :data:`STRIDE` pixels.
        row: ``(N,)`` int64, centres in pixels.
        column: ``(N,)`` int64, likewise.
        size: side of the face in pixels.

    Returns:
        ``(N, C, size / STRIDE, size / STRIDE)``.
    """
    height, width = features.shape[-2:]
    top = torch.round(row / STRIDE - height / 2).long()
    left = torch.round(column / STRIDE - width / 2).long()
    rows = _selector(top, height, size // STRIDE).to(features.dtype)
    columns = _selector(left, width, size // STRIDE).to(features.dtype)
    return rows.transpose(1, 2)[:, None] @ features @ columns[:, None]


@dataclass
class Part:
    """A component cut out of a batch of faces.

    Attributes:
        image: ``(N, 3, h, w)`` float32 in [-1, 1], 0 outside of the component.
        mask: ``(N, 1, h, w)`` float32, 1 where the component is.
        present: ``(N,)`` bool.
    """

    image: Tensor
    mask: Tensor
    present: Tensor


def cut_parts(images: Tensor, anatomies: Tensor, *, bare_eyes: bool = False) -> list[Part]:
    """Segment faces into the five components x_i of Section 3.1.

    Eyes and mouth keep a thin rim around their region (lashes, lid edge, lip line), and nothing else of the skin around them: it
    would carry the source's skin tone to where the target's skin is generated.

    Args:
        images: ``(N, 3, S, S)`` float32 in [-1, 1].
        anatomies: ``(N, S, S)`` uint8.
        bare_eyes: eyes are whole rectangles of the photo, as in the public code.
    """
    size = images.shape[-1]
    rim = max(size // 128, 1)
    parts = []
    for component in COMPONENTS:
        where = region(anatomies, component)
        mask = where[:, None].to(images.dtype)
        if component.whole:
            present = where.flatten(1).any(1)
        else:
            row, column, present = centres(where)
            height, width = component.crop(size)
            whole = bare_eyes and len(component.labels) == 1
            mask = torch.ones_like(mask) if whole else F.max_pool2d(mask, 2 * rim + 1, stride=1, padding=rim)
            mask, image = (cut(field, row, column, height, width) for field in (mask, images))
            parts.append(Part(image * mask, mask, present))
            continue
        parts.append(Part(images * mask, mask, present))
    return parts
