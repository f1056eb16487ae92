import dataclasses

import numpy as np
import pytest
import torch

from faceaug.errors import ConfigError
from faceaug.labels import FASSEG_6
from faceaug.parser.additions import Addition
from faceaug.parser.batches import MixedBatches
from faceaug.parser.config import ParserTraining
from faceaug.tensors import to_bytes


def _names(faces, images):
    """Which faces of a set the rows of a batch are."""
    return [next((i for i, face in enumerate(faces.images) if (face == row).all()), None) for row in to_bytes(images)]


def test_every_face_once_an_epoch_and_in_another_order_next_time(noise):
    faces = noise(8)
    batches = MixedBatches(faces, [], ParserTraining(images=64, batch=4, augment="none"))
    epochs = [_names(faces, batches.get(2 * e).images) + _names(faces, batches.get(2 * e + 1).images) for e in range(2)]
    assert sorted(epochs[0]) == sorted(epochs[1]) == list(range(8))
    assert epochs[0] != epochs[1]


def test_shares_hold_over_the_run(noise):
    real, first, second = noise(8), noise(8, seed=1), noise(8, seed=2)
    additions = [Addition("first", first, 0.3), Addition("second", second, 0.15)]
    batches = MixedBatches(real, additions, ParserTraining(images=400, batch=5, augment="none"))
    images = torch.cat([batches.get(step).images for step in range(40)])
    assert len(images) == 200
    assert [sum(row is not None for row in _names(faces, images)) for faces in (real, first, second)] == [110, 60, 30]


def test_additions_do_not_change_which_labelled_faces_are_seen_when_rows_come_on_top(noise):
    real, added = noise(8), noise(8, seed=1)
    alone = MixedBatches(real, [], ParserTraining(images=64, batch=4, augment="none", seed=5))
    beside = MixedBatches(real, [Addition("a", added, 1 / 3)], ParserTraining(images=96, batch=6, augment="none", seed=5))
    for step in range(16):
        assert [row for row in _names(real, beside.get(step).images) if row is not None] == _names(real, alone.get(step).images)


def test_pretraining_sees_additions_first_and_labelled_faces_after(noise):
    real, added = noise(8), noise(8, seed=1)
    training = ParserTraining(images=96, batch=4, augment="none", pretrain=0.25)
    batches = MixedBatches(real, [Addition("a", added, 0.5)], training)
    assert training.pretrain_steps == 6
    for step in range(training.steps):
        assert None not in _names(added if step < 6 else real, batches.get(step).images)


def test_a_batch_depends_on_its_number_alone(noise):
    faces = noise(8)
    for how in ("geometric", "strong"):
        training = ParserTraining(images=64, batch=4, seed=3, augment=how)
        a, b = (MixedBatches(faces, [Addition("a", noise(4, seed=1), 0.25)], training) for _ in range(2))
        for step in range(5):
            a.get(step)
        assert torch.equal(a.get(7).images, b.get(7).images)
        assert torch.equal(a.get(7).labels, b.get(7).labels)


def test_without_augmentation_faces_are_as_they_are(noise):
    faces = noise(4)
    batch = MixedBatches(faces, [], ParserTraining(images=4, batch=4, augment="none")).get(0)
    order = _names(faces, batch.images)
    assert (batch.labels.numpy() == faces.labels[np.array(order)]).all()


def test_rows_to_be_taught_come_apart_and_without_labels(noise):
    real, photos = noise(8), dataclasses.replace(noise(8, seed=1), labels=None)
    training = ParserTraining(images=64, batch=8, augment="none")
    batch = MixedBatches(real, [Addition("photos", photos, 0.5, taught=True)], training).get(0)
    assert (len(batch.images), len(batch.labels), len(batch.taught)) == (4, 4, 4)
    assert None not in _names(photos, batch.taught)
    assert None not in _names(real, batch.images)


@pytest.mark.parametrize(
    ("additions", "match"),
    [
        (lambda noise: [Addition("a", noise(4), 0.7), Addition("b", noise(4), 0.5)], r"add up to 1.2"),
        (lambda noise: [Addition("a", noise(4), 0.0)], "a: share 0 of a step"),
        (lambda noise: [Addition("a", noise(4, 128), 0.5)], "128 px"),
        (lambda noise: [Addition("a", dataclasses.replace(noise(4), labels=None), 0.5)], "a: noise has no label maps"),
        (
            lambda noise: [Addition("a", dataclasses.replace(noise(4), scheme=FASSEG_6), 0.5)],
            "fasseg-6, those of noise of helen-11",
        ),
    ],
)
def test_additions_that_do_not_fit_are_named(noise, additions, match):
    with pytest.raises(ConfigError, match=match):
        MixedBatches(noise(4), additions(noise), ParserTraining(images=4))


def test_there_must_be_something_to_pretrain_on(noise):
    with pytest.raises(ConfigError, match=r"pretrain 0.5: there are no faces"):
        MixedBatches(noise(4), [], ParserTraining(images=40, pretrain=0.5))
