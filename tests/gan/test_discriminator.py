import copy

import pytest
import torch

from faceaug.gan.blocks import count_parameters
from faceaug.gan.components import one_hot
from faceaug.gan.discriminator import PatchDiscriminator, ProjectedDiscriminator
from faceaug.gan.losses import adversarial, discriminator_loss
from faceaug.tensors import to_float

CHANNELS = [8, 4, 6, 10]


def _features(count, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return [torch.rand(count, c, 32 >> depth, 32 >> depth, generator=generator) for depth, c in enumerate(CHANNELS)]


@pytest.fixture
def projected():
    torch.manual_seed(0)
    return ProjectedDiscriminator(CHANNELS, 8)


def test_two_scales_see_photo_and_mask():
    torch.manual_seed(0)
    network = PatchDiscriminator(8)
    images, condition = torch.rand(2, 3, 64, 64), torch.rand(2, 11, 64, 64)
    judged = network(images, condition)
    assert len(judged) == 2
    assert judged[0].logits.shape[-1] > judged[1].logits.shape[-1]
    for changed in (network(images + 1, condition), network(images, condition + 1)):
        assert not torch.equal(changed[0].logits, judged[0].logits)
        assert not torch.equal(changed[1].logits, judged[1].logits)


@pytest.mark.parametrize(("levels", "side"), [(3, 70), (2, 34), (1, 16)])
def test_a_patch_sees_as_many_pixels_as_its_levels_say(levels, side):
    torch.manual_seed(0)
    images = torch.rand(1, 3, 128, 128, requires_grad=True)
    network = PatchDiscriminator(8, levels)
    for layer in network.modules():
        if isinstance(layer, torch.nn.GroupNorm):
            layer.forward = lambda x: x  # instance normalisation lets every pixel touch all
    logits = network(images, torch.zeros(1, 11, 128, 128))[0].logits
    middle = logits.shape[-1] // 2
    torch.autograd.backward([logits[0, 0, middle, middle]])
    seen = images.grad[0].abs().sum(0) > 0
    assert (int(seen.any(1).sum()), int(seen.any(0).sum())) == (side, side)


def test_every_depth_is_judged_with_the_mask(projected):
    projected.eval()  # spectral norms stand still
    features, condition = _features(2), torch.rand(2, 11, 64, 64)
    judged = projected(features, condition)
    assert [one.logits.shape for one in judged] == [(2, 1, 4, 4)] * 4
    for one, other in zip(judged, projected(features, 1 - condition), strict=True):
        assert not torch.equal(one.logits, other.logits)


def test_deep_features_reach_the_shallow_heads_and_not_the_other_way(projected):
    projected.eval()
    condition = torch.rand(2, 11, 64, 64)
    for depth in range(4):
        features = _features(2)
        features[depth] = features[depth] * torch.rand_like(features[depth])
        changed = [
            not torch.equal(one.logits, other.logits)
            for one, other in zip(projected(_features(2), condition), projected(features, condition), strict=True)
        ]
        assert changed == [index <= depth for index in range(4)]


def test_the_scale_of_the_features_is_nothing_to_a_head(projected):
    projected.eval()
    condition = torch.rand(2, 11, 64, 64)
    larger = [10 * maps for maps in _features(2)]
    for one, other in zip(projected(_features(2), condition), projected(larger, condition), strict=True):
        assert torch.allclose(one.logits, other.logits, atol=1e-4)


def test_projections_are_the_same_everywhere_and_never_trained(projected):
    torch.manual_seed(5)
    other = ProjectedDiscriminator(CHANNELS, 8)
    before = copy.deepcopy(dict(projected.named_buffers()))
    assert all(torch.equal(other.get_buffer(name), value) for name, value in before.items() if name.startswith(("proj", "mix")))
    trained = {name for name, _ in projected.named_parameters()}
    assert trained
    assert all(name.startswith("heads.") for name in trained)


def _trained(network, real, fake, condition, steps=40):
    optimiser = torch.optim.Adam(network.parameters(), lr=2e-3)
    values = []
    for _ in range(steps):
        loss = discriminator_loss(network(real, condition), network(fake, condition))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        values.append(float(loss.detach()))
    return values


def test_both_kinds_begin_at_chance_and_learn_photos_from_noise(projected, faces):
    images, condition = to_float(faces.images[:4]), one_hot(torch.from_numpy(faces.labels[:4] % 11))
    patches = _trained(PatchDiscriminator(8), images, torch.rand_like(images) * 2 - 1, condition)
    features = _trained(projected, _features(4), _features(4, seed=1), condition)
    for values in (patches, features):
        assert values[0] == pytest.approx(1.386, abs=0.4)
        assert values[-1] < 0.5 * values[0]


def test_losses_do_not_grow_with_the_number_of_scales(projected):
    judged = projected(_features(2), torch.rand(2, 11, 64, 64))
    assert torch.allclose(adversarial(judged + judged), adversarial(judged))
    assert torch.allclose(discriminator_loss(judged + judged, judged + judged), discriminator_loss(judged, judged))


def test_at_the_papers_width_patches_have_the_public_codes_size():
    assert count_parameters(PatchDiscriminator(64)) == pytest.approx(5.56e6, rel=1e-3)
