import dataclasses
import itertools
import json
from collections import Counter

import numpy as np
import pytest
import torch
from small import noise_faces

from faceaug.errors import ConfigError, NothingLeft
from faceaug.gan.correspondence import fit
from faceaug.generate.plan import Planner, Shapes, plan_pairs
from faceaug.labels import HELEN_11
from faceaug.shapes.edits import OPERATIONS, build_operations
from faceaug.shapes.model import ShapeModel


def _faces(male, seed=0):
    return dataclasses.replace(noise_faces(len(male), seed=seed), male=np.array(male))


TARGETS = _faces([1, 0, 0, 1, -1])
SOURCES = _faces([1, 0] * 10 + [-1], seed=1)
MANY = _faces([1, 0] * 24, seed=2)


def test_sources_have_the_targets_gender_and_differ():
    plan = plan_pairs(TARGETS, SOURCES, per_mask=3, mode="consistent", seed=0, candidates=4)
    assert len(plan) == 12
    assert (TARGETS.male[plan.target] == SOURCES.male[plan.source]).all()
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
    assert plan.source.tolist() == [0, 6, 7, 17, 19, 15, 4, 14]


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


def test_the_photo_of_the_same_mask_fits_it_and_so_does_its_mirror_image():
    turned = dataclasses.replace(SOURCES, labels=HELEN_11.flip(SOURCES.labels))
    for faces, mirrored in ((SOURCES, False), (turned, True)):
        targets = dataclasses.replace(faces, images=255 - faces.images).select([3, 5, 8])  # the masks of other photos
        plan = plan_pairs(targets, SOURCES, per_mask=2, mode="any", seed=0, candidates=400)
        assert plan.source[::2].tolist() == [3, 5, 8]
        assert (plan.mirrored[::2] == mirrored).all()
        assert (plan.source[1::2] != plan.source[::2]).all()
        assert _fits(plan, targets)[::2] == pytest.approx(1.0, abs=1e-3)


def test_nobody_is_generated_onto_their_own_photo():
    people = np.arange(len(SOURCES)) // 3
    sources = dataclasses.replace(SOURCES, identity=people)
    plan = plan_pairs(sources, sources, per_mask=3, mode="any", seed=0, candidates=400)
    assert (people[plan.source] != people[plan.target]).all()


def _planner(faces, **changes):
    given = {"copies": np.array([3, 0, 5, 2, 4]), "mode": "any", "seed": 3, "candidates": 2, "mix": "pairs"}
    targets = dataclasses.replace(TARGETS, labels=faces.labels[:5], images=faces.images[:5])
    operations = build_operations(OPERATIONS, targets, ShapeModel(np.zeros((1, 2, 64, 64), np.float32)))
    return Planner(targets, MANY, **{**given, "shapes": Shapes(operations, 0.7), **changes})


def _values(plan):
    return [plan.row, plan.target, plan.people, plan.turned, plan.owner, plan.seed], plan.edits, plan.rejected


@pytest.mark.parametrize("mix", ["none", "pairs", "all"])
def test_parts_of_a_plan_are_the_whole_whatever_their_length_and_order(faces, mix):
    whole = _planner(faces, mix=mix).rows(0, 14)
    assert whole.target.tolist() == [0, 0, 0, 2, 2, 2, 2, 2, 3, 3, 4, 4, 4, 4]
    for bounds in ([0, 5, 14], [0, 1, 2, 3, 7, 9, 13, 14]):
        for order in (1, -1):
            planner = _planner(faces, mix=mix)
            parts = [planner.rows(*pair) for pair in list(itertools.pairwise(bounds))[::order]][::order]
            for one, other in zip(_values(whole)[0], zip(*[_values(part)[0] for part in parts], strict=True), strict=True):
                assert (one == np.concatenate(other)).all()
            assert whole.edits == [edits for part in parts for edits in part.edits]
            assert whole.rejected == sum((part.rejected for part in parts), Counter())


def test_people_of_a_face_differ_and_have_components_by_group(faces):
    for mix, count in (("pairs", 2), ("all", 4)):
        plan = _planner(faces, mix=mix).rows(0, 14)
        assert plan.people.shape == (14, count)
        assert all(len(set(row)) == count for row in plan.people)
        assert all(set(row) == set(range(count)) for row in plan.owner)
        assert (plan.owner[:, 0] == plan.owner[:, 1]).all()  # both eyes are one person's
        for target in set(plan.target):  # no person twice on one mask
            used = plan.people[plan.target == target].ravel()
            assert len(set(used)) == len(used)


@pytest.mark.parametrize("mode", ["consistent", "any", "filter"])
def test_people_of_a_face_are_of_one_gender(faces, mode):
    planner = _planner(faces, mix="all", mode=mode, copies=np.array([1, 1, 1, 1, 1]), target_male=np.array([1, 0, 0, 1, 1]))
    plan = planner.rows(0, 5)
    genders = MANY.male[plan.people]
    known = genders[genders[:, 0] >= 0]
    assert (known == known[:, :1]).all()
    if mode == "consistent":
        assert genders[:, 0].tolist() == [1, 0, 0, 1, 1]


def test_edits_can_be_applied_again_from_their_json(faces):
    planner = _planner(faces)
    plan = planner.rows(0, 14)
    assert any(plan.edits)
    assert not all(plan.edits)
    at_hand = plan.target_arrays(planner.targets, planner.shapes.operations)
    again = dataclasses.replace(plan, edits=json.loads(json.dumps(plan.edits)), changed={})
    for one, other in zip(at_hand, again.target_arrays(planner.targets, planner.shapes.operations), strict=True):
        assert (one == other).all()
    described = json.loads(plan.params(0, MANY))
    assert set(described["sources"]) == {"left eye", "right eye", "mouth", "skin & nose", "hair"}
    assert described["sources"]["skin & nose"]["name"] == MANY.names[plan.source[0]]


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
