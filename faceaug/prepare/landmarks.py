"""Five landmarks read off a label map, for labelled photos that come without any."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from faceaug.labels import LEFT_EYE, MOUTH, NOSE, RIGHT_EYE

FloatArray = npt.NDArray[np.float64]


def landmarks_from_labels(labels: npt.NDArray[np.uint8]) -> FloatArray:
    """Eye centres, nose tip and mouth corners of a label map.

    Args:
        labels: ``(H, W)`` uint8.

    Returns:
        ``(5, 2)`` x, y in pixels: left eye, right eye, nose tip, left and right mouth corner (the viewer's left);
        NaN where the class is absent.
    """
    points = np.full((5, 2), np.nan)
    for row, label in enumerate((LEFT_EYE, RIGHT_EYE)):
        ys, xs = np.nonzero(labels == label)
        if len(xs):
            points[row] = xs.mean(), ys.mean()
    ys, xs = np.nonzero(labels == NOSE)
    if len(xs):
        # The class reaches from the bridge to the nostrils; detectors' "tip" lies three quarters down it.
        points[2] = xs.mean(), ys.min() + 0.75 * (ys.max() - ys.min())
    ys, xs = np.nonzero(np.isin(labels, MOUTH))
    if len(xs):
        for row, x in ((3, xs.min()), (4, xs.max())):
            points[row] = x, ys[xs == x].mean()
    return points
