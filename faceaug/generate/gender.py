"""Perceived gender of faces: a linear classifier on ImageNet features, trained on CelebA's ``Male``.

It serves one purpose: keeping generated faces consistent with the masks they fill, as in Section 4 of the paper.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupShuffleSplit
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from faceaug.arrays import IntArray
from faceaug.errors import NothingLeft
from faceaug.generate.config import GenerateConfig
from faceaug.imagenet import ImageFeatures
from faceaug.prepare.faces import FEMALE, MALE, UNKNOWN, FaceSet
from faceaug.progress import say

HELD_OUT = 0.2

FEWEST = 10
"""Photos of each gender that a classifier is fitted on, at least."""


@dataclass(frozen=True)
class GenderClassifier:
    """A fitted classifier.

    Attributes:
        features: what it looks at.
        model: standardisation and logistic regression.
        accuracy: on photos of people it was not fitted on.
        held_out: how many photos that was.
    """

    features: ImageFeatures
    model: Pipeline
    accuracy: float
    held_out: int

    def probability(self, images: npt.NDArray[np.uint8], *, label: str = "") -> npt.NDArray[np.float64]:
        """Probability of ``male`` for ``(N, S, S, 3)`` uint8 faces: ``(N,)``."""
        found: npt.NDArray[np.float64] = self.model.predict_proba(self.features(images, label=label))[:, 1]
        return found

    def male(self, images: npt.NDArray[np.uint8], *, label: str = "") -> IntArray:
        """1 or 0 for each face: ``(N,)``."""
        return (self.probability(images, label=label) >= 0.5).astype(np.int64)


_ADVICE = "name more photos whose gender is known (traits.csv beside them: name, male), or do without"


def unlearnable(photos: FaceSet) -> str:
    """Why gender cannot be learnt from photos, and what to do; empty where it can."""
    known = np.flatnonzero(photos.male != UNKNOWN)
    male, people = photos.male[known], _people(photos, known)
    counts = {value: int((male == value).sum()) for value in (MALE, FEMALE)}
    if min(counts.values()) < FEWEST:
        few = f"{counts[MALE]} male and {counts[FEMALE]} female photos are too few to learn gender from"
        return f"{photos.title}: {few}; {_ADVICE}"
    if min(len(set(people[male == value])) for value in (MALE, FEMALE)) < 2:
        return (
            f"{photos.title}: its photos are of too few people to learn gender from, at least two of each are needed; mend the "
            f"list of identities, or {_ADVICE}"
        )
    return ""


def possible(config: GenerateConfig, sources: FaceSet) -> GenerateConfig:
    """The settings, with sources of any gender where consistent ones are wanted and cannot be had; that is said."""
    if config.gender != "consistent" or not (why := unlearnable(sources)):
        return config
    say(f"gender: {why}. Here sources of any gender are used")
    return replace(config, gender="any")


def _people(photos: FaceSet, known: IntArray) -> IntArray:
    """Who is on each photo; unknown people are all different ones."""
    return np.where(photos.identity[known] < 0, -1 - known, photos.identity[known])


def fit_gender(photos: FaceSet, features: ImageFeatures, *, seed: int) -> GenderClassifier:
    """Fit on four fifths of the people, score on the rest.

    Args:
        photos: faces with ``male`` known for some.
        features: from the packaged network.
        seed: of the split.

    Raises:
        NothingLeft: gender cannot be learnt from them, see :func:`unlearnable`.
    """
    if why := unlearnable(photos):
        raise NothingLeft(why)
    known = np.flatnonzero(photos.male != UNKNOWN)
    male, people = photos.male[known], _people(photos, known)
    # Photos of one person never stand on both sides of the split.
    train, test = _split(people, male, seed)
    values = features(photos.images[known], label="gender features")
    model = make_pipeline(StandardScaler(), LogisticRegression(C=0.003, max_iter=500))
    model.fit(values[train], male[train])
    accuracy = float((model.predict(values[test]) == male[test]).mean())
    return GenderClassifier(features, model, round(accuracy, 4), len(test))


def _split(people: IntArray, male: IntArray, seed: int) -> tuple[IntArray, IntArray]:
    """Rows to fit on and rows to score: of the first draw that leaves both genders to fit on."""
    draws = GroupShuffleSplit(1000, test_size=HELD_OUT, random_state=seed).split(male, male, people)
    return next((fits, scores) for fits, scores in draws if len(set(male[fits])) == 2)
