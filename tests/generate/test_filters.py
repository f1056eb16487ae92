import sys
import types

import numpy as np
import pytest

from faceaug.errors import ConfigError
from faceaug.generate.filters import Agreement, Candidates, Doubt, NearDuplicates, SameIdentity, class_losses
from faceaug.labels import IGNORE
from faceaug.parser.predict import predict_against


def _candidates(images, **changes):
    count = len(images)
    given = {
        "labels": np.zeros(images.shape[:3], np.uint8),
        "agreement": np.linspace(0, 1, count, dtype=np.float32),
        "likely": np.ones(images.shape[:3], np.float32),
        "target_male": np.zeros(count, np.int64),
        "source": np.arange(count),
    }
    return Candidates(images, **{**given, **changes})


def test_agreement_has_a_bar(noise):
    faces = _candidates(noise(5).images)
    assert Agreement(0.5).keep(faces).tolist() == [False, False, True, True, True]


def test_near_duplicates_of_photos_and_of_one_another(faces, noise):
    new = noise(4, seed=9).images
    copy = np.clip(faces.images[3].astype(int) + 2, 0, 255).astype(np.uint8)
    images = np.concatenate([new[:2], copy[None], new[:1], new[2:]])
    found = NearDuplicates(4.0, [faces]).keep(_candidates(images))
    assert found.tolist() == [True, True, False, False, True, True]
    assert NearDuplicates(1.0, [faces]).keep(_candidates(images)).tolist() == [True, True, True, False, True, True]
    # A duplicate of a duplicate that is dropped anyway is none.
    assert NearDuplicates(4.0, [faces]).keep(_candidates(np.stack([copy, copy, new[0]]))).tolist() == [False, False, True]


def test_doubtful_pixels_are_those_beyond_their_classs_bar():
    labels = np.array([[[0, 1], [2, IGNORE]]], np.uint8)
    likely = np.exp(-np.array([[[0.5, 0.5], [0.5, 9.0]]], np.float32))
    assert (Doubt().labels(labels, likely) == labels).all()
    relative = Doubt(losses=np.array([1.0, 0.4, np.inf]))
    assert relative.labels(labels, likely).tolist() == [[[0, IGNORE], [2, IGNORE]]]
    assert Doubt(least=0.7).labels(labels, likely).tolist() == [[[IGNORE, IGNORE], [IGNORE, IGNORE]]]


def test_the_usual_loss_of_each_class_is_measured_on_people_s_label_maps(ready):
    found = class_losses(ready.parser, ready.targets)
    likely = predict_against(ready.parser, ready.targets.images, ready.targets.labels)[1]
    for label in range(len(ready.targets.scheme)):
        here = ready.targets.labels == label
        expected = -np.log(np.maximum(likely[here], 1e-12)).mean() if here.any() else np.inf
        assert found[label] == pytest.approx(expected, rel=1e-4)
    with pytest.raises(ConfigError, match="--max-doubt: needs masks made by people"):
        class_losses(ready.parser, ready.sources)


def test_identity_needs_its_package_and_drops_who_is_recognised(faces, monkeypatch):
    monkeypatch.setitem(sys.modules, "face_recognition", None)
    with pytest.raises(ConfigError, match="--set min_identity_distance: needs `pip install face_recognition`"):
        SameIdentity(0.6, faces)
    network = types.ModuleType("face_recognition")
    network.face_encodings = lambda image, known_face_locations: [] if image.max() == 0 else [image[::40, ::40].ravel() / 255]
    monkeypatch.setitem(sys.modules, "face_recognition", network)
    images = np.stack([faces.images[0], faces.images[0], np.zeros_like(faces.images[0])])
    found = SameIdentity(0.6, faces).keep(_candidates(images, source=np.array([0, 5, 1])))
    assert found.tolist() == [False, True, True]  # the same; another person; none is found
