import torch
from small import PARSER

from faceaug.parser.config import ParserConfig, ParserTraining
from faceaug.parser.network import build_parser
from faceaug.parser.step import ParserStep, parameter_groups


def test_every_weight_is_trained_once_and_a_pretrained_encoder_slower():
    parser = ParserConfig()
    network = build_parser(parser, weights=False)
    groups = parameter_groups(network, parser, ParserTraining(encoder_ratio=0.25))
    assert sorted(id(weight) for group in groups for weight in group["params"]) == sorted(map(id, network.parameters()))
    encoder = {id(weight) for weight in network.encoder.parameters()}
    for group in groups:
        assert {id(weight) in encoder for weight in group["params"]} == {group["ratio"] == 0.25}
        assert {weight.ndim > 1 for weight in group["params"]} == {group["weight_decay"] > 0}


def test_a_state_of_another_device_goes_on_here(compute):
    """What a checkpoint says of capturing is of the device that it was made on."""
    network = build_parser(PARSER, weights=False)
    step = ParserStep(network, PARSER, ParserTraining(), torch.ones(11), compute)
    images, labels = torch.zeros(2, 3, 64, 64), torch.zeros(2, 64, 64, dtype=torch.uint8)
    step(images, labels, rate=1e-3)
    state = step.state_dict()
    for group in state["param_groups"]:
        group["capturable"] = True
    resumed = ParserStep(network, PARSER, ParserTraining(), torch.ones(11), compute)
    resumed.load_state_dict(state)
    resumed(images, labels, rate=1e-3)
    assert not any(group["capturable"] for group in resumed.state_dict()["param_groups"])
