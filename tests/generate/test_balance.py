import numpy as np
import pytest

from faceaug.errors import ConfigError
from faceaug.generate.balance import HARDEST, mask_weights, shared_out
from faceaug.generate.config import GenerateConfig
from faceaug.labels import INNER_MOUTH


def test_faces_are_shared_out_to_the_last_one():
    rng = np.random.default_rng(0)
    for total in (1, 7, 100, 12345):
        weights = rng.random(37) + 0.1
        found = shared_out(total, weights)
        assert found.sum() == total
        assert (abs(found - total * weights / weights.sum()) < 1).all()
    assert shared_out(20, np.ones(10)).tolist() == [2] * 10
    spread = np.flatnonzero(shared_out(4, np.ones(100)))
    assert np.diff(spread).min() > 10  # from all over the set


def test_masks_with_rare_classes_get_more(ready, noise):
    faces = noise(20)
    labels = np.ones_like(faces.labels)
    labels[:2, 30:34, 30:34] = INNER_MOUTH
    object.__setattr__(faces, "labels", labels)
    weights = mask_weights(faces, "rare", ready.parser)
    assert (weights[2:] == 1).all()
    assert weights[:2] == pytest.approx(np.sqrt(0.5 / 0.1))
    assert (mask_weights(faces, "none", ready.parser) == 1).all()


def test_hard_masks_get_more(ready):
    weights = mask_weights(ready.targets, "hard", ready.parser)
    assert weights.min() == 1
    assert weights.max() == HARDEST
    assert len(set(weights)) == len(weights)


def test_settings_are_checked():
    for changes, told in (
        ({"balance": "all"}, "--balance all: unknown; use none, rare, hard"),
        ({"mix": "some"}, "--mix some: unknown"),
        ({"shapes": "smile"}, "--shapes smile: unknown"),
        ({"total": -1}, "--total -1"),
        ({"shape_share": 2.0}, "--set shape_share=2.0"),
        ({"min_difference": 300.0}, "--min-difference 300.0"),
        ({"max_doubt": -1.0}, "--max-doubt -1.0"),
    ):
        with pytest.raises(ConfigError, match=told):
            GenerateConfig(**changes)
