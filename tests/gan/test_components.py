import pytest
import torch

from faceaug.gan.components import COMPONENTS, centres, cut, cut_parts, enlarge, one_hot, place, region
from faceaug.labels import HAIR, LEFT_EYE, RIGHT_EYE, SKIN, UPPER_LIP


def test_crop_sizes_are_the_papers_at_256():
    assert [component.crop(256)[::-1] for component in COMPONENTS] == [(48, 32), (48, 32), (144, 80), (256, 256), (256, 256)]
    assert [component.crop(64)[::-1] for component in COMPONENTS] == [(12, 8), (12, 8), (36, 20), (64, 64), (64, 64)]


def test_every_foreground_class_is_in_one_component():
    assert sorted(label for component in COMPONENTS for label in component.labels) == list(range(1, 11))


def test_centres_are_midpoints_of_bounding_boxes():
    where = torch.zeros(2, 16, 16, dtype=torch.bool)
    where[0, 3:8, 4:7] = True
    row, column, present = centres(where)
    assert (row.tolist(), column.tolist(), present.tolist()) == ([5, 8], [5, 8], [True, False])


def test_cutting_is_slicing_inside_and_zero_outside():
    images = torch.rand(2, 3, 16, 16) + 1
    row, column = torch.tensor([8, 1]), torch.tensor([6, 15])
    found = cut(images, row, column, 4, 6)
    assert torch.equal(found[0], images[0, :, 6:10, 3:9])
    assert torch.equal(found[1, :, 1:, :4], images[1, :, 0:3, 12:16])
    assert (found[1, :, 0] == 0).all()
    assert (found[1, :, :, 4:] == 0).all()


def test_placing_puts_features_where_cutting_took_them():
    features = torch.rand(1, 5, 2, 3)
    placed = place(features, torch.tensor([32]), torch.tensor([30]), 64)
    assert torch.equal(placed[0, :, 7:9, 6:9], features[0])
    assert placed.sum() == pytest.approx(float(features.sum()), rel=1e-6)


def test_placing_over_the_border_drops_what_sticks_out():
    features = torch.ones(1, 1, 2, 3)
    placed = place(features, torch.tensor([0]), torch.tensor([63]), 64)
    assert 0 < placed.sum() < 6


def _face(size=64):
    labels = torch.full((1, size, size), SKIN, dtype=torch.uint8)
    labels[:, :10] = HAIR
    labels[:, 20:24, 14:22] = LEFT_EYE
    labels[:, 50:53, 20:40] = UPPER_LIP
    return labels


def test_parts_hold_their_component_and_only_a_rim_more():
    labels = _face()
    images = torch.rand(1, 3, 64, 64) + 0.5
    parts = dict(zip([component.name for component in COMPONENTS], cut_parts(images, labels), strict=True))
    eye = parts["left eye"]
    assert eye.image.shape == (1, 3, 8, 12)
    assert eye.mask.sum() == (4 + 2) * (8 + 2)
    assert torch.equal(parts["hair"].image, images * (labels == HAIR)[:, None])
    assert torch.equal(parts["skin & nose"].mask[:, 0], (labels == SKIN).float())


def test_absent_components_are_told():
    present = [bool(part.present) for part in cut_parts(torch.rand(1, 3, 64, 64), _face())]
    assert present == [True, False, True, True, True]


def test_a_component_at_the_border_is_cut_without_complaint():
    labels = torch.zeros(1, 64, 64, dtype=torch.uint8)
    labels[:, :2, 62:] = RIGHT_EYE
    part = cut_parts(torch.ones(1, 3, 64, 64), labels)[1]
    assert part.image.sum() == part.mask.sum() * 3 > 0


def test_one_hot_and_region():
    labels = _face()
    hot = one_hot(labels)
    assert torch.equal(hot.argmax(1).to(torch.uint8), labels)
    assert torch.equal(hot.sum(1), torch.ones(1, 64, 64))
    assert torch.equal(region(labels, COMPONENTS[4]), labels == HAIR)


def test_eyes_and_mouth_grow_around_their_centres():
    labels = torch.full((2, 64, 64), SKIN, dtype=torch.uint8)
    labels[0, 20:31, 10:31] = LEFT_EYE
    labels[1, 50:61, 20:41] = UPPER_LIP
    labels[1, :5] = HAIR
    assert torch.equal(enlarge(labels, labels, 1.0), labels)
    grown = enlarge(labels, labels, 1.4)
    eye = grown[0] == LEFT_EYE
    assert eye[18:33, 6:35].all()  # from 11 x 21 to 15 x 29 pixels
    assert eye.sum() == 15 * 29
    assert ((grown[1] == UPPER_LIP) >= (labels[1] == UPPER_LIP)).all()
    assert torch.equal(grown[1] == HAIR, labels[1] == HAIR)
    assert torch.equal(enlarge(labels, labels, 1.4)[:1], enlarge(labels[:1], labels[:1], 1.4))
