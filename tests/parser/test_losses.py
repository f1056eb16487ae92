import numpy as np
import pytest
import torch
from small import PARSER

from faceaug.parser.losses import balanced_cross_entropy, class_weights, start_balanced
from faceaug.parser.network import build_parser


def test_rare_classes_weigh_more_and_the_average_pixel_weighs_one(noise):
    faces = noise(4)
    faces.labels[:] = 0
    faces.labels[:, :8, :16] = 1  # 1 pixel in 32
    faces.labels[:, -1] = 255  # counts for nothing
    weights = class_weights(faces, 0.5)
    share = 128 / (64 * 63)
    assert float(weights[1] / weights[0]) == pytest.approx(((1 - share) / share) ** 0.5, rel=1e-5)
    assert float(weights[0] * (1 - share) + weights[1] * share) == pytest.approx(1.0)
    assert not weights[2:].any()
    assert class_weights(faces, 0.0)[:2].tolist() == [1.0, 1.0]


def test_the_balanced_loss_is_least_at_the_true_probabilities():
    labels = torch.zeros(1, 4, 4, dtype=torch.int64)
    labels[0, 0, 0] = 3  # class 3 in 1 of 16 pixels that look the same
    weights = torch.ones(11)
    weights[3] = 5.0
    truth = torch.full((11,), -30.0)
    truth[0], truth[3] = np.log(15 / 16), np.log(1 / 16)
    logits = truth.clone().requires_grad_()
    balanced_cross_entropy(logits[None, :, None, None].expand(1, 11, 4, 4), labels, weights).backward()
    assert float(logits.grad.abs().max()) < 1e-6
    logits = truth.clone().requires_grad_()
    torch.nn.functional.cross_entropy(logits[None, :, None, None].expand(1, 11, 4, 4), labels, weights).backward()
    assert float(logits.grad.abs().max()) > 0.05  # what is mended


def test_without_balance_it_is_plain_cross_entropy():
    rng = torch.Generator().manual_seed(0)
    logits = torch.randn(2, 11, 4, 4, generator=rng)
    labels = torch.randint(0, 11, (2, 4, 4), generator=rng)
    labels[0, 0] = 255
    plain = torch.nn.functional.cross_entropy(logits, labels, ignore_index=255)
    assert balanced_cross_entropy(logits, labels, torch.ones(11)) == pytest.approx(float(plain))


def test_training_begins_without_a_favourite(noise):
    network = build_parser(PARSER)
    head = network.segmentation_head[0]
    before = head.bias.detach().clone()
    weights = torch.tensor([0.5, 4.0] + [0.0] * 9)
    start_balanced(network, weights)
    moved = before - head.bias.detach()
    assert torch.allclose(moved, torch.tensor([0.5, 4.0] + [1.0] * 9).log())


def test_rows_weigh_what_is_asked_and_equal_ones_change_nothing():
    rng = torch.Generator().manual_seed(0)
    logits, weights = torch.randn(3, 11, 4, 4, generator=rng), torch.rand(11, generator=rng)
    labels = torch.randint(0, 11, (3, 4, 4), generator=rng)
    labels[0, :2] = 255
    plain = balanced_cross_entropy(logits, labels, weights)
    assert balanced_cross_entropy(logits, labels, weights, torch.full((3,), 0.5)) == pytest.approx(float(plain), rel=1e-5)
    first = balanced_cross_entropy(logits[:1], labels[:1], weights)
    assert balanced_cross_entropy(logits, labels, weights, torch.tensor([1.0, 0.0, 0.0])) == pytest.approx(float(first), rel=1e-5)
