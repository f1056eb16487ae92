import dataclasses

import numpy as np
import pytest
from small import noise_faces

from faceaug.errors import ConfigError, NothingLeft
from faceaug.generate.pairing import plan_pairs
from faceaug.labels import flip_labels
from faceaug.prepare.likeness import shape_vectors


def _faces(male, seed=0):
    return dataclasses.replace(noise_faces(len(male), seed=seed), male=np.array(male))


TARGETS = _faces([1, 0, 0, 1, -1])
SOURCES = _faces([1, 0] * 10 + [-1], seed=1)


def test_sources_have_the_targets_gender_and_differ():
    plan = plan_pairs(TARGETS, SOURCES, per_mask=3, mode="consistent", seed=0, candidates=4)
    assert len(plan) == 12
    assert (TARGETS.male[plan.target] == SOURCES.male[plan.source]).all()
    assert plan.dropped == {"target's gender unknown": 1}
    for target in range(4):
        assert len(set(plan.source[plan.target == target])) == 3


def test_same_seed_same_pairs_and_a_row_depends_on_nothing_else():
    plan = plan_pairs(TARGETS, SOURCES, per_mask=3, mode="consistent", seed=0, candidates=4)
    again = plan_pairs(TARGETS, SOURCES, per_mask=3, mode="consistent", seed=0, candidates=4)
    assert (plan.source == again.source).all()
    assert (plan.seed == again.seed).all()
    fewer = plan_pairs(TARGETS.select([0, 1]), SOURCES, per_mask=3, mode="consistent", seed=0, candidates=4)
    assert (fewer.source == plan.source[:6]).all()
    other = plan_pairs(TARGETS, SOURCES, per_mask=3, mode="consistent", seed=1)
    assert (other.source != plan.source).any()


def test_golden_pairs():
    plan = plan_pairs(TARGETS, SOURCES, per_mask=2, mode="consistent", seed=7)
    assert plan.source.tolist() == [0, 18, 5, 19, 17, 15, 14, 12]


def test_the_other_modes_draw_from_all():
    plan = plan_pairs(_faces([0] * 200), SOURCES, per_mask=1, mode="filter", seed=0)
    assert set(SOURCES.male[plan.source]) == {-1, 0, 1}
    plan = plan_pairs(_faces([-1] * 3), SOURCES, per_mask=1, mode="any", seed=0)
    assert len(plan) == 3


def test_impossible_pairings():
    with pytest.raises(ConfigError, match="--per-mask 11: there are 10 sources"):
        plan_pairs(TARGETS, SOURCES, per_mask=11, mode="consistent", seed=0)
    with pytest.raises(ConfigError, match="--gender some: unknown"):
        plan_pairs(TARGETS, SOURCES, per_mask=1, mode="some", seed=0)
    with pytest.raises(NothingLeft, match="no target"):
        plan_pairs(_faces([-1] * 3), SOURCES, per_mask=1, mode="filter", seed=0)


def test_of_the_candidates_the_one_of_likest_shape_is_drawn():
    like = []
    for candidates in (1, 16, 400):
        plan = plan_pairs(TARGETS, SOURCES, per_mask=1, mode="any", seed=0, candidates=candidates)
        maps = SOURCES.labels[plan.source]
        maps = np.where(plan.mirrored[:, None, None], flip_labels(maps), maps)
        like.append((shape_vectors(maps) * shape_vectors(TARGETS.labels)).sum(axis=1))
        assert plan.mirrored.any() == (candidates > 1)
    assert like[0].mean() < like[1].mean() < like[2].mean()
    every = np.concatenate([shape_vectors(SOURCES.labels), shape_vectors(flip_labels(SOURCES.labels))])
    assert like[2] == pytest.approx((shape_vectors(TARGETS.labels) @ every.T).max(axis=1), abs=1e-3)
