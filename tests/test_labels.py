import numpy as np

from faceaug.labels import CLASSES, IGNORE, LEFT_EYE, PALETTE, RIGHT_EYE, colour, fill_ignored, flip_labels


def test_flip_twice_changes_nothing():
    labels = np.random.default_rng(0).integers(0, 11, (3, 8, 9), dtype=np.uint8)
    labels[0, 0, 0] = IGNORE
    assert (flip_labels(flip_labels(labels)) == labels).all()


def test_flip_exchanges_sides():
    labels = np.zeros((1, 4), dtype=np.uint8)
    labels[0, 0] = LEFT_EYE
    assert flip_labels(labels).tolist() == [[0, 0, 0, RIGHT_EYE]]


def test_flip_exchanges_the_classes_named_left_and_right_and_no_others():
    for index, name in enumerate(CLASSES):
        mirrored = name.replace("left", "right") if "left" in name else name.replace("right", "left")
        assert CLASSES[int(flip_labels(np.full((1, 1), index, np.uint8))[0, 0])] == mirrored


def test_fill_ignored_takes_the_nearest_class():
    labels = np.full((2, 5, 5), IGNORE, dtype=np.uint8)
    labels[0, 0, 0], labels[0, 4, 4] = 3, 7
    filled = fill_ignored(labels)
    assert filled[0, 1, 0] == 3
    assert filled[0, 3, 4] == 7
    assert (filled[1] == 0).all()
    assert labels[0, 1, 0] == IGNORE  # the input is left alone


def test_colour_is_the_palette_and_white_where_ignored():
    painted = colour(np.array([[0, 10, IGNORE]], dtype=np.uint8))
    assert painted[0].tolist() == [PALETTE[0].tolist(), PALETTE[10].tolist(), [255, 255, 255]]
    assert len({tuple(row) for row in PALETTE.tolist()}) == 11
