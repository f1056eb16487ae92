import dataclasses

import pytest
import torch
from small import PARSER

from faceaug.errors import CheckpointMismatch
from faceaug.parser.ensemble import ensemble
from faceaug.parser.network import build_parser
from faceaug.parser.predict import Parser, predict_logits


def _parser(seed, compute):
    torch.manual_seed(seed)
    return Parser(build_parser(PARSER).eval().requires_grad_(False), PARSER, {}, str(seed), compute)


def test_probabilities_are_the_members_mean(compute):
    members = [_parser(seed, compute) for seed in range(3)]
    images = torch.randn(2, 3, 64, 64)
    with torch.no_grad():
        expected = torch.stack([predict_logits(one, images).softmax(1) for one in members]).mean(0)
        found = predict_logits(ensemble(members), images).softmax(1)
    assert torch.allclose(found, expected, atol=1e-6)


def test_one_is_itself_and_others_have_another_hash(compute):
    one, two = _parser(0, compute), _parser(1, compute)
    assert ensemble([one]) is one
    assert len({one.hash, two.hash, ensemble([one, two]).hash, ensemble([two, one]).hash}) == 4
    with pytest.raises(CheckpointMismatch, match="one network"):
        ensemble([one, dataclasses.replace(two, config=dataclasses.replace(PARSER, decoder=(16, 8, 8)))])
