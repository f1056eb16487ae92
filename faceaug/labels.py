"""The label scheme: Helen's eleven classes, their colours, and what mirroring does to them.

"Left" is the viewer's left (smaller x), as in Helen, LaPa and HELEN*.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

CLASSES = (
    "background",
    "skin",
    "left_brow",
    "right_brow",
    "left_eye",
    "right_eye",
    "nose",
    "upper_lip",
    "inner_mouth",
    "lower_lip",
    "hair",
)
"""Names, in label order; neck, ears and clothes are background."""

NUM_CLASSES = len(CLASSES)
SCHEME = "helen-11"
"""Written into every file that holds labels, and checked when it is read."""

IGNORE = 255
"""Pixels without a label: left out of every loss and metric."""

BACKGROUND, SKIN, LEFT_BROW, RIGHT_BROW, LEFT_EYE, RIGHT_EYE, NOSE, UPPER_LIP, INNER_MOUTH, LOWER_LIP, HAIR = range(11)
MOUTH = (UPPER_LIP, INNER_MOUTH, LOWER_LIP)

PALETTE: npt.NDArray[np.uint8] = np.array(
    [
        [24, 26, 38],  # background
        [240, 196, 160],  # skin
        [122, 74, 40],  # left brow
        [164, 104, 58],  # right brow
        [52, 120, 220],  # left eye
        [96, 176, 250],  # right eye
        [222, 146, 104],  # nose
        [224, 62, 90],  # upper lip
        [250, 238, 210],  # inner mouth
        [176, 32, 78],  # lower lip
        [96, 62, 140],  # hair
    ],
    dtype=np.uint8,
)
"""RGB colour of each class in pictures, (11, 3)."""

FLIP_TABLE: npt.NDArray[np.uint8] = np.arange(256, dtype=np.uint8)
"""``FLIP_TABLE[label]`` is the label's class in the mirrored photo; 255 stays 255."""
FLIP_TABLE[[LEFT_BROW, RIGHT_BROW, LEFT_EYE, RIGHT_EYE]] = [RIGHT_BROW, LEFT_BROW, RIGHT_EYE, LEFT_EYE]


def flip_labels(labels: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """Mirror a label map and exchange left and right classes.

    Args:
        labels: ``(..., H, W)`` uint8, 0..10 or 255.

    Returns:
        The mirrored map, same shape; applied twice it gives the input back.
    """
    return np.ascontiguousarray(FLIP_TABLE[labels][..., ::-1])


def fill_ignored(labels: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """Give ignored pixels the class of their nearest labelled one.

    Outside of a photo the aligned image continues its border, so the border's class is what is to be seen there: right as the
    condition of a generator, never as truth for training or scoring a parser.

    Args:
        labels: ``(N, H, W)`` uint8, 0..10 or 255.

    Returns:
        The same without 255 (a map that has nothing else becomes background).
    """
    filled = np.array(labels)
    for row in filled:
        unknown = row == IGNORE
        if unknown.all():
            row[:] = BACKGROUND
        elif unknown.any():
            _, nearest = cv2.distanceTransformWithLabels(unknown.astype(np.uint8), cv2.DIST_L2, 3, labelType=cv2.DIST_LABEL_PIXEL)
            # DIST_LABEL_PIXEL numbers the labelled pixels 1, 2, ... in some order: read their numbers off themselves.
            table = np.zeros(int(nearest.max()) + 1, dtype=np.uint8)
            table[nearest[~unknown]] = row[~unknown]
            row[:] = table[nearest]
    return filled


def colour(labels: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """Paint a label map in the palette, so that a person sees it.

    Args:
        labels: ``(..., H, W)`` uint8, 0..10 or 255 (shown white).

    Returns:
        ``(..., H, W, 3)`` uint8 RGB.
    """
    table = np.full((256, 3), 255, dtype=np.uint8)
    table[:NUM_CLASSES] = PALETTE
    return table[labels]
