import math

import numpy as np
import pytest

from faceaug.labels import IGNORE
from faceaug.prepare.align import warp_image, warp_labels
from faceaug.prepare.paste import paste, uncrop_labels

SIZE = 96


@pytest.fixture
def photo():
    y, x = np.mgrid[:200, :260]
    waves = [127 + 100 * np.sin(x / 17 + 1), 127 + 100 * np.sin(y / 23), 127 + 100 * np.sin((x + y) / 31)]
    return np.stack(waves, axis=2).astype(np.uint8)


def _matrix(scale, angle=0.3, centre=(130, 100)):
    turn = scale * np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    middle = (SIZE - 1) / 2
    return np.hstack([turn, (middle - turn @ centre)[:, None]])


def _inside(matrix, shape, margin):
    y, x = np.mgrid[: shape[0], : shape[1]]
    points = np.stack([x, y], axis=-1) @ matrix[:, :2].T + matrix[:, 2]
    return ((points > margin) & (points < SIZE - 1 - margin)).all(axis=-1)


@pytest.mark.parametrize("scale", [0.6, 1.0, 2.3, 5.0])
def test_a_crop_put_back_gives_the_photo_and_nothing_changes_outside(photo, scale):
    matrix = _matrix(scale)
    crop = warp_image(photo, matrix, SIZE)
    back = paste(np.zeros_like(photo), crop, matrix)
    inside = _inside(matrix, photo.shape, SIZE / 16)
    assert np.abs(back.astype(int) - photo)[inside].mean() < 1.5
    assert (back[~_inside(matrix, photo.shape, -2 * max(scale, 1))] == 0).all()
    again = paste(photo, crop, matrix)
    assert np.abs(again.astype(int) - photo).mean() < 1


@pytest.mark.parametrize("centre", [(0, 0), (255, 190), (130, -20), (-500, -500)])
def test_crops_may_reach_over_the_border_of_the_photo(photo, centre):
    matrix = _matrix(0.8, centre=centre)
    crop = warp_image(photo, matrix, SIZE)
    assert np.abs(paste(photo, crop, matrix).astype(int) - photo).mean() < 1


def test_the_edge_fades_in_and_feather_0_does_not(photo):
    matrix = np.array([[1.0, 0, -50], [0, 1, -40]])
    white = np.full((SIZE, SIZE, 3), 255, np.uint8)
    soft = paste(np.zeros_like(photo), white, matrix, feather=1 / 8)[88, 50 : 50 + SIZE, 0].astype(int)
    assert (np.diff(soft[:13]) > 0).all()
    assert (soft[13:-13] == 255).all()
    hard = paste(np.zeros_like(photo), white, matrix, feather=0)[88, :, 0]
    assert set(hard.tolist()) == {0, 255}
    assert (hard == 255).sum() == SIZE


def test_a_mask_chooses_what_is_put_back(photo):
    matrix = _matrix(1.0, angle=0, centre=(100, 100))
    mask = np.zeros((SIZE, SIZE), bool)
    mask[20:60, 30:70] = True
    changed = (paste(photo, np.zeros((SIZE, SIZE, 3), np.uint8), matrix, mask) != photo).any(axis=2)
    warped = warp_labels(changed.astype(np.uint8), matrix, SIZE, classes=2) == 1
    assert not warped[:19].any()
    assert not warped[:, 71:].any()
    assert warped[24:56, 34:66].all()
    half = paste(photo, np.zeros((SIZE, SIZE, 3), np.uint8), matrix, mask * 0.5)
    assert np.abs(half[100, 100].astype(int) * 2 - photo[100, 100]).max() <= 2


def _blobs(shape):
    y, x = np.mgrid[: shape[0], : shape[1]]
    labels = np.zeros(shape, np.uint8)
    labels[(x - 130) ** 2 + (y - 100) ** 2 < 40**2] = 1
    labels[(x - 120) ** 2 + (y - 90) ** 2 < 12**2] = 9
    labels[(x - 140) ** 2 + (y - 112) ** 2 < 12**2] = IGNORE
    return labels


@pytest.mark.parametrize("scale", [0.5, 1.0, 2.0])
def test_labels_come_back_to_their_place(photo, scale):
    labels, matrix = _blobs(photo.shape[:2]), _matrix(scale)
    back = uncrop_labels(warp_labels(labels, matrix, SIZE, classes=11), matrix, labels.shape)
    inside = _inside(matrix, labels.shape, 1)
    assert (back == labels)[inside].mean() > 0.98
    assert (back[~_inside(matrix, labels.shape, -2 * max(scale, 1))] == IGNORE).all()
    assert set(np.unique(back)) <= set(np.unique(labels))


def test_a_coarser_photo_takes_the_majority():
    labels = np.zeros((64, 64), np.uint8)
    labels[:, 26:] = 4  # six of the eight columns of pixel 3
    back = uncrop_labels(labels, np.array([[8.0, 0, 3.5], [0, 8, 3.5]]), (8, 8))
    assert (back[:, :3] == 0).all()
    assert (back[:, 3:] == 4).all()
