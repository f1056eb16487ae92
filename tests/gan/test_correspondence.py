import numpy as np
import pytest
import torch

from faceaug.gan import correspondence
from faceaug.gan.batches import NOISE
from faceaug.gan.components import COMPONENTS, region
from faceaug.gan.correspondence import MISSING, component_index, control_points, correspond, disguise, transfer_texture
from faceaug.labels import BACKGROUND, HAIR, HELEN_11, LEFT_EYE, MOUTH, fill_ignored
from faceaug.tensors import to_float

SIZE = 64


@pytest.fixture
def photos(faces):
    labels = torch.from_numpy(fill_ignored(faces.labels[:6]))
    return to_float(faces.images[:6]), labels


def _identity(size=SIZE):
    line = (torch.arange(size) + 0.5) / size * 2 - 1
    return torch.stack(torch.meshgrid(line, line, indexing="xy"), -1)


def _beside_background(labels):
    near = torch.nn.functional.max_pool2d((labels == BACKGROUND)[:, None].float(), 3, 1, 1)[:, 0] > 0
    return near & (labels != BACKGROUND)


def _mirrored(labels):
    return torch.from_numpy(HELEN_11.flip_table[labels.numpy()]).flip(-1)


def test_a_face_corresponds_to_itself(photos):
    images, labels = photos
    assert (correspond(labels, labels) - _identity()).abs().max() < 1e-6
    texture = transfer_texture(labels, images, labels)
    inside = ((component_index(labels) > 0) & ~_beside_background(labels))[:, None]
    assert torch.equal(texture.known.bool(), inside)
    assert torch.allclose(texture.image, images * inside, atol=1e-4)


@pytest.mark.parametrize("size", [64, 128])
def test_a_moved_face_is_found_where_it_moved_to(photos, size):
    labels = photos[1].repeat_interleave(size // SIZE, 1).repeat_interleave(size // SIZE, 2)
    down, right = size // 16, -size // 32
    moved = labels.roll((down, right), (1, 2))
    places = correspond(labels, moved)
    wanted = _identity(size) + torch.tensor([right, down]) * 2 / size
    face = component_index(labels) > 0
    face[:, : size // 8], face[:, -size // 8 :], face[..., : size // 8], face[..., -size // 8 :] = False, False, False, False
    error = (places - wanted).norm(dim=-1)[face] * size / 2
    assert error.mean() < 0.4 * size / 64


def test_the_registration_puts_edges_on_edges(photos, monkeypatch):
    labels = photos[1]
    source = labels.roll(1, 0)

    def same():
        places = correspond(labels, source)
        moved = torch.nn.functional.grid_sample(source[:, None].float(), places, mode="nearest", align_corners=False)[:, 0]
        return float((moved == labels)[labels > 0].float().mean())

    refined = same()
    monkeypatch.setattr(correspondence, "_refined", lambda offsets, *_: offsets)
    assert refined > same() + 0.02


def test_mirroring_both_faces_mirrors_the_correspondence(photos):
    labels = photos[1]
    places = correspond(labels, labels.roll(1, 0))
    mirrored = correspond(_mirrored(labels), _mirrored(labels.roll(1, 0)))
    assert torch.allclose(mirrored.flip(2) * torch.tensor([-1.0, 1.0]), places, atol=1e-5)


def test_only_pixels_of_the_same_component_are_transferred(photos):
    images, labels = photos
    marked = torch.zeros_like(images)  # a photo whose colour names the component
    marked[:, 0] = component_index(labels) / 10
    texture = transfer_texture(labels, marked.roll(1, 0), labels.roll(1, 0))
    known = texture.known[:, 0].bool()
    assert 0.3 < known[component_index(labels) > 0].float().mean() < 1.0
    assert not known[component_index(labels) == 0].any()
    assert not texture.image[~texture.known.bool().expand_as(texture.image)].any()
    for component in COMPONENTS:
        where = region(labels, component) & known
        found = texture.image[:, 0][where] * 10
        # Bicubic sampling mixes in the neighbours at borders, and eyes are all border.
        assert not where.any() or (found - component_index(labels)[where]).abs().median() < (0.05 if component.whole else 0.5)


def test_a_batch_is_its_faces_one_by_one(photos):
    labels = photos[1]
    together = correspond(labels, labels.roll(1, 0), torch.float64)
    alone = [correspond(labels[i : i + 1], labels.roll(1, 0)[i : i + 1], torch.float64) for i in range(len(labels))]
    assert torch.allclose(together, torch.cat(alone), rtol=0.0, atol=1e-10)


def test_missing_parts_and_empty_maps_leave_the_rest_usable(photos):
    images, labels = photos
    without = labels.clone()
    for classes in (MOUTH, (LEFT_EYE,), (HAIR,)):
        without[torch.isin(without, torch.tensor(classes, dtype=torch.uint8))] = 1
    texture = transfer_texture(labels, images, without)
    for component in COMPONENTS:
        known = texture.known[:, 0].bool() & region(labels, component)
        assert known.any() == (component.name in ("right eye", "skin & nose"))
    empty = torch.zeros_like(labels)
    for target, source in ((empty, labels), (labels, empty), (empty, empty)):
        texture = transfer_texture(target, images, source)
        assert not texture.known.any()
        assert not texture.image.any()
    assert not control_points(empty)[1].any()


def test_a_disguise_in_the_own_shape_is_the_photo(photos):
    images, labels = photos
    moved, guides, known = disguise(images, labels, labels, torch.zeros(len(labels), NOISE))
    assert torch.equal(guides, labels)
    assert torch.equal(known, ~_beside_background(labels))
    assert torch.allclose(moved, images, atol=1e-4)


def test_there_and_back_is_nearly_the_photo_with_a_transfers_holes(photos):
    images, labels = photos
    disguised = disguise(images, labels, labels.roll(1, 0), torch.zeros(len(labels), NOISE))
    back = transfer_texture(labels, *disguised)
    forth = transfer_texture(labels, images.roll(1, 0), labels.roll(1, 0))
    inside = component_index(labels) > 0
    assert 0.3 < back.known[:, 0][inside].mean() <= forth.known[:, 0][inside].mean() + 0.1 < 1.1
    error = ((back.image - images) * back.known).abs()
    assert error.sum() / back.known.sum() / 3 < 0.1


def test_components_are_left_out_at_random_and_only_they(photos):
    images, labels = photos
    noise = torch.zeros(len(labels), NOISE)
    noise[:, MISSING] = torch.tensor([-9.0, 0.0, 0.0, 0.0, -9.0])  # the left eye and the hair
    known = disguise(images, labels, labels, noise)[2]
    left_out = torch.isin(component_index(labels), torch.tensor([1, 5]))
    assert torch.equal(known, ~(left_out | _beside_background(labels)))


def test_unknown_pixels_are_not_used(photos):
    images, labels = photos
    known = torch.from_numpy(np.random.default_rng(0).random(labels.shape) < 0.5)
    texture = transfer_texture(labels, images, labels, known)
    assert torch.equal(texture.known[:, 0].bool(), known & (component_index(labels) > 0) & ~_beside_background(labels))
