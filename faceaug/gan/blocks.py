"""The layers that the networks are built of.

Group normalisation throughout: it has no running statistics, so a network computes the same in training and in use, for any
batch size and on any number of devices (the paper's public code loses quality to batch statistics of two images).
"""

from __future__ import annotations

from torch import Tensor, nn


def norm(channels: int) -> nn.Module:
    """Group normalisation with 16 channels a group."""
    return nn.GroupNorm(max(channels // 16, 1), channels)


def instance_norm(channels: int) -> nn.Module:
    """Instance normalisation with learned scale and shift, for discriminators.

    With groups of 16 channels, D stayed at chance level in every setting tried (benchmarks/results/discriminator-64px.json).
    """
    return nn.GroupNorm(channels, channels)


def down(inputs: int, outputs: int) -> nn.Sequential:
    """Halve the resolution: 4x4 convolution of stride 2."""
    return nn.Sequential(nn.Conv2d(inputs, outputs, 4, stride=2, padding=1), norm(outputs), nn.ReLU(inplace=True))


def up(inputs: int, outputs: int) -> nn.Sequential:
    """Double the resolution: every pixel four times, and a 3x3 convolution.

    A transposed convolution of stride 2 computes the pixels of each 2x2 block by different weights, which leaves checkerboard
    artefacts in hair and skin.
    """
    return nn.Sequential(
        nn.Upsample(scale_factor=2.0), nn.Conv2d(inputs, outputs, 3, padding=1), norm(outputs), nn.ReLU(inplace=True)
    )


def conv(inputs: int, outputs: int, kernel: int, stride: int = 1) -> nn.Sequential:
    """A normalised convolution that keeps the border by reflection."""
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, padding_mode="reflect"),
        norm(outputs),
        nn.ReLU(inplace=True),
    )


class Residual(nn.Module):
    """x + two 3x3 convolutions; ``(N, C, H, W)`` to the same."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            conv(channels, channels, 3),
            nn.Conv2d(channels, channels, 3, padding=1, padding_mode="reflect"),
            norm(channels),
        )

    def forward(self, x: Tensor) -> Tensor:  # noqa: D102
        changed: Tensor = self.body(x)
        return x + changed


def initialise(module: nn.Module) -> None:
    """DCGAN's initial weights, as in the official code: N(0, 0.02) for convolutions and linear layers, 0 for their biases."""
    for layer in module.modules():
        if isinstance(layer, nn.Conv2d | nn.Linear):
            nn.init.normal_(layer.weight, 0.0, 0.02)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)


def to_rgb(channels: int, kernel: int) -> nn.Sequential:
    """An image in [-1, 1] from features."""
    return nn.Sequential(
        nn.Conv2d(channels, 3, kernel, padding=kernel // 2, padding_mode="reflect"),
        nn.Tanh(),
    )


def one_if(present: Tensor, like: Tensor) -> Tensor:
    """``(N,)`` bool as a factor that broadcasts over ``like`` of shape ``(N, ...)``."""
    return present.to(like.dtype).reshape(-1, *[1] * (like.dim() - 1))


def count_parameters(module: nn.Module) -> int:
    """Numbers in a network's weights."""
    return sum(weight.numel() for weight in module.parameters())
