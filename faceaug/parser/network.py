"""The parser's network: encoder, decoder, logits."""

from __future__ import annotations

import copy
from typing import Any

import segmentation_models_pytorch as smp
import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_weights

from faceaug.errors import ConfigError
from faceaug.imagenet import load_imagenet
from faceaug.parser.config import ENCODERS, ParserConfig


def build_parser(config: ParserConfig, *, weights: bool = True) -> nn.Module:
    """A fresh parser.

    Args:
        config: its shape.
        weights: whether ``config.pretrained`` is honoured; off where a state dict is loaded next.

    Returns:
        A module from ``(N, 3, S, S)`` in [-1, 1] to logits ``(N, K, S, S)`` of the scheme's K classes.

    Raises:
        ConfigError: the encoder's first layer is not where it is expected.
    """
    shape: dict[str, Any] = {"encoder_weights": None, "classes": len(config.scheme)}
    encoder = ENCODERS[config.encoder]
    depth, channels = config.depth, config.channels
    network: Any = (
        smp.Unet(encoder, encoder_depth=depth, decoder_channels=(*channels, channels[-1])[:depth], **shape)
        if config.architecture == "unet"
        else smp.FPN(
            encoder,
            decoder_pyramid_channels=96,
            decoder_segmentation_channels=64,
            upsampling=2 if config.dense_stem else 4,
            **shape,
        )
    )
    if config.pretrained and weights:
        load_imagenet(network.encoder)
    if config.architecture == "unet":
        network.decoder.blocks = network.decoder.blocks[: len(channels)]
    if config.dense_stem:
        stem = next((layer for layer in network.encoder.modules() if isinstance(layer, nn.Conv2d)), None)
        if stem is None or stem.stride != (2, 2):
            raise ConfigError(f"--encoder {config.encoder}: its first convolution cannot be made dense; use another")
        stem.stride = (1, 1)
    for layer in network.modules():
        if isinstance(layer, nn.BatchNorm2d):
            layer.momentum = 0.1  # ImageNet's slow 0.01 would still hold the initial statistics after a short run
        elif isinstance(layer, nn.ReLU6):
            layer.inplace = False  # its gradient needs what came in: in place, that is copied first
        elif type(layer) is nn.Conv2d and layer.groups > 1 and (layer.stride[0] > 1 or layer.kernel_size[0] > 3):
            layer.__class__ = FloatOnCpu
    if depth < 5:
        _drop_unused(network.encoder)
    module: nn.Module = network
    return module


def _drop_unused(encoder: nn.Module) -> None:
    """Remove the layers that none of the encoder's features depend on: those without a gradient."""
    training = encoder.training
    with torch.enable_grad():
        sum(feature.sum() for feature in encoder.eval()(torch.zeros(1, 3, 64, 64))).backward()
    owners = {name: list(layer.parameters(recurse=False)) for name, layer in encoder.named_modules()}
    for name, own in owners.items():
        if own and all(weight.grad is None for weight in own):
            parent, _, layer = name.rpartition(".")
            setattr(encoder.get_submodule(parent), layer, nn.Identity())
    encoder.train(training).zero_grad(set_to_none=True)


def fold_batch_norm(network: nn.Module) -> nn.Module:
    """A frozen copy whose batch normalisations are part of the convolutions before them: the same function, computed faster.

    Args:
        network: from :func:`build_parser`; its running statistics are what is folded.

    Returns:
        A copy in eval mode, without gradients for its weights.
    """
    folded = copy.deepcopy(network).eval().requires_grad_(False)
    for parent in folded.modules():
        previous: nn.Module | None = None
        for name, child in list(parent.named_children()):
            if (
                isinstance(previous, nn.Conv2d)
                and isinstance(child, nn.BatchNorm2d)
                and previous.out_channels == child.num_features
            ):
                setattr(parent, name, _fold(previous, child))
            previous = child
    return folded


def _fold(conv: nn.Conv2d, norm: nn.BatchNorm2d) -> nn.Module:
    """Put a batch norm into the convolution before it; returns what is left of it."""
    mean, variance = norm.running_mean, norm.running_var
    assert mean is not None  # smp's networks keep running statistics
    assert variance is not None
    conv.weight, bias = fuse_conv_bn_weights(conv.weight, conv.bias, mean, variance, norm.eps, norm.weight, norm.bias)
    conv.bias = bias
    # timm's batch norms end in an activation of their own.
    own: Any = norm
    return nn.Sequential(own.drop, own.act) if hasattr(norm, "act") else nn.Identity()


class FloatOnCpu(nn.Conv2d):
    """A depthwise convolution that computes in float32 on CPUs even under autocast.

    oneDNN's bfloat16 gradients of depthwise 5x5 and strided kernels are 2 to 6 times slower than float32's.
    """

    def forward(self, input: Tensor) -> Tensor:
        """``(N, C, H, W)`` to ``(N, C', H', W')``."""
        if input.device.type != "cpu":
            return super().forward(input)
        with torch.autocast("cpu", enabled=False):
            return super().forward(input.float()).to(input.dtype)
