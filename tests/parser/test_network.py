import pytest
import torch

from faceaug.parser.config import ARCHITECTURES, ENCODERS, ParserConfig
from faceaug.parser.network import build_parser, fold_batch_norm


@pytest.mark.parametrize("encoder", ENCODERS)
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_logits_have_the_photos_size(encoder, architecture):
    for size in (64, 128):
        config = ParserConfig(size=size, encoder=encoder, pretrained=False, architecture=architecture)
        with torch.no_grad():
            assert build_parser(config).eval()(torch.zeros(1, 3, size, size)).shape == (1, 11, size, size)


def test_imagenet_weights_come_from_the_installed_package():
    torch.manual_seed(0)
    a = build_parser(ParserConfig())
    torch.manual_seed(1)
    b = build_parser(ParserConfig())
    fresh = build_parser(ParserConfig(), weights=False)
    one, two, other = (network.encoder.state_dict()["conv_stem.weight"] for network in (a, b, fresh))
    assert torch.equal(one, two)
    assert not torch.equal(one, other)


def test_small_faces_are_not_halved_by_the_first_layer():
    assert build_parser(ParserConfig(size=64), weights=False).encoder.conv_stem.stride == (1, 1)
    assert build_parser(ParserConfig(size=256), weights=False).encoder.conv_stem.stride == (2, 2)


def test_bf16_computes_what_fp32_does():
    network = build_parser(ParserConfig()).eval()
    images = torch.randn(2, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        exact = network(images)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            rough = network(images).float()
    assert (exact - rough).abs().mean() < 0.03 * exact.abs().mean()


@pytest.mark.parametrize("encoder", ENCODERS)
def test_folded_it_is_the_same_function_without_batch_norm(encoder):
    torch.manual_seed(0)
    network = build_parser(ParserConfig(size=64, encoder=encoder, pretrained=False)).eval()
    for layer in network.modules():
        if isinstance(layer, torch.nn.BatchNorm2d):
            layer.running_mean.normal_()
            layer.running_var.uniform_(0.5, 2.0)
            torch.nn.init.normal_(layer.weight, 1.0, 0.2)
            torch.nn.init.normal_(layer.bias)
    folded = fold_batch_norm(network)
    assert not any(isinstance(layer, torch.nn.BatchNorm2d) for layer in folded.modules())
    assert any(isinstance(layer, torch.nn.BatchNorm2d) for layer in network.modules())
    assert not any(weight.requires_grad for weight in folded.parameters())
    photos = torch.randn(2, 3, 64, 64)
    with torch.inference_mode():
        wanted, found = network(photos), folded(photos)
    assert (wanted - found).abs().max() < 1e-4 * wanted.abs().max()


@pytest.mark.parametrize("encoder", ENCODERS)
def test_a_shallow_encoder_has_no_weights_that_nothing_depends_on(encoder):
    config = ParserConfig(size=64, encoder=encoder, pretrained=False)
    network = build_parser(config)
    network(torch.randn(2, 3, 64, 64)).sum().backward()
    assert all(weight.grad is not None for weight in network.parameters())
    assert config.depth == 4
    assert sum(weight.numel() for weight in network.parameters()) < 3.2e6


def test_parsers_of_earlier_versions_have_their_deeper_shape():
    old = ParserConfig(size=64, pretrained=False, decoder=(96, 48, 32, 16, 16))
    assert (old.depth, len(build_parser(old).decoder.blocks)) == (5, 5)
    assert old.channels == old.decoder
