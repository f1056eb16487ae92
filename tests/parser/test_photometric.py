import torch

from faceaug.labels import IGNORE
from faceaug.parser.photometric import CUTMIX, PATCHES, Rectangles, strengthen


def _batch(count=64, size=32):
    generator = torch.Generator().manual_seed(0)
    images = torch.rand(count, 3, size, size, generator=generator) * 2 - 1
    return images, torch.randint(0, 11, (count, size, size), generator=generator).to(torch.uint8)


def test_areas_and_frequency_of_rectangles():
    drawn = Rectangles(probability=0.5, smallest=0.1, largest=0.3).draw(2_000, 64, torch.Generator().manual_seed(0))
    area = drawn.float().mean((1, 2))
    has = area > 0
    assert 0.46 < has.float().mean() < 0.54
    assert area[has].min() > 0.07
    assert area[has].max() < 0.34
    rows, columns = drawn.any(2), drawn.any(1)
    assert torch.equal(drawn, rows[:, :, None] & columns[:, None, :])  # each is a rectangle


def test_labels_go_with_the_pixels_of_another_face():
    images, labels = _batch()
    marked = labels * 0 + torch.arange(64, dtype=torch.uint8)[:, None, None]
    seen, found = strengthen(images, marked, torch.Generator().manual_seed(1))
    assert seen.shape == images.shape
    assert (seen.amin() >= -1) & (seen.amax() <= 1)
    for row, labels_of in enumerate(found):
        assert set(labels_of.unique().tolist()) <= {row, (row - 1) % 64, IGNORE}
    mixed = torch.stack([(of == (row - 1) % 64).any() for row, of in enumerate(found)])
    assert abs(mixed.float().mean() - CUTMIX.probability) < 0.2
    unknown = (found == IGNORE).float().mean()
    assert 0 < unknown < PATCHES.probability * PATCHES.largest


def test_it_depends_on_its_generator_alone_and_leaves_torchs_own():
    images, labels = _batch(8)
    torch.manual_seed(1)
    first = strengthen(images, labels, torch.Generator().manual_seed(3))
    after = torch.rand(1)
    torch.manual_seed(1)
    assert torch.equal(torch.rand(1), after)
    second = strengthen(images, labels, torch.Generator().manual_seed(3))
    other = strengthen(images, labels, torch.Generator().manual_seed(4))
    assert torch.equal(first[0], second[0])
    assert torch.equal(first[1], second[1])
    assert not torch.equal(first[0], other[0])


def test_pixels_that_overshoot_stay_numbers():
    images, labels = _batch(64)
    images[:, 0, ::2], images[:, 1:, ::2] = -1.0, -1.2  # as bicubic interpolation leaves them
    for seed in range(5):
        seen, _ = strengthen(images, labels, torch.Generator().manual_seed(seed))
        assert torch.isfinite(seen).all()


def test_nothing_is_fine():
    images, labels = _batch(0)
    assert len(strengthen(images, labels, torch.Generator())[0]) == 0
