import torch

from faceaug.labels import HELEN_11, IGNORE, LEFT_EYE, RIGHT_EYE
from faceaug.parser.augment import Geometry, augment, mirror, random_affine, warp


def _batch(count=4, size=32):
    generator = torch.Generator().manual_seed(0)
    images = torch.rand(count, 3, size, size, generator=generator)
    return images, torch.randint(0, 11, (count, size, size), generator=generator, dtype=torch.uint8)


def test_mirror_twice_changes_nothing():
    images, labels = _batch()
    which = torch.tensor([True, False, True, True])
    again = mirror(*mirror(images, labels, HELEN_11, which), HELEN_11, which)
    assert torch.equal(again[0], images)
    assert torch.equal(again[1], labels)


def test_mirror_exchanges_sides_only_where_asked():
    labels = torch.full((2, 4, 4), LEFT_EYE, dtype=torch.uint8)
    _, found = mirror(torch.zeros(2, 3, 4, 4), labels, HELEN_11, torch.tensor([True, False]))
    assert (found[0] == RIGHT_EYE).all()
    assert (found[1] == LEFT_EYE).all()


def test_identity_warp_changes_nothing():
    images, labels = _batch()
    still = torch.tensor([[[1.0, 0, 0], [0, 1.0, 0]]]).expand(4, 2, 3)
    found = warp(images, labels, still, classes=11)
    assert torch.allclose(found[0], images, atol=1e-5)
    assert torch.equal(found[1], labels)


def test_image_and_labels_move_together():
    labels = torch.zeros(1, 64, 64, dtype=torch.uint8)
    labels[:, 20:40, 24:44] = 5
    images = (labels == 5).float()[:, None].repeat(1, 3, 1, 1)
    matrices = random_affine(1, torch.Generator().manual_seed(3), Geometry(probability=1.0))
    moved, found = warp(images, labels, matrices, classes=11)
    assert not torch.equal(found, labels)
    differ = (moved[:, 0] > 0.5) != (found == 5)
    assert differ.float().mean() < 0.01


def test_a_pixel_has_the_class_that_covers_most_of_it():
    labels = torch.zeros(1, 8, 8, dtype=torch.uint8)
    labels[:, :, 4:] = 5
    labels[:, 0] = IGNORE
    for pixels, first in ((0.4, 4), (0.6, 5), (1.0, 5), (-0.6, 3)):
        right = torch.tensor([[[1.0, 0.0, -pixels * 2 / 8], [0.0, 1.0, 0.0]]])
        _, found = warp(torch.zeros(1, 3, 8, 8), labels, right, classes=11)
        assert (found[0, 1:, first] == 5).all()
        assert (found[0, 1:, first - 1] == 0).all()
        assert (found[0, 0] == IGNORE).all()


def test_the_outside_is_ignored_and_labels_stay_classes():
    images, labels = _batch(16)
    _, found = augment(images, labels, HELEN_11, torch.Generator().manual_seed(1), Geometry(probability=1.0, shift=0.3))
    values = set(found.unique().tolist())
    assert IGNORE in values
    assert values <= {*range(11), IGNORE}


def test_same_random_state_same_result():
    images, labels = _batch()
    first, second = (augment(images, labels, HELEN_11, torch.Generator().manual_seed(5)) for _ in range(2))
    assert torch.equal(first[0], second[0])
    assert torch.equal(first[1], second[1])
