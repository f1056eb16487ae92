"""Where each pixel of a target finds its look in a source: a spline and a registration between two label maps.

A latent code carries a component's tone, not its texture: eyes, brows, beards and strands come back blurred, and a parser learns
little from them. So the framework also takes the source's own pixels, moved to where the target mask has their component. Both
label maps give the same control points (corners of eyes, brows, nose and mouth; the outlines of face and hair along rays from the
nose), a spline between them moves everything else, and a registration of the label maps bends it until edges lie on edges.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional as F

from faceaug.gan.components import COMPONENTS, one_hot
from faceaug.labels import (
    BACKGROUND,
    HAIR,
    INNER_MOUTH,
    LEFT_BROW,
    LEFT_EYE,
    LOWER_LIP,
    MOUTH,
    NOSE,
    RIGHT_BROW,
    RIGHT_EYE,
    SKIN,
    UPPER_LIP,
)

RAYS = 16
"""Directions in which the outlines of face and hair are sought."""

SMOOTHNESS = 0.01
"""How far the spline may miss its control points, to bend less; label maps are exact to a pixel at best."""

_ABSENT = 1e5
"""Smoothness of a control point that one of the faces lacks: none is asked of the spline there."""

_SPLINE_GRID, _FINE_GRID = 32, 128
"""Most cells along a side at which the spline is evaluated, and at which it is refined; between them it is interpolated."""

STEPS = 5
"""Steps of the registration at each of its two widths of blur."""

_LARGEST_STRETCH, _SMALLEST_STRETCH = 4.0, 0.2
"""Local enlargement and reduction beyond which moved pixels are useless."""

_FACE = (SKIN, LEFT_BROW, RIGHT_BROW, LEFT_EYE, RIGHT_EYE, NOSE, *MOUTH)


@dataclass(frozen=True)
class Texture:
    """A source's pixels in a target's shape.

    Attributes:
        image: ``(N, 3, S, S)`` float in [-1, 1], 0 where not known.
        known: ``(N, 1, S, S)`` float, 1 where the target's component has found pixels of the same component.
    """

    image: Tensor
    known: Tensor


def transfer_texture(target_labels: Tensor, source: Tensor, source_labels: Tensor, known: Tensor | None = None) -> Texture:
    """Move a source's pixels to where the target has the same component.

    Args:
        target_labels: ``(N, S, S)`` uint8 anatomies.
        source: ``(N, 3, S, S)`` float in [-1, 1].
        source_labels: ``(N, S, S)`` uint8 anatomies.
        known: ``(N, S, S)`` bool: source pixels that may be used; all where None.
    """
    places = correspond(target_labels, source_labels, source.dtype)
    moved = F.grid_sample(source, places, mode="bicubic", padding_mode="border", align_corners=False).clamp(-1.0, 1.0)
    # Components as numbers above 0; what may not be used belongs to none.
    own, theirs = component_index(target_labels), _inside(source_labels)
    if known is not None:
        theirs = theirs * known
    found = F.grid_sample(theirs[:, None].to(source.dtype), places, mode="nearest", align_corners=False)
    fits = (found == own[:, None]) & (own > 0)[:, None] & _usable(places)[:, None]
    return Texture(moved * fits, fits.to(source.dtype))


def disguise(images: Tensor, labels: Tensor, guides: Tensor, noise: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Faces moved into other people's shapes: sources whose transfer back is known, since it is the photo itself.

    The texture of a photo moved onto its own mask is that photo: from it a generator learns to copy and nothing else. What is
    moved there and back has the holes, the missing parts and the errors of place that a transfer between two people has.

    Args:
        images: ``(N, 3, S, S)`` float in [-1, 1].
        labels: ``(N, S, S)`` uint8 anatomies.
        guides: ``(N, S, S)`` uint8: the other people's anatomies.
        noise: ``(N, 64)`` standard normal; the part :data:`JITTER` moves pixels, :data:`MISSING` leaves components out.

    Returns:
        The moved photos, the guides as their label maps, and ``(N, S, S)`` bool: what is known of them.
    """
    size = images.shape[-1]
    places = correspond(guides, labels, images.dtype)
    wave = noise[:, JITTER].reshape(-1, 2, 4, 4).to(images.dtype) * (JITTER_PIXELS * 2 / 64)
    places = places + F.interpolate(wave, (size, size), mode="bicubic", align_corners=True).permute(0, 2, 3, 1)
    moved = F.grid_sample(images, places, mode="bicubic", padding_mode="border", align_corners=False).clamp(-1.0, 1.0)
    theirs, own = _inside(labels), component_index(guides)
    found = F.grid_sample(theirs[:, None].to(images.dtype), places, mode="nearest", align_corners=False)[:, 0]
    missing = torch.special.ndtr(noise[:, MISSING]) < MISSING_SHARE
    kept = ~torch.cat([torch.zeros_like(missing[:, :1]), missing], 1).gather(1, own.flatten(1)).reshape(own.shape)
    return moved, guides, (found == own) & _usable(places) & kept


JITTER, MISSING = slice(8, 40), slice(40, 45)
"""Numbers of a row's noise that :func:`disguise` takes."""

JITTER_PIXELS = 0.7
"""Standard deviation of the smooth errors of place, in pixels of a face of 64."""

MISSING_SHARE = 0.1
"""How often a component is left out, so that its code has to do."""


def component_index(labels: Tensor) -> Tensor:
    """Number 1..5 of the component that each pixel belongs to, 0 for none: ``(...)`` uint8 to int64."""
    return torch.from_numpy(_NUMBERS).to(labels.device)[labels.long()]


def _members(*groups: tuple[int, ...]) -> npt.NDArray[np.bool_]:
    """``(256, G)``: whether a label is in each of G groups."""
    return np.stack([np.isin(np.arange(256), group) for group in groups], 1)


_NUMBERS = _members(*(component.labels for component in COMPONENTS)) @ np.arange(1, len(COMPONENTS) + 1)
"""``(256,)`` int64: the number of a label's component."""


def _inside(labels: Tensor) -> Tensor:
    """:func:`component_index`, and 0 next to the background, whose colour shines through there and would be carried along."""
    rim = max(labels.shape[-1] // 64, 1)
    background = F.max_pool2d((labels == BACKGROUND)[:, None].float(), 2 * rim + 1, stride=1, padding=rim)[:, 0]
    return component_index(labels) * (background == 0)


def correspond(
    target_labels: Tensor,
    source_labels: Tensor,
    dtype: torch.dtype = torch.float32,
    *,
    points: tuple[Points, Points] | None = None,
    steps: int = STEPS,
) -> Tensor:
    """The place in the source that belongs to each pixel of the target.

    Args:
        target_labels: ``(N, S, S)`` uint8 anatomies.
        source_labels: ``(N, S, S)`` uint8 anatomies.
        dtype: of the result.
        points: :func:`control_points` of targets and sources, where they are known already.
        steps: of the registration at each of its two widths.

    Returns:
        ``(N, S, S, 2)``: x, y in [-1, 1], as :func:`torch.nn.functional.grid_sample` takes them; identity for equal maps.
    """
    size = target_labels.shape[-1]
    if target_labels.is_meta:  # only shapes are asked for, and these hundreds of small operations take seconds there
        return torch.empty(len(target_labels), size, size, 2, dtype=dtype, device="meta")
    (targets, there), (sources, here) = points or _both_points(target_labels, source_labels)
    coarse = _spline(targets, sources - targets, there & here, min(size, _SPLINE_GRID), dtype)
    fine = min(size, _FINE_GRID)
    offsets = _refined(_resized(coarse, fine), _shares(target_labels, fine, dtype), _shares(source_labels, fine, dtype), steps)
    return _pixels(size, offsets).reshape(1, size, size, 2) + _resized(offsets, size).permute(0, 2, 3, 1)


def fit(
    target_labels: Tensor, source_labels: Tensor, *, points: tuple[Points, Points] | None = None, steps: int = STEPS
) -> Tensor:
    """How well sources fit targets: F1 of their moved label maps with the targets', averaged over the parts of the anatomy.

    Args:
        target_labels: ``(N, S, S)`` uint8 anatomies.
        source_labels: ``(N, S, S)`` uint8 anatomies.
        points: see :func:`correspond`.
        steps: likewise; a few tell which of several sources fits better.

    Returns:
        ``(N,)`` float32, 0..1; a class that both lack fits.
    """
    places = correspond(target_labels, source_labels, points=points, steps=steps)
    wanted, found = one_hot(target_labels).float(), one_hot(source_labels).float()
    moved = F.grid_sample(found, places, mode="bilinear", padding_mode="border", align_corners=False)
    both = torch.minimum(moved, wanted).sum((2, 3))
    area = (moved + wanted).sum((2, 3))
    return torch.where(area > 0, 2 * both / area.clamp(min=1e-6), 1.0).mean(1)


def _resized(offsets: Tensor, size: int) -> Tensor:
    if offsets.shape[-1] == size:
        return offsets
    return F.interpolate(offsets, (size, size), mode="bilinear", align_corners=False)


_TOGETHER = (
    (BACKGROUND, NOSE),
    (SKIN,),
    (HAIR, UPPER_LIP),
    (LEFT_BROW, RIGHT_BROW, LOWER_LIP),
    (LEFT_EYE, RIGHT_EYE, INNER_MOUTH),
)
"""Classes that share a map where label maps are registered: they lie far apart in a face, so that none is taken for another. With
a map for each class F1 of the moved maps is the same to four digits, and it takes twice as long."""

_GROUPS = _members(*_TOGETHER)


def _shares(labels: Tensor, size: int, dtype: torch.dtype) -> Tensor:
    """How much of each cell is of each group of :data:`_TOGETHER`: ``(N, S, S)`` to ``(N, 5, size, size)``."""
    table = torch.from_numpy(_GROUPS).to(labels.device, dtype)
    groups = table[labels.long()].permute(0, 3, 1, 2).contiguous()
    return groups if labels.shape[-1] == size else F.adaptive_avg_pool2d(groups, (size, size)).to(dtype)


def _refined(offsets: Tensor, target: Tensor, source: Tensor, steps: int) -> Tensor:
    """Offsets bent further, until the source's classes lie on the target's (Thirion, Image matching as diffusion, 1998).

    The spline knows the corners of a brow and not its edge: it leaves a third of a brow's pixels beside the target's. Each step
    moves every pixel along the target's class borders as far as the classes there differ, and smooths the movement.

    Args:
        offsets: ``(N, 2, S, S)`` of x, y in units of half sides.
        target: ``(N, 5, S, S)`` shares of groups of classes.
        source: likewise.
        steps: at each width of blur.
    """
    size = target.shape[-1]
    home = _pixels(size, target).T.reshape(1, 2, size, size)
    places, stiff = home + offsets, _gaussian(_STIFFNESS, target)
    for deviation in _BLURS:
        blur = _gaussian(deviation, target)
        wanted, found = _blurred(target, blur), _blurred(source, blur)
        down, right = _slope(wanted, 2), _slope(wanted, 3)
        steepness = (down.square() + right.square()).sum(1, keepdim=True) + _FLATTEST
        for _ in range(steps):
            here = F.grid_sample(found, places.permute(0, 2, 3, 1), mode="bilinear", padding_mode="border", align_corners=False)
            gap = wanted - here
            pull = torch.stack([(gap * right).sum(1), (gap * down).sum(1)], 1)
            move = (pull / (steepness + gap.square().sum(1, keepdim=True))).clamp(-1.0, 1.0)
            places = places + _blurred(move, stiff) * (2 / size)
    return places - home


_BLURS = (2.0, 1.0)
"""Standard deviations, in pixels, of the class borders that are matched one after the other: wide ones find what is far."""

_STIFFNESS = 1.0
"""Standard deviation, in pixels, of the smoothing of each step's movement."""

_FLATTEST = 1e-3
"""Steepness below which there is no border to move along."""


def _gaussian(deviation: float, like: Tensor) -> Tensor:
    """A Gaussian's weights along a line, ``(1, 1, 1, K)``."""
    reach = max(round(3 * deviation), 1)
    line = torch.arange(-reach, reach + 1, device=like.device, dtype=like.dtype)
    kernel = torch.exp(-0.5 * (line / deviation).square())
    return (kernel / kernel.sum()).reshape(1, 1, 1, -1)


def _blurred(maps: Tensor, gaussian: Tensor) -> Tensor:
    """``(N, C, S, S)`` maps under :func:`_gaussian`, the border continued."""
    reach, channels = gaussian.shape[-1] // 2, maps.shape[1]
    kernel = gaussian.expand(channels, 1, 1, -1)
    across = F.conv2d(F.pad(maps, (reach, reach, reach, reach), mode="replicate"), kernel, groups=channels)
    return F.conv2d(across, kernel.transpose(2, 3), groups=channels)


def _slope(maps: Tensor, axis: int) -> Tensor:
    """Central differences along an axis, one-sided at its ends: :func:`torch.gradient`, which fixes an exported graph's batch."""
    size = maps.shape[axis]
    inner = (maps.narrow(axis, 2, size - 2) - maps.narrow(axis, 0, size - 2)) / 2
    ends = [maps.narrow(axis, at + 1, 1) - maps.narrow(axis, at, 1) for at in (0, size - 2)]
    return torch.cat([ends[0], inner, ends[1]], axis)


def _pixels(size: int, like: Tensor) -> Tensor:
    """Centres of the pixels of a square, row by row: ``(size * size, 2)``, x, y in [-1, 1]."""
    line = (torch.arange(size, device=like.device, dtype=like.dtype) + 0.5) / size * 2 - 1
    return torch.stack(torch.meshgrid(line, line, indexing="xy"), -1).reshape(-1, 2)


def _spline(points: Tensor, values: Tensor, present: Tensor, size: int, dtype: torch.dtype) -> Tensor:
    """A smoothing thin-plate spline of two components at the pixels of a square.

    Args:
        points: ``(N, K, 2)`` float64, where the values are.
        values: ``(N, K, 2)`` float64.
        present: ``(N, K)`` bool: points that count.
        size: side of the square.
        dtype: of the result; the equations are solved in that of the points.

    Returns:
        ``(N, 2, size, size)``.
    """
    count, known, _ = points.shape
    ones = points.new_ones(count, known, 1)
    counted = present[..., None].to(points.dtype)
    affine = torch.cat([ones, points], 2) * counted
    smoothness = torch.where(present, SMOOTHNESS, _ABSENT).to(points.dtype)
    upper = torch.cat([_bending(points, points) + torch.diag_embed(smoothness), affine], 2)
    # Fewer than three points leave part of the affine map open: the tiny diagonal makes that part zero.
    corner = -1e-9 * torch.eye(3, dtype=points.dtype, device=points.device).expand(count, 3, 3)
    lower = torch.cat([affine.transpose(1, 2), corner], 2)
    asked = torch.cat([values * counted, values.new_zeros(count, 3, 2)], 1)
    weights = torch.linalg.solve(torch.cat([upper, lower], 1), asked).to(dtype)
    points = points.to(dtype)
    pixels = _pixels(size, points).expand(count, -1, 2)
    bent = _bending(pixels, points) @ weights[:, :known]
    flat = torch.cat([pixels.new_ones(count, size * size, 1), pixels], 2) @ weights[:, known:]
    found: Tensor = (bent + flat).transpose(1, 2).reshape(count, 2, size, size)
    return found


def _bending(a: Tensor, b: Tensor) -> Tensor:
    """The spline's kernel r^2 log r between ``(N, A, 2)`` and ``(N, B, 2)``: ``(N, A, B)``."""
    across, down = (a[:, :, None, axis] - b[:, None, :, axis] for axis in (0, 1))
    squared = across * across + down * down  # ten times as fast as a sum over an axis of two
    return 0.5 * squared * torch.log(squared + 1e-12)


def _usable(places: Tensor) -> Tensor:
    """Where a map neither leaves the source nor folds nor stretches it beyond use: ``(N, S, S, 2)`` to ``(N, S, S)`` bool."""
    size = places.shape[1]
    pixels = places * (size / 2)
    down, right = _slope(pixels, 1), _slope(pixels, 2)
    determinant = right[..., 0] * down[..., 1] - right[..., 1] * down[..., 0]
    # Singular values of the 2x2 derivative.
    half = 0.5 * (right.square() + down.square()).sum(-1)
    spread = (half.square() - determinant.square()).clamp(min=0.0).sqrt()
    largest, smallest = (half + spread).sqrt(), (half - spread).clamp(min=0.0).sqrt()
    healthy = (determinant > 0) & (largest < _LARGEST_STRETCH) & (smallest > _SMALLEST_STRETCH)
    return healthy & (places.abs() <= 1).all(-1)


Points = tuple[Tensor, Tensor]
"""What :func:`control_points` gives."""


def _both_points(target_labels: Tensor, source_labels: Tensor) -> tuple[Points, Points]:
    """:func:`control_points` of targets and of sources, as many."""
    points, present = control_points(torch.cat([target_labels, source_labels]))
    count = target_labels.shape[0]
    return (points[:count], present[:count]), (points[count:], present[count:])


def control_points(labels: Tensor) -> Points:
    """Points that any two faces have in common, from their label maps alone.

    Args:
        labels: ``(N, S, S)`` uint8 anatomies.

    Returns:
        ``(N, K, 2)`` float64 x, y in [-1, 1], and ``(N, K)`` bool: which of them the face has.
    """
    count, size = labels.shape[0], labels.shape[-1]
    parts = torch.from_numpy(_PARTS).to(labels.device)[labels.long()].permute(0, 3, 1, 2).contiguous()
    has = parts.flatten(2).any(2)
    corners = _extremes(parts[:, : len(_CORNERS)].reshape(-1, size, size)).reshape(count, -1, 2)[:, _KEPT]
    # Brows are bent in the middle; rays start from the nose, of a face without one from its own middle.
    middles = _centroid(parts[:, [2, 3, _NOSE, -2]].reshape(-1, size, size)).reshape(count, 4, 2)
    middle = torch.where(has[:, _NOSE, None], middles[:, 2], middles[:, 3])
    rays = _RAYS.to(labels.device)
    near, far = _outlines(parts[:, _FACE_HEAD], middle, rays).unbind(1)
    outlines = [middle[:, None] + reach[..., None] * rays for reach in (near, far)]
    outlined = [near > 1 / 16, far > near + 1 / 20]  # hair thinner than that has no outline of its own
    return torch.cat([corners, middles[:, :2], *outlines], 1), torch.cat([has[:, _KEPT_OF], has[:, _BROWS], *outlined], 1)


_CORNERS: tuple[tuple[tuple[int, ...], range], ...] = (
    ((LEFT_EYE,), range(4)),
    ((RIGHT_EYE,), range(4)),
    ((LEFT_BROW,), range(2)),
    ((RIGHT_BROW,), range(2)),
    ((NOSE,), range(4)),
    (MOUTH, range(4)),
    ((INNER_MOUTH,), range(2, 4)),
)
"""Regions, and which of their four extreme points are control points: a brow has no top that two faces have in common."""

_ANGLES = torch.arange(RAYS, dtype=torch.float64) * (2 * math.pi / RAYS)
_RAYS = torch.stack([_ANGLES.cos(), _ANGLES.sin()], 1)
"""Directions of rays, ``(RAYS, 2)`` float64; the same bits everywhere, since some run along the borders of pixels."""

_PARTS = _members(*(classes for classes, _ in _CORNERS), _FACE, (*_FACE, HAIR))
_BROWS, _NOSE, _FACE_HEAD = slice(2, 4), 4, slice(-2, None)
_KEPT = [4 * number + corner for number, (_, corners) in enumerate(_CORNERS) for corner in corners]
_KEPT_OF = [number for number, (_, corners) in enumerate(_CORNERS) for _ in corners]


def _centroid(where: Tensor) -> Tensor:
    """Means of the places of ``(N, S, S)`` bool regions: ``(N, 2)`` float64 x, y in [-1, 1]; (0, 0) where empty."""
    size = where.shape[-1]
    inside = where.flatten(1).double()
    return inside @ _pixels(size, inside) / inside.sum(1, keepdim=True).clamp(min=1.0)


def _extremes(where: Tensor) -> Tensor:
    """The leftmost, rightmost, topmost and bottommost points of ``(N, S, S)`` bool regions: ``(N, 4, 2)`` float64 in [-1, 1].

    Each lies on the outer edge of the region, in the middle of the pixels that share it.
    """
    size = where.shape[-1]
    line = torch.arange(size, device=where.device)
    turned = torch.stack([where, where.transpose(1, 2)], 1).flatten(0, 1)
    occupied = turned.any(1)
    ends = torch.stack([torch.where(occupied, line, size - 1).amin(1), torch.where(occupied, line, 0).amax(1)], 1)
    cells = turned.gather(2, ends[:, None].expand(-1, size, -1)).double()
    middles = (cells * (line + 0.5)[:, None]).sum(1) / cells.sum(1).clamp(min=1.0)
    points = torch.stack([ends + torch.arange(2.0, dtype=torch.float64, device=where.device), middles], 2).reshape(-1, 2, 2, 2)
    return torch.cat([points[:, 0], points[:, 1].flip(-1)], 1) / size * 2 - 1


def _outlines(where: Tensor, middle: Tensor, rays: Tensor) -> Tensor:
    """How far ``(N, R, S, S)`` bool regions reach along K rays from ``(N, 2)`` middles: ``(N, R, K)`` float64, in half sides."""
    size = where.shape[-1]
    steps = torch.arange(0, 3 * size, device=where.device, dtype=torch.float64) / size
    cells = middle[:, None, None] + steps[:, None] * rays[:, None]
    index = ((cells + 1) / 2 * size).floor().long()
    inside = ((index >= 0) & (index < size)).all(-1)[:, None]
    index = index.clamp(0, size - 1)
    places = (index[..., 1] * size + index[..., 0]).flatten(1)[:, None].expand(-1, where.shape[1], -1)
    met = where.flatten(2).gather(2, places).reshape(*where.shape[:2], *inside.shape[2:]) & inside
    return torch.where(met, steps, 0.0).amax(-1)
