import numpy as np
import pytest

from faceaug.errors import ConfigError, NothingLeft
from faceaug.generate.pairing import plan_pairs

TARGETS = np.array([1, 0, 0, 1, -1])
SOURCES = np.array([1, 0] * 10 + [-1])


def test_sources_have_the_targets_gender_and_differ():
    plan = plan_pairs(TARGETS, SOURCES, per_mask=3, mode="consistent", seed=0)
    assert len(plan) == 12
    assert (TARGETS[plan.target] == SOURCES[plan.source]).all()
    assert plan.dropped == {"target's gender unknown": 1}
    for target in range(4):
        assert len(set(plan.source[plan.target == target])) == 3


def test_same_seed_same_pairs_and_a_row_depends_on_nothing_else():
    plan = plan_pairs(TARGETS, SOURCES, per_mask=3, mode="consistent", seed=0)
    again = plan_pairs(TARGETS, SOURCES, per_mask=3, mode="consistent", seed=0)
    assert (plan.source == again.source).all()
    assert (plan.seed == again.seed).all()
    fewer = plan_pairs(TARGETS[:2], SOURCES, per_mask=3, mode="consistent", seed=0)
    assert (fewer.source == plan.source[:6]).all()
    other = plan_pairs(TARGETS, SOURCES, per_mask=3, mode="consistent", seed=1)
    assert (other.source != plan.source).any()


def test_golden_pairs():
    plan = plan_pairs(TARGETS, SOURCES, per_mask=2, mode="consistent", seed=7)
    assert plan.source.tolist() == [18, 0, 3, 19, 7, 9, 0, 10]


def test_the_other_modes_draw_from_all():
    plan = plan_pairs(np.zeros(200, np.int64), SOURCES, per_mask=1, mode="filter", seed=0)
    assert set(SOURCES[plan.source]) == {-1, 0, 1}
    plan = plan_pairs(np.full(3, -1), SOURCES, per_mask=1, mode="any", seed=0)
    assert len(plan) == 3


def test_impossible_pairings():
    with pytest.raises(ConfigError, match="--per-mask 11: there are 10 sources"):
        plan_pairs(TARGETS, SOURCES, per_mask=11, mode="consistent", seed=0)
    with pytest.raises(ConfigError, match="--gender some: unknown"):
        plan_pairs(TARGETS, SOURCES, per_mask=1, mode="some", seed=0)
    with pytest.raises(NothingLeft, match="no target"):
        plan_pairs(np.full(3, -1), SOURCES, per_mask=1, mode="filter", seed=0)
