from dataclasses import replace

import numpy as np
import pytest
from faceaug.datasets.celeba import CelebA

from faceaug.errors import NothingLeft
from faceaug.generate.config import GenerateConfig
from faceaug.generate.gender import _split, fit_gender, possible
from faceaug.imagenet import ImageFeatures
from faceaug.prepare.faces import UNKNOWN, align


@pytest.fixture(scope="module")
def photos(drawn):
    return align(CelebA(drawn / "celeba"), size=64)


def test_gender_of_drawn_people_is_learned(photos, compute):
    classifier = fit_gender(photos, ImageFeatures(compute), seed=0)
    assert classifier.held_out >= 8
    assert classifier.accuracy > 0.6
    assert (classifier.male(photos.images) == photos.male).mean() > 0.85
    chances = classifier.probability(photos.images)
    assert ((chances >= 0) & (chances <= 1)).all()


def test_too_few_of_a_gender(photos, compute):
    women = replace(photos, male=np.zeros(len(photos), np.int64))
    with pytest.raises(NothingLeft, match="0 male"):
        fit_gender(women, ImageFeatures(compute), seed=0)


def test_without_genders_sources_of_any_are_used_and_that_is_said(photos, capsys):
    unknown = replace(photos, male=np.full(len(photos), UNKNOWN))
    assert possible(GenerateConfig(), unknown).gender == "any"
    assert "0 male and 0 female photos are too few" in capsys.readouterr().err
    assert possible(GenerateConfig(), photos).gender == "consistent"
    assert possible(GenerateConfig(gender="filter"), unknown).gender == "filter"  # asked for: refused where it is used
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("people", [[0], [0, 1], [0, 0, 0, 1]])
def test_too_few_people_are_told(photos, compute, people):
    # One person of each gender, or one in all: nobody is left to score.
    few = replace(photos, identity=np.where(photos.male == 1, people[0], people[-1]))
    with pytest.raises(NothingLeft, match=r"are of too few people to learn gender from, .* or do without"):
        fit_gender(few, ImageFeatures(compute), seed=0)


def test_of_few_people_both_genders_are_left_to_fit_on():
    male = np.repeat([1, 0, 0, 0, 0, 0], 5)
    people = np.repeat([0, 1, 2, 3, 4, 5], 5)
    both = np.concatenate([male, [1] * 5]), np.concatenate([people, [6] * 5])
    for seed in range(20):
        fits, scores = _split(both[1], both[0], seed)
        assert len(set(both[0][fits])) == 2
        assert not set(both[1][fits]) & set(both[1][scores])
        assert len(scores)
