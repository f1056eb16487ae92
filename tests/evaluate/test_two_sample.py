import numpy as np
import pytest

from faceaug.evaluate.two_sample import TwoSampleConfig, two_sample_auc

SHORT = TwoSampleConfig(steps=40)


@pytest.fixture(scope="module")
def photos():
    """Smooth random pictures on one mask."""
    rng = np.random.default_rng(0)
    coarse = rng.integers(60, 200, (40, 4, 4, 3)).repeat(8, 1).repeat(8, 2)
    return coarse.astype(np.uint8), np.ones((40, 32, 32), dtype=np.uint8)


def test_what_is_plainly_different_is_told_apart_and_copies_are_not(photos, compute):
    images, labels = photos
    target = np.arange(40).repeat(2)
    noise = np.random.default_rng(1).integers(-40, 41, (80, 32, 32, 3))
    noisy = np.clip(images[target] + noise, 0, 255).astype(np.uint8)
    told = two_sample_auc(images, labels, noisy, target, SHORT, compute, rounds=20)
    assert told["value"] > 0.95
    assert told["low"] <= told["value"]
    same = two_sample_auc(images, labels, images[target], target, SHORT, compute, rounds=20)
    assert 0.3 < same["value"] < 0.7


def test_the_same_seed_gives_the_same_figure(photos, compute):
    images, labels = photos
    target = np.arange(40)
    few = TwoSampleConfig(steps=4)
    first = two_sample_auc(images, labels, images[::-1].copy(), target, few, compute, rounds=10)
    assert two_sample_auc(images, labels, images[::-1].copy(), target, few, compute, rounds=10) == first


def test_masks_without_generated_faces_on_one_side_are_refused(photos, compute):
    images, labels = photos
    with pytest.raises(ValueError, match="held-out"):
        two_sample_auc(images, labels, images[:1], np.array([0]), SHORT, compute)
