import copy

import pytest
import torch
from small import GENERATOR, PARSER

from faceaug.gan.batches import Batches
from faceaug.gan.components import cut_parts, one_hot
from faceaug.gan.config import TrainingConfig
from faceaug.gan.losses import (
    adversarial,
    discriminator_loss,
    feature_matching,
    global_reconstruction,
    local_reconstruction,
    parsing,
)
from faceaug.gan.step import Networks, Optimisers, gan_gradients, gan_step
from faceaug.parser.network import build_parser

TRAINING = TrainingConfig(images=8, batch=3, lambda_fm=5.0, discriminator_ratio=2.0)


@pytest.fixture
def networks(compute):
    torch.manual_seed(0)
    return Networks.build(GENERATOR, build_parser(PARSER, weights=False), compute)


def _textbook(networks, batch, paired):
    """Eq. 9's gradients the plain way: G and D one after the other, every term through the whole graph."""
    generator, discriminator = networks.generator, networks.paired if paired else networks.unpaired
    target, labels, source = batch.images, batch.labels, batch.source
    condition = one_hot(labels)
    parts = cut_parts(target, labels)
    loss = TRAINING.lambda_local * local_reconstruction(parts, generator.embedding.reconstruct(generator.embedding.encode(parts)))
    result = generator(target[source], labels[source], target, labels)
    real, fake = discriminator(target, condition), discriminator(result, condition)
    loss = loss + TRAINING.lambda_gd * adversarial(fake) + TRAINING.lambda_gp * parsing(networks.parser(result), labels)
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
    assert set(unpaired) == both


def test_local_reconstruction_falls(networks, faces, compute):
    batch = Batches(faces, batch=3, seed=0, flip=False).get(0, paired=True)
    training = TrainingConfig(images=8, batch=3, learning_rate=1e-3)
    optimisers = Optimisers.build(networks, training)
    values = [float(gan_step(networks, optimisers, batch, training, compute, paired=True)["local"]) for _ in range(25)]
    assert values[-1] < 0.7 * values[0]
