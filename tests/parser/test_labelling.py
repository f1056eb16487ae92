import dataclasses

import numpy as np
import pytest
import torch

from faceaug.errors import OutputError
from faceaug.labels import HELEN_11, LAPA_11
from faceaug.parser import labelling
from faceaug.parser.labelling import ensure_labels, label_photos, labelling_size
from faceaug.parser.predict import load_parser


@pytest.fixture(scope="module")
def parser(trained, compute):
    return load_parser(trained.parser, compute)


@pytest.fixture(scope="module")
def photos(faces):
    return dataclasses.replace(faces, labels=None)


def test_mirrored_photos_get_mirrored_labels(parser, photos):
    straight = label_photos(parser, photos, keep=1.0)
    mirrored = label_photos(parser, dataclasses.replace(photos, images=photos.images[:, :, ::-1]), keep=1.0)
    assert (straight.labels == HELEN_11.flip(mirrored.labels)).mean() > 0.999  # ties and rounding aside


def test_the_least_confident_are_left_out_in_order(parser, photos, monkeypatch):
    logits = torch.zeros(1, 11, 64, 64)
    sure = iter(np.tile([3.0, 1.0, 2.0, 5.0], 2))  # the photo's and its mirror image's

    def predicted(_, images):
        found = logits.repeat(len(images), 1, 1, 1)
        found[:, 1] = torch.tensor([next(sure) for _ in range(len(images))])[:, None, None]
        return found

    monkeypatch.setattr("faceaug.parser.predict.predict_logits", predicted)
    some = photos.select(range(4))
    kept = label_photos(parser, some, keep=0.6)
    assert kept.names == (some.names[0], some.names[2], some.names[3])
    assert kept.dropped["the parser is unsure"] == 1
    assert (kept.labels == 1).all()
    assert (kept.images == some.images[[0, 2, 3]]).all()


def test_a_larger_parser_labels_by_larger_photos(parser, photos, tmp_path, monkeypatch):
    few = photos.select(range(3))
    detailed = dataclasses.replace(few, images=few.images.repeat(2, 1).repeat(2, 2))
    seen = []

    def quarters(_, images):  # one pixel of four is surely hair, three are a little more skin than hair
        seen.append(images.shape[-1])
        found = torch.full((len(images), 11, *images.shape[-2:]), -9.0)
        found[:, 1], found[:, 10] = 0.2, 0.0
        found[:, 10, ::2, ::2] = 9.0
        return found

    monkeypatch.setattr("faceaug.parser.predict.predict_logits", quarters)
    found = label_photos(parser, few, detailed=detailed, keep=1.0, cache=tmp_path)
    assert set(seen) == {128}
    assert found.images is few.images
    assert found.labels.shape == (3, 64, 64)
    assert (found.labels[:] == 10).all()  # by the mean of the probabilities, not by most pixels
    label_photos(parser, few, keep=1.0, cache=tmp_path)
    assert seen[-1] == 64  # another task for the cache
    with pytest.raises(ValueError, match="other photos"):
        label_photos(parser, few, detailed=detailed.select([2, 1, 0]))
    assert [labelling_size(size) for size in (64, 96, 128, 256)] == [128, 128, 128, 256]


def test_two_photos_are_always_kept(parser, photos):
    assert len(label_photos(parser, photos.select([0, 1, 2]), keep=0.01)) == 2
    assert len(label_photos(parser, photos.select([0]), keep=0.5)) == 1


def test_labels_are_kept_and_only_for_these_photos_and_this_parser(parser, photos, tmp_path, monkeypatch):
    some = photos.select([0, 1, 2])
    first = label_photos(parser, some, cache=tmp_path)
    assert not first.human.any()
    wanted = np.array(first.labels)
    (kept,) = tmp_path.iterdir()
    predicted = []
    real = labelling._predict
    monkeypatch.setattr(labelling, "_predict", lambda *args: predicted.append(1) or real(*args))
    assert (label_photos(parser, some, cache=tmp_path).labels[:] == wanted).all()
    assert not predicted
    label_photos(parser, photos.select([2, 1, 0]), cache=tmp_path)
    label_photos(dataclasses.replace(parser, hash="another"), some, cache=tmp_path)
    whole = (kept / "labels.u8").read_bytes()
    (kept / "labels.u8").write_bytes(whole[:100])
    assert (label_photos(parser, some, cache=tmp_path).labels[:] == wanted).all()
    assert len(predicted) == 3


def test_photos_with_label_maps_keep_their_own(parser, faces):
    assert label_photos(parser, faces) is faces
    other = faces.with_labels(faces.labels, LAPA_11)
    assert ensure_labels(parser, other) is other
    assert label_photos(parser, other).scheme == HELEN_11


def test_a_full_disk_is_told_and_leaves_nothing(parser, photos, tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(labelling.np, "save", full)
    with pytest.raises(OutputError, match=r"labels-\w+: cannot be written \(No space left on device\)"):
        label_photos(parser, photos, cache=tmp_path)
    assert not list(tmp_path.iterdir())
