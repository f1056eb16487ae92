import dataclasses

import numpy as np
import pytest
import torch

from faceaug.errors import ConfigError
from faceaug.gan.batches import Batches
from faceaug.labels import HELEN_11
from faceaug.prepare.faces import join
from faceaug.prepare.likeness import Likeness, shape_vectors
from faceaug.tensors import to_bytes


@pytest.mark.parametrize("candidates", [1, 8])
def test_nobody_is_their_own_source_nor_another_photo_of_them(noise, candidates):
    faces = dataclasses.replace(noise(8), identity=np.array([5, 5, -1, 7, 7, 7, -1, 2]))
    person = {row.tobytes(): number for row, number in zip(faces.images, [5, 5, -1, 7, 7, 7, -2, 2], strict=True)}
    batches = Batches(faces, batch=4, seed=0, flip=False, candidates=candidates)
    met = set()
    for step in range(60):
        batch = batches.get(step, paired=False)
        for target, source in zip(to_bytes(batch.images), to_bytes(batch.source_images), strict=True):
            met.add((person[target.tobytes()], person[source.tobytes()]))
    assert all(target != source for target, source in met)
    assert len(met) > 10


def test_of_the_candidates_the_one_of_likest_shape_is_the_source(faces):
    likeness = Likeness(faces)
    alike = []
    for candidates in (1, 64):
        batches = Batches(faces, batch=len(faces), seed=0, flip=False, candidates=candidates)
        batch = batches.get(0, paired=False)
        vectors = [shape_vectors(labels.numpy()) for labels in (batch.labels, batch.source_labels)]
        alike.append(float((vectors[0] * vectors[1]).sum(axis=1).mean()))
    vectors = likeness.vectors.astype(np.float32)
    own = vectors @ vectors.T - 2 * np.eye(len(faces))
    assert alike[1] == pytest.approx(float(own.max(axis=1).mean()), abs=0.02)
    assert alike[0] < alike[1]


def test_guides_are_other_people_on_both_kinds_of_step(faces):
    batches = Batches(faces, batch=4, seed=0, flip=True, candidates=8)
    for step in range(4):
        batch = batches.get(step, paired=step % 2 == 0)
        assert not (batch.guides == batch.labels).flatten(1).all(1).any()
    assert torch.equal(batch.guides, batch.source_labels)


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
    photos = [row.tobytes() for row in noise(8).images]
    images = (to_bytes(unpaired.images), to_bytes(unpaired.source_images))
    targets, sources = ([photos.index(row.tobytes()) for row in rows] for rows in images)
    assert all(target != source for target, source in zip(targets, sources, strict=True))
    assert (unpaired.source_labels.numpy() == noise(8).labels[sources]).all()


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
                assert (labels == HELEN_11.flip(truth)).all()
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


def test_half_of_the_targets_have_human_masks(noise):
    predicted = noise(30, seed=1).with_labels(noise(30, seed=1).labels)
    faces = join(noise(6), predicted)
    human = {image.tobytes() for image in faces.images[:6]}
    batches = Batches(faces, batch=4, seed=0, flip=False, human=0.5)
    seen = [row.tobytes() for step in range(3) for row in to_bytes(batches.get(step, paired=True).images)]
    assert human <= set(seen)  # an epoch of theirs
    order = [[row.tobytes() in human for row in to_bytes(batches.get(step, paired=True).images)] for step in range(20)]
    assert all(sum(row) >= 2 for row in order)  # the others are drawn from all
    assert 2 <= sum(map(sum, order)) / 20 < 3
    assert len({tuple(row) for row in order}) > 3  # on every device


def test_where_all_masks_are_human_or_none_is_targets_come_in_turn(noise):
    faces = noise(8)
    for some in (faces, faces.with_labels(faces.labels)):
        one, other = (Batches(some, batch=4, seed=0, flip=True, human=share).get(3, paired=False) for share in (0.0, 0.5))
        assert all(torch.equal(getattr(one, name), getattr(other, name)) for name in vars(one))
