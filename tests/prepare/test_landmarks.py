import numpy as np
import pytest
from blocks import labels_of

from faceaug.labels import FASSEG_6, HELEN_11, LEFT_EYE, NOSE, RIGHT_EYE, UPPER_LIP
from faceaug.prepare.landmarks import landmarks_from_labels, sides_exchanged


def test_points_of_a_simple_face():
    labels = np.ones((40, 40), np.uint8)
    labels[10:13, 8:13] = LEFT_EYE
    labels[10:13, 26:31] = RIGHT_EYE
    labels[10:26, 18:21] = NOSE
    labels[30:33, 10:29] = UPPER_LIP
    found = landmarks_from_labels(labels, HELEN_11)
    assert found.tolist() == [[10, 11], [28, 11], [19, 21.25], [10, 31], [28, 31]]


def test_absent_classes_are_nan():
    assert np.isnan(landmarks_from_labels(np.zeros((4, 4), np.uint8), HELEN_11)).all()


def test_one_class_for_both_eyes_is_parted_at_its_gap():
    labels = np.zeros((20, 40), np.uint8)
    labels[5:8, 4:10] = labels[5:8, 26:34] = FASSEG_6.classes.index("eyes")
    found = landmarks_from_labels(labels, FASSEG_6)
    assert found[:2].tolist() == [[6.5, 6.0], [29.5, 6.0]]
    labels[5:8, 10:26] = FASSEG_6.classes.index("eyes")  # one eye, or a mask over both
    assert np.isnan(landmarks_from_labels(labels, FASSEG_6)[:2]).all()


@pytest.mark.parametrize("part", ["eye", "brow"])
def test_sides_are_exchanged_where_a_left_part_lies_right_of_the_right_one(part):
    labels = labels_of(HELEN_11)
    left, right = (HELEN_11.where(f"{side}_{part}")[0] for side in ("left", "right"))
    assert sides_exchanged(labels, HELEN_11) is False
    table = np.arange(256, dtype=np.uint8)
    table[[left, right]] = right, left
    assert sides_exchanged(table[labels], HELEN_11) is True
    assert sides_exchanged(np.where(labels == left, left, 0).astype(np.uint8), HELEN_11) is None
    assert sides_exchanged(labels_of(FASSEG_6), FASSEG_6) is None
