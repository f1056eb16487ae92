from dataclasses import replace

import numpy as np
import pytest
from faceaug.datasets.celeba import CelebA

from faceaug.errors import NothingLeft
from faceaug.generate.gender import fit_gender
from faceaug.prepare.faces import align
from faceaug.pretrained import ImageFeatures


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
