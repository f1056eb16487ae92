import numpy as np
import pytest
import torch

from faceaug.errors import ConfigError
from faceaug.parser.batches import MixedBatches
from faceaug.parser.config import ParserTraining
from faceaug.tensors import to_bytes


def _names(faces, images):
    """Which faces of a set the rows of a batch are."""
    return [next((i for i, face in enumerate(faces.images) if (face == row).all()), None) for row in to_bytes(images)]


def test_every_face_once_an_epoch_and_in_another_order_next_time(noise):
    faces = noise(8)
    batches = MixedBatches(faces, None, ParserTraining(images=64, batch=4, augment=False))
    epochs = [_names(faces, batches.get(2 * e)[0]) + _names(faces, batches.get(2 * e + 1)[0]) for e in range(2)]
    assert sorted(epochs[0]) == sorted(epochs[1]) == list(range(8))
    assert epochs[0] != epochs[1]


def test_the_share_of_synthetic_faces_holds_over_the_run(noise):
    real, synthetic = noise(8), noise(8, seed=1)
    batches = MixedBatches(real, synthetic, ParserTraining(images=400, batch=5, augment=False, synthetic_share=0.3))
    rows = [row for step in range(40) for row in _names(synthetic, batches.get(step)[0])]
    assert len(rows) == 200
    assert sum(row is not None for row in rows) == 60


def test_a_batch_depends_on_its_number_alone(noise):
    faces = noise(8)
    training = ParserTraining(images=64, batch=4, seed=3)
    a, b = MixedBatches(faces, None, training), MixedBatches(faces, None, training)
    for step in range(5):
        a.get(step)
    assert torch.equal(a.get(7)[0], b.get(7)[0])
    assert torch.equal(a.get(7)[1], b.get(7)[1])


def test_without_augmentation_faces_are_as_they_are(noise):
    faces = noise(4)
    images, labels = MixedBatches(faces, None, ParserTraining(images=4, batch=4, augment=False)).get(0)
    order = _names(faces, images)
    assert (labels.numpy() == faces.labels[np.array(order)]).all()


def test_a_share_of_nothing_is_an_error(noise):
    with pytest.raises(ConfigError, match="no synthetic faces"):
        MixedBatches(noise(4), None, ParserTraining(images=4, synthetic_share=0.5))
