import torch
from torch import nn

from faceaug.labels import IGNORE
from faceaug.parser.batches import Batch
from faceaug.parser.consistency import VIEWS, teach


class _Teacher(nn.Module):
    """Sure of class 3 on the left half, of nothing on the right."""

    def forward(self, images):
        logits = torch.zeros(len(images), 11, *images.shape[2:])
        logits[:, 3, :, : images.shape[3] // 2] = 20
        return logits


def _batch(known, taught, size=16):
    generator = torch.Generator().manual_seed(0)
    images = torch.rand(known + taught, 3, size, size, generator=generator) * 2 - 1
    return Batch(images[:known], torch.zeros(known, size, size, dtype=torch.uint8), images[known:])


def test_views_are_strong_and_have_the_labels_that_the_teacher_is_sure_of(compute):
    batch = _batch(4, 6)
    images, labels, rows = teach(batch, _Teacher(), compute, seed=1)
    assert len(images) == len(labels) == len(rows) == 4 + VIEWS * 6
    assert torch.equal(images[:4], batch.images)
    assert set(labels[4:].unique().tolist()) == {3, IGNORE}
    assert (labels[4:, :, 8:] == IGNORE).all()
    assert not torch.equal(images[4:10], images[10:16])
    assert float(rows[:4].sum()) == 4.0
    assert float(rows[4:].sum()) == 6.0  # photos weigh as much as as many faces


def test_without_photos_nothing_changes(compute):
    batch = _batch(4, 0)
    images, labels, rows = teach(batch, _Teacher(), compute, seed=1)
    assert images is batch.images
    assert labels is batch.labels
    assert rows is None
