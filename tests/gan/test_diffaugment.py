import torch

from faceaug.gan.components import one_hot
from faceaug.gan.diffaugment import NUMBERS, draw_change

NOTHING = torch.tensor([[0.5, 0.5, 0.5, 0.5, 0.5, 0.0, 0.0]])


def _uniform(count, seed=0):
    return torch.rand(count, NUMBERS, generator=torch.Generator().manual_seed(seed))


def test_photo_and_mask_move_together():
    labels = torch.randint(0, 11, (8, 64, 64), dtype=torch.uint8)
    # A photo that is its own mask: brightness of a pixel is its label.
    condition = one_hot(labels)
    change = draw_change(_uniform(8), 64)
    classes = (change.mask(condition) * torch.arange(11.0)[:, None, None]).sum(1)
    moved = change.mask(labels[:, None].float())[:, 0]
    assert torch.equal(classes, moved)
    assert not torch.equal(moved, labels.float())


def test_the_middle_of_every_range_changes_nothing_but_the_hole():
    photos = torch.rand(1, 3, 64, 64) * 2 - 1
    change = draw_change(NOTHING, 64)
    kept = change.hole.expand_as(photos) == 1
    assert torch.allclose(change.photo(photos)[kept], photos[kept], atol=1e-6)
    assert 0 < (~kept).sum() < photos.numel() / 8


def test_gradients_pass():
    photos = torch.rand(4, 3, 64, 64, requires_grad=True)
    draw_change(_uniform(4), 64).photo(photos).sum().backward()
    assert torch.isfinite(photos.grad).all()
    assert photos.grad.abs().sum() > 0
