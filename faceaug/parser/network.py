"""The U-Net: encoder, decoder, logits."""

from __future__ import annotations

from typing import Any

import segmentation_models_pytorch as smp
from torch import nn

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
    module: nn.Module = network
    return module
