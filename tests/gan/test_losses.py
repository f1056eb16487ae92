import math

import pytest
import torch

from faceaug.gan import losses
from faceaug.gan.components import Part
from faceaug.gan.discriminator import Judgement


def _part(value, present=True):
    mask = torch.zeros(1, 1, 4, 4)
    mask[..., :2] = 1
    return Part(torch.full((1, 3, 4, 4), value) * mask, mask, torch.tensor([present]))


def test_local_reconstruction_by_hand():
    # Eq. 1 inside of the mask: 1/2 * 3 channels * 0.5^2, on half of the pixels.
    assert float(losses.local_reconstruction([_part(0.5)], [torch.zeros(1, 3, 4, 4)])) == pytest.approx(0.5 * 3 * 0.25 / 2)
    assert float(losses.local_reconstruction([_part(0.5)], [torch.full((1, 3, 4, 4), 0.5)])) == 0
    assert float(losses.local_reconstruction([_part(0.5, False)], [torch.ones(1, 3, 4, 4)])) == 0


def test_global_reconstruction_by_hand():
    assert float(losses.global_reconstruction(torch.ones(2, 3, 4, 4), torch.zeros(2, 3, 4, 4))) == pytest.approx(1.5)


def _judgements(value, feature=0.0):
    return [Judgement(torch.full((1, 1, n, n), value), torch.full((1, 8, n, n), feature)) for n in (4, 2)]


def test_adversarial_terms_by_hand():
    # At logits of 0 every sigmoid is 1/2, for both scales.
    assert float(losses.adversarial(_judgements(0.0))) == pytest.approx(math.log(2))
    assert float(losses.discriminator_loss(_judgements(0.0), _judgements(0.0))) == pytest.approx(2 * math.log(2))
    assert float(losses.discriminator_loss(_judgements(9.0), _judgements(-9.0))) < 1e-3
    assert float(losses.adversarial(_judgements(9.0))) < 1e-3
    assert math.isfinite(float(losses.adversarial(_judgements(-1e4))))


def test_feature_matching_moves_only_the_generated_side():
    real, fake = _judgements(0.0, 1.0), _judgements(0.0, 3.0)
    for judgement in (*real, *fake):
        judgement.features.requires_grad_()
    loss = losses.feature_matching(real, fake)
    assert float(loss.detach()) == pytest.approx(0.5 * 4)
    loss.backward()
    assert all(judgement.features.grad is None for judgement in real)
    assert all(judgement.features.grad is not None for judgement in fake)


def test_parsing_is_cross_entropy_without_ignored_pixels():
    logits = torch.zeros(1, 11, 2, 2)
    labels = torch.tensor([[[0, 3], [255, 10]]], dtype=torch.uint8)
    assert float(losses.parsing(logits, labels)) == pytest.approx(math.log(11))
    logits[0, :, 1, 0] = 1e4 * torch.arange(11)  # whatever stands where nothing is known
    assert float(losses.parsing(logits, labels)) == pytest.approx(math.log(11))


@pytest.mark.parametrize(("balance", "share"), [(0.0, 1 / 16), (0.5, 1 / (1 + 15**0.5)), (1.0, 1 / 2)])
def test_balance_gives_a_small_class_its_share_of_the_parsing_loss(balance, share):
    labels = torch.zeros(1, 4, 4, dtype=torch.uint8)
    labels[0, 0, 0] = 3
    logits = torch.zeros(1, 11, 4, 4, requires_grad=True)
    losses.parsing(logits, labels, balance).backward()
    pull = logits.grad.abs().sum(1)[0]
    assert float(pull[0, 0] / pull.sum()) == pytest.approx(share)


@pytest.mark.parametrize("balance", [0.0, 0.5])
def test_every_face_weighs_the_same_in_the_parsing_loss(balance):
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(3, 11, 4, 4, generator=generator)
    labels = torch.randint(0, 11, (3, 4, 4), generator=generator).to(torch.uint8)
    labels[1, 1:] = 255
    labels[2] = 255
    whole = losses.parsing(logits, labels, balance)
    parts = [losses.parsing(logits[i : i + 1], labels[i : i + 1], balance) for i in range(3)]
    assert float(parts[2]) == 0.0
    torch.testing.assert_close(whole, torch.stack(parts).mean())


def test_component_colours_by_hand():
    labels = torch.zeros(1, 4, 4, dtype=torch.uint8)
    labels[0, 0], labels[0, 3] = 10, 1  # hair above, skin below
    generated, source = torch.zeros(1, 3, 4, 4), torch.zeros(1, 3, 4, 4)
    assert float(losses.component_colours(generated, labels, source, labels)) == 0
    source[:, :, 0] = 0.5  # a flat colour: the means differ by 0.5 in three channels, in one of five components
    assert float(losses.component_colours(generated, labels, source, labels)) == pytest.approx(3 * 0.25 / 5)
    source[:, :, 0] = torch.tensor([0.5, -0.5, 0.5, -0.5])  # the same mean, another contrast
    assert float(losses.component_colours(generated, labels, source, labels)) == pytest.approx(3 * 0.25 / 5, rel=0.05)


def test_component_colours_do_not_ask_where_or_for_what_is_not_there():
    generator = torch.Generator().manual_seed(0)
    image = torch.rand(2, 3, 8, 8, generator=generator)
    labels = torch.randint(0, 11, (2, 8, 8), generator=generator).to(torch.uint8)
    moved = torch.randperm(64, generator=generator)
    elsewhere = image.flatten(2)[:, :, moved].unflatten(2, (8, 8)), labels.flatten(1)[:, moved].unflatten(1, (8, 8))
    assert float(losses.component_colours(image, labels, *elsewhere)) == pytest.approx(0.0, abs=1e-6)
    with torch.autocast("cpu", torch.bfloat16):  # a deviation is a small difference of large numbers
        assert float(losses.component_colours(image, labels, *elsewhere)) == pytest.approx(0.0, abs=1e-6)
    nothing = torch.full_like(labels, 255)
    generated = image.clone().requires_grad_()
    loss = losses.component_colours(generated, nothing, *elsewhere)
    loss.backward()
    assert float(loss.detach()) == 0
    assert not generated.grad.any()
    # Flat regions have a finite slope.
    flat = torch.zeros(2, 3, 8, 8, requires_grad=True)
    losses.component_colours(flat, labels, *elsewhere).backward()
    assert torch.isfinite(flat.grad).all()


def test_perceptual_distance_is_of_directions():
    a, b = torch.zeros(1, 2, 3, 3), torch.zeros(1, 2, 3, 3)
    a[:, 0], b[:, 0] = 1.0, 7.0
    assert float(losses.perceptual([a], [b])) == pytest.approx(0.0, abs=1e-6)
    b[:, 0], b[:, 1] = 0.0, 2.0
    assert float(losses.perceptual([a, a], [b, b])) == pytest.approx(4.0)


def test_bicyclegans_terms_by_hand():
    mean, log_variance = torch.tensor([[1.0, 0.0]]), torch.zeros(1, 2)
    assert float(losses.kl_divergence(mean, log_variance)) == pytest.approx(0.5)
    assert float(losses.kl_divergence(torch.zeros(3, 2), torch.zeros(3, 2))) == 0
    assert float(losses.latent_regression(torch.ones(2, 4), torch.zeros(2, 4))) == 1
    assert float(losses.l1_reconstruction(torch.full((1, 3, 2, 2), -0.5), torch.zeros(1, 3, 2, 2))) == 0.5
