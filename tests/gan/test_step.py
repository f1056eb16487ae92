import copy
import dataclasses

import pytest
import torch
from small import GENERATOR, PARSER

from faceaug.gan.batches import Batches
from faceaug.gan.components import cut_parts, one_hot
from faceaug.gan.config import TrainingConfig
from faceaug.gan.losses import (
    adversarial,
    component_colours,
    discriminator_loss,
    feature_matching,
    global_reconstruction,
    local_reconstruction,
    parsing,
)
from faceaug.gan.step import Networks, Optimisers, gan_gradients, gan_step
from faceaug.parser.network import build_parser

TRAINING = TrainingConfig(
    images=8, batch=3, lambda_fm=5.0, lambda_perceptual=0.0, shifted=False, discriminator_ratio=2.0, discriminator="patch"
)


@pytest.fixture
def networks(compute):
    torch.manual_seed(0)
    return Networks.build(GENERATOR, TRAINING, build_parser(PARSER, weights=False), compute)


def _textbook(networks, batch, paired):
    """Eq. 9's gradients the plain way: G and D one after the other, every term through the whole graph."""
    generator, discriminator = networks.generator, networks.paired if paired else networks.unpaired
    target, labels = batch.images, batch.labels
    condition = one_hot(labels)
    parts = cut_parts(batch.source_images, batch.source_labels)
    loss = TRAINING.lambda_local * local_reconstruction(parts, generator.embedding.reconstruct(generator.embedding.encode(parts)))
    look, _ = generator.embed(batch.source_images, batch.source_labels, batch.guides, batch.noise, paired=paired)
    result = generator.generate(look, target, labels)
    real, fake = discriminator(target, condition), discriminator(result, condition)
    loss = loss + TRAINING.lambda_gd * adversarial(fake)
    loss = loss + TRAINING.lambda_gp * parsing(networks.parser(result), labels, TRAINING.parsing_balance)
    if not paired:
        loss = loss + TRAINING.lambda_colour * component_colours(result, labels, batch.source_images, batch.source_labels)
    if paired:
        loss = loss + TRAINING.lambda_gd * TRAINING.lambda_fm * feature_matching(real, fake)
        loss = loss + TRAINING.lambda_global * global_reconstruction(result, target)
    g = torch.autograd.grad(loss, list(generator.parameters()), retain_graph=True, allow_unused=True)
    fake = discriminator(result.detach(), condition)
    d = torch.autograd.grad(discriminator_loss(real, fake), list(discriminator.parameters()))
    return g, d


@pytest.mark.parametrize("paired", [True, False])
def test_shared_passes_give_the_textbooks_gradients(networks, faces, compute, paired):
    batch = Batches(faces, batch=3, seed=0, flip=False).get(1, paired=paired)
    g, d = _textbook(networks, batch, paired)
    gan_gradients(networks, batch, TRAINING, compute, paired=paired)
    used, unused = (networks.paired, networks.unpaired) if paired else (networks.unpaired, networks.paired)
    for network, wanted in ((networks.generator, g), (used, d)):
        whole = torch.stack([gradient.norm() for gradient in wanted if gradient is not None]).norm()
        for (name, weight), gradient in zip(network.named_parameters(), wanted, strict=True):
            found = torch.zeros_like(weight) if weight.grad is None else weight.grad
            expected = torch.zeros_like(weight) if gradient is None else gradient
            # By tensor: biases in front of a normalisation have gradients of pure rounding.
            assert (found - expected).norm() <= 1e-3 * expected.norm() + 1e-6 * whole, name
    assert all(weight.grad is None for weight in unused.parameters())


def test_the_discriminators_have_a_rate_of_their_own(networks):
    optimisers = Optimisers.build(networks, TRAINING)
    optimisers.set_rate(1e-3, TRAINING)
    rates = [optimiser.param_groups[0]["lr"] for optimiser in vars(optimisers).values()]
    assert rates == [1e-3, 2e-3, 2e-3]


def test_the_parser_is_frozen(networks, faces, compute):
    before = copy.deepcopy(networks.parser.state_dict())
    optimisers = Optimisers.build(networks, TRAINING)
    for step in range(2):
        gan_step(networks, optimisers, Batches(faces, batch=3, seed=0, flip=True).get(step, paired=step == 0), TRAINING, compute,
                 paired=step == 0)  # fmt: skip
    after = networks.parser.state_dict()
    assert all(torch.equal(before[name], after[name]) for name in before)
    assert not networks.parser.training


def test_terms_of_paired_and_unpaired_steps(networks, faces, compute):
    batches = Batches(faces, batch=3, seed=0, flip=True)
    paired = gan_gradients(networks, batches.get(0, paired=True), TRAINING, compute, paired=True)
    unpaired = gan_gradients(networks, batches.get(1, paired=False), TRAINING, compute, paired=False)
    both = {"local", "adversarial", "discriminator", "parsing"}
    assert set(paired) == both | {"global", "feature_matching"}
    assert set(unpaired) == both | {"colour"}


def test_local_reconstruction_falls(networks, faces, compute):
    batch = Batches(faces, batch=3, seed=0, flip=False).get(0, paired=True)
    training = dataclasses.replace(TRAINING, learning_rate=1e-3)
    optimisers = Optimisers.build(networks, training)
    values = [float(gan_step(networks, optimisers, batch, training, compute, paired=True)["local"]) for _ in range(25)]
    assert values[-1] < 0.7 * values[0]


def _networks(compute, **changes):
    torch.manual_seed(0)
    training = dataclasses.replace(TRAINING, **changes)
    return Networks.build(GENERATOR, training, build_parser(PARSER, weights=False), compute), training


def test_a_batch_in_parts_has_the_whole_batchs_gradients(faces, compute):
    batch = Batches(faces, batch=4, seed=0, flip=True).get(1, paired=False)
    found = []
    for parts in (1, 2):
        networks, training = _networks(compute, shifted=True)
        optimisers = Optimisers.build(networks, training)
        optimisers.set_rate(0.0, training)
        gan_step(networks, optimisers, batch, training, compute, paired=False, accumulate=parts)
        found.append([weight.grad for weight in networks.generator.parameters()])
    whole = torch.stack([gradient.norm() for gradient in found[0]]).norm()
    for one, two in zip(*found, strict=True):
        assert (one - two).norm() <= 1e-3 * one.norm() + 1e-5 * whole


def test_one_discriminator_is_trained_by_every_step(faces, compute):
    networks, training = _networks(compute, one_discriminator=True)
    assert networks.paired is networks.unpaired
    optimisers = Optimisers.build(networks, training)
    optimisers.set_rate(1e-3, training)
    states = [copy.deepcopy(networks.paired.state_dict())]
    for step in range(2):
        batch = Batches(faces, batch=3, seed=0, flip=True).get(step, paired=step == 0)
        gan_step(networks, optimisers, batch, training, compute, paired=step == 0)
        states.append(copy.deepcopy(networks.paired.state_dict()))
    name = next(iter(states[0]))
    assert not torch.equal(states[0][name], states[1][name])
    assert not torch.equal(states[1][name], states[2][name])


@pytest.mark.parametrize(
    "changes",
    [
        {"one_discriminator": True},
        {"lambda_colour": 0.0},
        {"lambda_perceptual": 1.0},
        {"discriminator": "projected"},
        {"discriminator": "projected", "shifted": True, "lambda_perceptual": 1.0, "one_discriminator": True},
        {"shifted": True, "lambda_perceptual": 2.0, "lambda_gp": 0.5},
    ],
)
def test_every_option_gives_finite_gradients(changes, faces, compute):
    networks, training = _networks(compute, **changes)
    for paired in (True, False):
        batch = Batches(faces, batch=3, seed=0, flip=True).get(1, paired=paired)
        terms = gan_gradients(networks, batch, training, compute, paired=paired)
        assert ("perceptual" in terms) == (paired and training.lambda_perceptual > 0)
        assert ("colour" in terms) == (not paired and training.lambda_colour > 0)
    for network in (networks.generator, networks.paired, networks.unpaired):
        assert all(torch.isfinite(weight.grad).all() for weight in network.parameters())
