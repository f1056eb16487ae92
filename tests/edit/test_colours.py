import dataclasses
import itertools

import cv2
import numpy as np
import pytest

from faceaug.edit.colours import from_colours
from faceaug.errors import ConfigError
from faceaug.labels import HELEN_11, IGNORE, SCHEMES


def _cover(width, side=64, larger=8):
    """How much of each pixel a disc covers, as paint programs draw it, and with a soft brush."""
    y, x = np.mgrid[: side * larger, : side * larger] - (side * larger - 1) / 2
    disc = (np.hypot(y, x) < 20.4 * larger).astype(np.float32)
    cover = cv2.resize(disc, (side, side), interpolation=cv2.INTER_AREA)
    return cv2.GaussianBlur(cover, (0, 0), width) if width else cover


DISC = _cover(0) > 0.5


@pytest.mark.parametrize("name", SCHEMES)
def test_a_mask_in_its_colours_comes_back_exactly(name):
    scheme = SCHEMES[name]
    labels = np.random.default_rng(0).integers(0, len(scheme) + 1, (40, 40)).astype(np.uint8)
    labels[labels == len(scheme)] = IGNORE
    assert (from_colours(scheme.colour(labels), scheme) == labels).all()


@pytest.mark.parametrize("width", [0, 0.7, 1.5])
@pytest.mark.parametrize("name", SCHEMES)
def test_soft_edges_invent_no_class_and_lie_where_the_colours_meet(name, width):
    scheme, cover = SCHEMES[name], _cover(width)[..., None]
    pairs = list(itertools.combinations(range(len(scheme)), 2))
    tiles = [np.rint(cover * scheme.colours[one] + (1 - cover) * scheme.colours[other]) for one, other in pairs]
    found = from_colours(np.concatenate(tiles).astype(np.uint8), scheme).reshape(len(pairs), 64, 64)
    for (one, other), labels in zip(pairs, found, strict=True):
        assert set(np.unique(labels)) == {one, other}, (one, other)
        assert (labels[cover[..., 0] > 0.75] == one).all()
        assert (labels[cover[..., 0] < 0.25] == other).all()


def test_three_classes_that_meet_stay_three():
    labels = np.zeros((64, 64), np.uint8)
    labels[:, 32:], labels[40:] = 6, 8  # nose and inner mouth mix to skin
    picture = cv2.GaussianBlur(HELEN_11.colour(labels), (0, 0), 1)
    found = from_colours(picture, HELEN_11)
    assert set(np.unique(found)) == {0, 6, 8}
    assert (found != labels).mean() < 0.03


def test_noise_of_a_browser_changes_nothing():
    labels = np.zeros((64, 64), np.uint8)
    labels[DISC] = 1
    labels[20:24, 20:40] = 9
    noise = np.random.default_rng(1).integers(-1, 2, (64, 64, 3))
    picture = np.clip(HELEN_11.colour(labels).astype(int) + noise, 0, 255).astype(np.uint8)
    assert (from_colours(picture, HELEN_11) != labels).mean() < 0.005


def test_transparent_is_unlabelled():
    labels = np.full((8, 8), 3, np.uint8)
    picture = np.dstack([HELEN_11.colour(labels), np.full((8, 8), 255, np.uint8)])
    picture[:2] = 0
    found = from_colours(picture, HELEN_11)
    assert (found[:2] == IGNORE).all()
    assert (found[2:] == 3).all()


def test_what_is_no_mask_of_the_scheme_is_refused():
    photo = np.random.default_rng(0).integers(0, 256, (32, 32, 3)).astype(np.uint8)
    with pytest.raises(ConfigError, match=r"painted.png: 100% of its pixels have none of the colours of helen-11"):
        from_colours(photo, HELEN_11, "painted.png")
    twice = dataclasses.replace(HELEN_11, name="twice", colours=((0, 0, 0), (0, 0, 0), *HELEN_11.colours[2:]))
    with pytest.raises(ConfigError, match=r"label scheme twice: background and skin have one colour"):
        from_colours(photo, twice)
    white = dataclasses.replace(HELEN_11, name="white", colours=(*HELEN_11.colours[:-1], (255, 255, 255)))
    with pytest.raises(ConfigError, match=r"hair and unlabelled \(255\) have one colour"):
        from_colours(photo, white)
