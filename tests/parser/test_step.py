from faceaug.parser.config import ParserConfig, ParserTraining
from faceaug.parser.network import build_parser
from faceaug.parser.step import parameter_groups


def test_every_weight_is_trained_once_and_a_pretrained_encoder_slower():
    parser = ParserConfig()
    network = build_parser(parser, weights=False)
    groups = parameter_groups(network, parser, ParserTraining(encoder_ratio=0.25))
    assert sorted(id(weight) for group in groups for weight in group["params"]) == sorted(map(id, network.parameters()))
    encoder = {id(weight) for weight in network.encoder.parameters()}
    for group in groups:
        assert {id(weight) in encoder for weight in group["params"]} == {group["ratio"] == 0.25}
        assert {weight.ndim > 1 for weight in group["params"]} == {group["weight_decay"] > 0}
