import math

import numpy as np
import pytest

from faceaug.labels import IGNORE
from faceaug.prepare.align import LARGEST_MISFIT, TEMPLATE, misfit, outside, similarity, warp_image, warp_labels


def _moved(points, angle, scale, shift):
    turn = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    return points @ turn.T * scale + shift


def test_landmarks_that_fit_the_template_are_brought_to_it_exactly():
    for size in (64, 256):
        raw = _moved(TEMPLATE, 0.3, 1.7, (40, -12))
        matrix = similarity(raw, size)
        found = raw @ matrix[:, :2].T + matrix[:, 2]
        assert np.abs(found - ((TEMPLATE + 0.5) * size / 256 - 0.5)).max() < 1e-9


def test_it_is_a_similarity():
    raw = TEMPLATE + np.random.default_rng(0).normal(0, 4, (5, 2))
    a = similarity(raw, 128)[:, :2]
    assert a[0, 0] == pytest.approx(a[1, 1])
    assert a[0, 1] == pytest.approx(-a[1, 0])


def test_missing_landmarks_are_left_out_and_too_few_give_none():
    raw = TEMPLATE.copy()
    raw[2] = np.nan
    assert np.allclose(similarity(raw, 256), [[1, 0, 0], [0, 1, 0]], atol=1e-9)
    raw[1:] = np.nan
    assert similarity(raw, 256) is None
    assert similarity(np.ones((5, 2)), 256) is None  # all in one place


def test_warping_there_and_back_returns_smooth_pictures():
    y, x = np.mgrid[:128, :128]
    picture = np.stack([x, y, (x + y) / 2], 2).astype(np.uint8)
    matrix = np.array([[1.0, -0.1, 8.0], [0.1, 1.0, -3.0]])
    inverse = np.linalg.inv(np.vstack([matrix, [0, 0, 1]]))[:2]
    back = warp_image(warp_image(picture, matrix, 128), inverse, 128)
    error = np.abs(back.astype(int) - picture)[24:-24, 24:-24]
    assert error.max() <= 2


def test_shrinking_takes_the_majority_class_and_the_mean_colour():
    labels = np.zeros((64, 64), np.uint8)
    labels[:, :38] = 3  # a border inside of a crop pixel: 6 of 8 columns are class 3
    image = np.zeros((64, 64, 3), np.uint8)
    image[::2] = 200
    half = np.array([[0.125, 0, 0.125 * 0.5 - 0.5], [0, 0.125, 0.125 * 0.5 - 0.5]])
    assert (warp_labels(labels, half, 8, classes=11)[:, :5] == 3).all()
    assert (warp_labels(labels, half, 8, classes=11)[:, 5:] == 0).all()
    assert np.abs(warp_image(image, half, 8).astype(int) - 100).max() <= 2


def test_outside_of_the_photo_labels_are_ignored_and_the_border_goes_on():
    matrix = np.array([[1.0, 0, 4], [0, 1.0, 0]])
    labels = warp_labels(np.full((8, 8), 2, np.uint8), matrix, 8, classes=11)
    assert (labels[:, :4] == IGNORE).all()
    assert (labels[:, 4:] == 2).all()
    assert (warp_image(np.full((8, 8, 3), 9, np.uint8), matrix, 8) == 9).all()


def test_exchanged_sides_fit_no_face_and_a_turned_one_does():
    turned = TEMPLATE * 0.7 + 20
    turned[2, 0] += 9  # the nose of a head turned aside
    assert misfit(similarity(turned, 64), turned, 64) < 0.05
    exchanged = TEMPLATE[[1, 0, 2, 4, 3]]
    assert misfit(similarity(exchanged, 64), exchanged, 64) > 0.15 > LARGEST_MISFIT


def test_two_points_fit_always_so_their_turn_tells_of_exchanged_sides():
    for given, told in ((TEMPLATE, 0.0), (TEMPLATE[[1, 0, 2, 4, 3]], np.inf)):
        eyes = np.where(np.arange(5)[:, None] < 2, given, np.nan)
        assert misfit(similarity(eyes, 64), eyes, 64) == pytest.approx(told)


def test_landmarks_of_another_photo_lie_outside():
    assert not outside(TEMPLATE, (256, 256))
    assert not outside(TEMPLATE, (160, 256))  # the mouth is cut off
    assert outside(TEMPLATE, (120, 256))
    assert outside(TEMPLATE + 500, (256, 256))
    assert not outside(np.array([[0, 0], [255, 99], *[[np.nan, np.nan]] * 3]), (100, 256))
