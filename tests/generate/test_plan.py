import dataclasses

import numpy as np
import pytest
import torch
from small import noise_faces

from faceaug.errors import ConfigError, NothingLeft
from faceaug.gan.correspondence import fit
from faceaug.generate.plan import plan_pairs
from faceaug.labels import HELEN_11


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
    assert plan.source.tolist() == [0, 18, 7, 17, 19, 15, 4, 14]


def test_the_other_modes_draw_from_all():
    plan = plan_pairs(_faces([0] * 200), SOURCES, per_mask=1, mode="filter", seed=0, candidates=1)
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


def _fits(plan, targets):
    maps = SOURCES.labels[plan.source]
    maps = np.where(plan.mirrored[:, None, None], HELEN_11.flip(maps), maps)
    return fit(torch.from_numpy(targets.labels[plan.target]), torch.from_numpy(maps)).numpy()


def test_of_the_candidates_the_one_that_fits_is_taken():
    fits = []
    for candidates in (1, 4, 400):
        plan = plan_pairs(TARGETS, SOURCES, per_mask=1, mode="any", seed=0, candidates=candidates)
        fits.append(_fits(plan, TARGETS))
        assert plan.mirrored.any() == (candidates > 1)
    assert fits[0].mean() < fits[1].mean() < fits[2].mean()


def test_a_photo_itself_fits_its_own_mask_and_so_does_its_mirror_image():
    turned = dataclasses.replace(SOURCES, labels=HELEN_11.flip(SOURCES.labels))
    for targets, mirrored in ((SOURCES, False), (turned, True)):
        plan = plan_pairs(targets.select([3, 5, 8]), SOURCES, per_mask=2, mode="any", seed=0, candidates=400)
        assert plan.source[::2].tolist() == [3, 5, 8]
        assert (plan.mirrored[::2] == mirrored).all()
        assert (plan.source[1::2] != plan.source[::2]).all()
        assert _fits(plan, targets.select([3, 5, 8]))[::2] == pytest.approx(1.0, abs=1e-3)


def test_large_maps_choose_the_sources_that_small_ones_do():
    def enlarged(faces):
        return dataclasses.replace(
            faces, images=faces.images.repeat(2, 1).repeat(2, 2), labels=faces.labels.repeat(2, 1).repeat(2, 2)
        )

    small, large = (
        plan_pairs(targets, sources, per_mask=2, mode="any", seed=0, candidates=8)
        for targets, sources in ((TARGETS, SOURCES), (enlarged(TARGETS), enlarged(SOURCES)))
    )
    assert small.source.tolist() == large.source.tolist()
    assert small.mirrored.tolist() == large.mirrored.tolist()
