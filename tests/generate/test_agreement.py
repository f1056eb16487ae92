import numpy as np
import pytest
from sklearn.metrics import f1_score

from faceaug.generate.agreement import agreement


def test_it_is_the_mean_f1_of_the_foreground_classes_that_occur():
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 6, (3, 16, 16), dtype=np.uint8)
    read = np.where(rng.random(labels.shape) < 0.8, labels, rng.integers(0, 7, labels.shape)).astype(np.uint8)
    for found, r, t in zip(agreement(read, labels), read, labels, strict=True):
        assert found == pytest.approx(f1_score(t.ravel(), r.ravel(), labels=range(1, 7), average="macro"), abs=1e-6)


def test_ends_of_the_scale_and_ignored_pixels():
    labels = np.full((2, 4, 4), 3, np.uint8)
    labels[1] = 0
    assert agreement(labels, labels).tolist() == [1, 1]
    read = np.full((2, 4, 4), 5, np.uint8)
    assert agreement(read, labels).tolist() == [0, 0]
    labels[:] = 255
    assert agreement(read, labels).tolist() == [1, 1]
