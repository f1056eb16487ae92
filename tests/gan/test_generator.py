import dataclasses

import pytest
import torch
from small import GENERATOR

from faceaug.gan.components import COMPONENTS, cut_parts
from faceaug.gan.config import PRESETS, GeneratorConfig
from faceaug.gan.generator import Framework, continued
from faceaug.gan.network import Look
from faceaug.labels import BACKGROUND, HAIR


@pytest.fixture(params=[{}, {"texture": False}, {"enlarge": 1.1, "bare_eyes": True}], ids=str)
def framework(request):
    torch.manual_seed(0)
    network = Framework(dataclasses.replace(GENERATOR, **request.param))
    for module in network.modules():  # larger than DCGAN's: effects are seen above rounding
        if isinstance(module, torch.nn.Conv2d | torch.nn.Linear):
            torch.nn.init.normal_(module.weight, 0.0, 0.1)
    return network.eval().requires_grad_(False)


@pytest.fixture
def batch(faces):
    images = torch.from_numpy(faces.images[:4]).permute(0, 3, 1, 2).float() / 127.5 - 1
    labels = torch.from_numpy(faces.labels[:4].copy())
    labels[labels == 255] = 0
    return images, labels


@pytest.mark.parametrize("preset", PRESETS)
def test_every_preset_is_the_whole_model(preset):
    with torch.device("meta"):
        network = Framework(PRESETS[preset][0])
    size = network.config.size
    images, labels = torch.zeros(2, 3, size, size, device="meta"), torch.zeros(2, size, size, dtype=torch.uint8, device="meta")
    assert network(images, labels, images, labels).shape == (2, 3, size, size)
    parts = cut_parts(images, labels)
    codes = network.embedding.encode(parts)
    assert codes.shape == (2, 5, network.config.code)
    assert [image.shape for image in network.embedding.reconstruct(codes)] == [part.image.shape for part in parts]
    assert [feature.shape[2:] for feature in network.component_features(codes)] == [
        tuple(side // 4 for side in component.crop(size)) for component in COMPONENTS
    ]
    assert network.config.blocks == 9


def test_a_batch_is_generated_as_its_faces_one_by_one(framework, batch):
    framework.double()  # so that rounding is nothing
    images, labels = batch[0].double(), batch[1]
    together = framework(images, labels, images.flip(0), labels.flip(0))
    alone = torch.cat(
        [framework(images[i : i + 1], labels[i : i + 1], images[3 - i : 4 - i], labels[3 - i : 4 - i]) for i in range(4)]
    )
    assert together.dtype == torch.float64
    assert torch.allclose(together, alone, rtol=0.0, atol=1e-11)


def test_training_and_use_compute_the_same(framework, batch):
    images, labels = batch
    used = framework(images, labels, images, labels)
    assert torch.equal(framework.train()(images, labels, images, labels), used)


def test_the_targets_own_face_is_not_seen(framework, batch):
    images, labels = batch
    look = framework.encode(images, labels)[[3, 2, 1, 0]]
    changed = torch.where((labels != BACKGROUND)[:, None], torch.rand_like(images), images)
    assert torch.equal(framework.generate(look, images, labels), framework.generate(look, changed, labels))


def test_the_targets_background_is_seen(framework, batch):
    images, labels = batch
    look = framework.encode(images, labels)
    changed = torch.where((labels == BACKGROUND)[:, None], -images, images)
    assert not torch.allclose(framework.generate(look, images, labels), framework.generate(look, changed, labels), atol=1e-3)


def test_the_sources_pixels_are_seen_where_they_fit_and_its_background_never(framework, batch):
    images, labels = batch
    look = framework.encode(images, labels)[[3, 2, 1, 0]]
    if not framework.config.texture:
        assert look.image is None
        return
    inside = (look.anatomy != BACKGROUND)[:, None]
    brighter = torch.where(inside, look.image + 0.5, look.image)
    result = framework.generate(look, images, labels)
    assert not torch.allclose(framework.generate(dataclasses.replace(look, image=brighter), images, labels), result, atol=1e-2)
    nothing = dataclasses.replace(look, known=torch.zeros_like(look.anatomy, dtype=torch.bool))
    other = dataclasses.replace(nothing, image=torch.rand_like(look.image))
    assert torch.equal(framework.generate(nothing, images, labels), framework.generate(other, images, labels))


def test_a_looks_rows_join_to_the_whole(framework, batch):
    look = framework.encode(*batch)
    again = Look.join([look[i : i + 1] for i in range(4)])
    assert len(look) == 4
    for name, value in vars(look).items():
        joined = getattr(again, name)
        assert (joined is None) == (value is None)
        assert value is None or torch.equal(joined, value)


def test_each_component_has_a_code_of_its_own(framework, batch):
    images, labels = batch
    codes = framework.encode(images, labels).codes
    # Inside of the hair: eyes and mouth keep a rim, which may touch a fringe.
    inside = torch.nn.functional.max_pool2d((labels != HAIR).float()[:, None], 5, 1, 2) == 0
    bright = torch.where(inside, torch.ones_like(images), images)
    changed = framework.encode(bright, labels).codes
    differs = (codes - changed).abs().amax((0, 2)) > 1e-5
    assert differs.tolist() == [False, False, False, False, True]


def test_a_components_code_matters_where_the_target_has_it(framework, batch):
    images, labels = batch
    look = framework.encode(images, labels)
    for index, component in enumerate(COMPONENTS):
        codes = look.codes.clone()
        codes[:, index] = codes[:, index].flip(0) + 1
        other = dataclasses.replace(look, codes=codes)
        gone = labels.clone()
        for label in component.labels:
            gone[gone == label] = 0
        assert torch.equal(framework.generate(look, images, gone), framework.generate(other, images, gone)), component.name
        assert not torch.allclose(framework.generate(look, images, labels), framework.generate(other, images, labels), atol=1e-3)


def test_bare_masks_are_generated(framework):
    images, labels = torch.zeros(1, 3, 64, 64), torch.zeros(1, 64, 64, dtype=torch.uint8)
    assert torch.isfinite(framework(images, labels, images, labels)).all()
    codes = framework.encode(images, labels).codes
    assert torch.equal(codes[0], framework.embedding.null_codes)


def test_config_limits():
    with pytest.raises(Exception, match=r"size 100.*width 12"):
        GeneratorConfig(size=100, width=12)


def test_pixels_are_continued_from_their_neighbours():
    image = torch.zeros(1, 1, 5, 5)
    known = torch.zeros(1, 1, 5, 5)
    image[..., :2], known[..., :2] = torch.tensor([1.0, 3.0]), 1.0
    found, where = continued(image, known, 2)
    assert where[0, 0, 0].tolist() == [1, 1, 1, 1, 0]
    assert found[0, 0].tolist() == [[1.0, 3.0, 3.0, 3.0, 0.0]] * 5
    same, nowhere = continued(torch.zeros_like(image), torch.zeros_like(known), 3)
    assert not same.any()
    assert not nowhere.any()
