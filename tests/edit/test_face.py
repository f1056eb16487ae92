import numpy as np
import pytest

from faceaug.edit.face import SURE, doubt, trust
from faceaug.labels import LEFT_BROW, LEFT_EYE, LOWER_LIP, RIGHT_BROW, RIGHT_EYE, SKIN, UPPER_LIP


def test_a_mask_is_relied_on_by_what_the_parser_expects_and_by_the_parts_that_it_has(faces):
    labels, scheme = faces.labels[0], faces.scheme
    assert trust(labels, 0.8, scheme) == pytest.approx(0.8)
    assert doubt(labels, SURE + 0.01, scheme) == ""
    assert doubt(labels, SURE - 0.01, scheme) == f"its mask has an expected F1 of {SURE - 0.01:.2f}"
    bare = np.where(np.isin(labels, [LEFT_BROW, RIGHT_BROW, LEFT_EYE, RIGHT_EYE, UPPER_LIP, LOWER_LIP]), SKIN, labels)
    assert trust(bare, 0.8, scheme) == pytest.approx(0.8 / 7)
    assert "lacks brows, eyes, nose or lips" in doubt(bare, 0.8, scheme)


def test_a_profile_that_hides_one_side_is_relied_on(faces):
    labels = faces.labels[0].copy()
    labels[np.isin(labels, [LEFT_BROW, LEFT_EYE])] = SKIN
    assert doubt(labels, 0.8, faces.scheme) == ""
