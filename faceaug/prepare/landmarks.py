"""Five landmarks from a label map, for labelled photos that come without any."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from faceaug.arrays import FloatArray
from faceaug.labels import Scheme

BoolArray = npt.NDArray[np.bool_]

_MOUTH = ("upper_lip", "inner_mouth", "lower_lip", "mouth")


def landmarks_from_labels(labels: npt.NDArray[np.uint8], scheme: Scheme) -> FloatArray:
    """Eye centres, nose tip and mouth corners of a label map.

    Args:
        labels: ``(H, W)`` uint8 of the scheme, or 255.
        scheme: its classes; of one class for both eyes, the left and the right half are the eyes where a gap parts them.

    Returns:
        ``(5, 2)`` x, y in pixels: left eye, right eye, nose tip, left and right mouth corner (the viewer's left);
        NaN where the class is absent.
    """
    points = np.full((5, 2), np.nan)
    eyes = [_where(labels, scheme, ("left_eye",)), _where(labels, scheme, ("right_eye",))]
    if not scheme.where("left_eye") and not scheme.where("right_eye"):
        eyes = _halves(_where(labels, scheme, ("eyes",)))
    for row, eye in enumerate(eyes):
        ys, xs = np.nonzero(eye)
        if len(xs):
            points[row] = xs.mean(), ys.mean()
    ys, xs = np.nonzero(_where(labels, scheme, ("nose",)))
    if len(xs):
        # The class reaches from the bridge to the nostrils; detectors' "tip" lies three quarters down it.
        points[2] = xs.mean(), ys.min() + 0.75 * (ys.max() - ys.min())
    ys, xs = np.nonzero(_where(labels, scheme, _MOUTH))
    if len(xs):
        for row, x in ((3, xs.min()), (4, xs.max())):
            points[row] = x, ys[xs == x].mean()
    return points


def sides_exchanged(labels: npt.NDArray[np.uint8], scheme: Scheme) -> bool | None:
    """Whether a left eye or brow lies right of the right one; None where no pair of these is there.

    Args:
        labels: ``(H, W)`` uint8 of an upright face.
        scheme: its classes.
    """
    found: bool | None = None
    for part in ("eye", "brow"):
        left, right = (np.nonzero(_where(labels, scheme, (f"{side}_{part}",)))[1] for side in ("left", "right"))
        if len(left) and len(right):
            found = bool(found) or float(left.mean()) > float(right.mean())
    return found


def _where(labels: npt.NDArray[np.uint8], scheme: Scheme, parts: tuple[str, ...]) -> BoolArray:
    wanted = [label for part in parts for label in scheme.where(part)]
    found: BoolArray = np.isin(labels, wanted)
    return found


def _halves(eyes: BoolArray) -> list[BoolArray]:
    """Both eyes of one region, parted at its widest empty gap of columns; none where there is no such gap."""
    columns = np.flatnonzero(eyes.any(axis=0))
    nothing = np.zeros_like(eyes)
    if len(columns) < 2:
        return [nothing, nothing]
    gaps = np.diff(columns)
    widest = int(gaps.argmax())
    if gaps[widest] < 0.1 * (columns[-1] - columns[0]):
        return [nothing, nothing]
    left = np.array(eyes)
    left[:, columns[widest] + 1 :] = False
    return [left, eyes & ~left]
