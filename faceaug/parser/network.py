"""The U-Net: encoder, decoder, logits."""

from __future__ import annotations

from typing import Any

import segmentation_models_pytorch as smp
import torch
from torch import Tensor, nn

from faceaug.errors import ConfigError
from faceaug.labels import NUM_CLASSES
from faceaug.parser.config import ENCODERS, ParserConfig
from faceaug.pretrained import load_imagenet


def build_parser(config: ParserConfig, *, weights: bool = True) -> nn.Module:
    """A fresh parser.

    Args:
        config: its shape.
        weights: whether ``config.pretrained`` is honoured; off where a state dict is loaded next.

    Returns:
        A module from ``(N, 3, S, S)`` in [-1, 1] to logits ``(N, 11, S, S)``.

    Raises:
        ConfigError: the encoder's first layer is not where it is expected.
    """
    network: Any = smp.Unet(
        ENCODERS[config.encoder],
        encoder_weights=None,
        classes=NUM_CLASSES,
        decoder_channels=config.decoder,
    )
    if config.pretrained and weights:
        load_imagenet(network.encoder)
    if config.dense_stem:
        stem = next((layer for layer in network.encoder.modules() if isinstance(layer, nn.Conv2d)), None)
        if stem is None or stem.stride != (2, 2):
            raise ConfigError(f"--encoder {config.encoder}: its first convolution cannot be made dense; use another")
        stem.stride = (1, 1)
    for layer in network.modules():
        if isinstance(layer, nn.BatchNorm2d):
            layer.momentum = 0.1  # ImageNet's slow 0.01 would still hold the initial statistics after a short run
        elif type(layer) is nn.Conv2d and layer.groups > 1 and (layer.stride[0] > 1 or layer.kernel_size[0] > 3):
            layer.__class__ = _FloatOnCpu
    module: nn.Module = network
    return module


class _FloatOnCpu(nn.Conv2d):
    """A depthwise convolution that computes in float32 on CPUs even under autocast.

    oneDNN's bfloat16 gradients of depthwise 5x5 and strided kernels are 2 to 6 times slower than float32's.
    """

    def forward(self, input: Tensor) -> Tensor:
        if input.device.type != "cpu":
            return super().forward(input)
        with torch.autocast("cpu", enabled=False):
            return super().forward(input.float()).to(input.dtype)
