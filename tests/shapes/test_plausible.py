from collections import Counter

import numpy as np
import pytest

from faceaug.errors import ConfigError
from faceaug.labels import BACKGROUND, IGNORE, LEFT_EYE, NOSE, RIGHT_EYE, SKIN
from faceaug.shapes.edits import ATTEMPTS, OPERATIONS, build_operations, chosen_operations, draw_edits
from faceaug.shapes.plausible import implausible, without_islands
from faceaug.shapes.target import Target, filled_in, nearest


def test_faces_are_plausible_and_their_mirror_images_with_sides_kept_are_not(faces):
    parts = faces.anatomy()
    assert [implausible(one) for one in parts] == [""] * len(parts)
    assert all("exchanged" in implausible(one[:, ::-1]) for one in parts)
    assert all(implausible(one[::-1]) for one in parts)


def test_reasons(faces):
    parts = faces.anatomy()[0]
    assert implausible(np.zeros_like(parts)) == "there is no face"
    gone = np.where(parts == NOSE, SKIN, parts)
    assert implausible(gone, parts) == "a part is gone"
    assert implausible(gone) == ""
    torn = parts.copy()
    torn[:2, :2] = torn[-3:, -3:] = LEFT_EYE
    assert implausible(torn)


def test_islands_take_the_class_around_them_and_large_pieces_stay():
    labels = np.zeros((2, 64, 64), np.uint8)
    labels[:, 16:48, 16:48] = SKIN
    labels[0, 20, 20] = RIGHT_EYE  # the only piece of its class stays
    labels[0, 2, 2] = SKIN
    labels[0, 30, 30] = BACKGROUND
    labels[1, :, 40:44] = BACKGROUND  # background on both sides is no island
    labels[1, 5, 5] = IGNORE
    found = without_islands(labels)
    assert found[0, 2, 2] == BACKGROUND
    assert found[0, 30, 30] == SKIN
    assert found[0, 20, 20] == RIGHT_EYE
    assert (found[1] == labels[1]).all()
    assert (without_islands(found) == found).all()


def test_edits_are_plausible_or_none(faces):
    operations = build_operations(OPERATIONS, faces)
    rejected: Counter[str] = Counter()
    for row in range(len(faces)):
        target = Target(faces.images[row], faces.labels[row], faces.scheme)
        edits, changed, lost = draw_edits(target, operations, np.random.default_rng(row), 1.5)
        rejected += lost
        assert implausible(changed.anatomy) == ""
        assert (changed is target) == (not edits)
        assert sum(lost.values()) <= ATTEMPTS
        assert edits or sum(lost.values()) == ATTEMPTS
    assert sum(rejected.values()) > 0


def test_names_of_operations():
    assert chosen_operations("") == chosen_operations("none") == ()
    assert chosen_operations("hair, flip") == ("flip", "hair")
    assert chosen_operations("all") == OPERATIONS
    with pytest.raises(ConfigError, match="--shapes smile: unknown; use all, or some of flip, similarity"):
        chosen_operations("smile,flip")


def test_filling_in_continues_what_is_known():
    image = np.zeros((8, 8, 3), np.uint8)
    image[:, :4] = 100
    known = np.zeros((8, 8), bool)
    known[:, :4] = True
    filled = filled_in(image, known, ~known)
    assert (filled == 100).all()
    assert (filled_in(image, known & False, ~known)[:, 4:] == 128).all()
    labels = np.arange(64, dtype=np.uint8).reshape(8, 8) % 11
    assert (nearest(labels, known)[:, :4] == labels[:, :4]).all()
    assert (nearest(labels, known)[0, 4:] == labels[0, 3]).all()
