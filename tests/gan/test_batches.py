import numpy as np
import pytest
import torch

from faceaug.errors import ConfigError
from faceaug.gan.batches import Batches, derangement
from faceaug.labels import flip_labels
from faceaug.tensors import to_bytes


@pytest.mark.parametrize("count", [2, 3, 8, 17])
def test_nobody_is_their_own_source(count):
    for seed in range(50):
        rng = np.random.default_rng(seed)
        found = derangement(rng, np.full(count, -1))
        assert sorted(found) == list(range(count))
        assert (found != np.arange(count)).all()


def test_another_photo_of_the_same_person_is_no_source():
    identity = np.array([5, 5, -1, 7, 7, 7, -1, 2])
    for seed in range(200):
        found = derangement(np.random.default_rng(seed), identity)
        assert sorted(found) == list(range(8))
        assert not ((identity == identity[found]) & (identity >= 0)).any()


def test_all_pairs_occur():
    pairs = {(i, int(s)) for seed in range(300) for i, s in enumerate(derangement(np.random.default_rng(seed), np.full(5, -1)))}
    assert len(pairs) == 20


def test_a_batch_depends_on_its_number_alone(noise):
    faces = noise(9)
    a, b = (Batches(faces, batch=4, seed=1, flip=True) for _ in range(2))
    for step in range(6):
        a.get(step, paired=True)
    first, second = a.get(7, paired=False), b.get(7, paired=False)
    assert all(torch.equal(vars(first)[name], vars(second)[name]) for name in vars(first))


def test_paired_rows_are_their_own_source_and_unpaired_ones_never(noise):
    batches = Batches(noise(8), batch=4, seed=0, flip=False)
    paired, unpaired = batches.get(0, paired=True), batches.get(1, paired=False)
    assert torch.equal(paired.images, paired.source_images)
    assert torch.equal(paired.labels, paired.source_labels)
    targets, sources = ([row.tobytes() for row in to_bytes(images)] for images in (unpaired.images, unpaired.source_images))
    assert sorted(targets) == sorted(sources)
    assert all(target != source for target, source in zip(targets, sources, strict=True))
    maps = dict(zip(targets, (row.numpy().tobytes() for row in unpaired.labels), strict=True))
    assert [maps[source] for source in sources] == [row.numpy().tobytes() for row in unpaired.source_labels]


@pytest.mark.parametrize("paired", [True, False])
def test_devices_share_the_rows_of_one_batch(noise, paired):
    faces = noise(12)
    whole = Batches(faces, batch=6, seed=1, flip=True).get(3, paired=paired)
    parts = [Batches(faces, batch=6, seed=1, flip=True, rank=rank, ranks=3).get(3, paired=paired) for rank in range(3)]
    for name, tensor in vars(whole).items():
        assert torch.equal(torch.cat([vars(part)[name] for part in parts]), tensor), name


def test_rows_that_cannot_be_shared(noise):
    with pytest.raises(ConfigError, match="--batch 4: cannot be shared by 3 devices; make it a multiple of 3"):
        Batches(noise(8), batch=4, seed=0, flip=True, rank=0, ranks=3)


def test_mirrored_rows_have_their_sides_exchanged(noise):
    faces = noise(8)
    batches = Batches(faces, batch=8, seed=0, flip=True)
    batch = batches.get(0, paired=True)
    pictures = to_bytes(batch.images)
    mirrored = 0
    for row, labels in zip(pictures, batch.labels.numpy(), strict=True):
        for image, truth in zip(faces.images, faces.labels, strict=True):
            if (image == row).all():
                assert (labels == truth).all()
            elif (image[:, ::-1] == row).all():
                assert (labels == flip_labels(truth)).all()
                mirrored += 1
    assert 0 < mirrored < 8


def test_every_face_once_an_epoch(noise):
    faces = noise(8)
    batches = Batches(faces, batch=4, seed=0, flip=False)
    seen = [row.tobytes() for step in (0, 1) for row in to_bytes(batches.get(step, paired=True).images)]
    assert sorted(seen) == sorted(image.tobytes() for image in faces.images)


def test_too_few_faces(noise):
    with pytest.raises(ConfigError, match="--batch 16: larger than the 8 faces"):
        Batches(noise(8), batch=16, seed=0, flip=True)
