"""Settings of the parser: what the network is, and how it is trained."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from faceaug.config import check, check_choice
from faceaug.errors import ConfigError
from faceaug.labels import HELEN_11, Scheme

ENCODERS = {
    "efficientnet-lite0": "timm-tf_efficientnet_lite0",
    "resnet18": "resnet18",
    "mobilenet_v2": "mobilenet_v2",
}
"""Encoder names here -> in segmentation_models_pytorch."""

ARCHITECTURES = {
    "unet": "a U-Net",
    "fpn": "a feature pyramid (Kirillov et al., 2019), whose logits are interpolated from a quarter of the encoder's resolution",
}
"""Decoders, of segmentation_models_pytorch."""


Augmentation = Literal["none", "geometric", "strong"]
"""``geometric``: mirror, rotate, scale, shift; ``strong``: also colours, blur, noise, patches and CutMix."""

WARM_UP = 100
"""Steps over which the rate rises; at most a tenth of the run."""


LARGEST = 1024
"""Pixels: larger faces take more memory than machines have."""


@dataclass(frozen=True)
class ParserConfig:
    """The shape of a parser."""

    architecture: str = "unet"
    """One of :data:`ARCHITECTURES`."""
    size: int = 64
    """Side of the photos it was trained on, pixels; a multiple of 32."""
    encoder: str = "efficientnet-lite0"
    """One of :data:`ENCODERS`."""
    pretrained: bool = True
    """Begin from the packaged ImageNet weights (only efficientnet-lite0 has some)."""
    decoder: tuple[int, ...] = ()
    """Channels of the U-Net's decoder, deepest first; none: the usual ones, see :attr:`channels`."""
    scheme: Scheme = HELEN_11
    """The classes: that of the labelled faces it is trained on."""

    def __post_init__(self) -> None:
        check(
            {
                f"--size {self.size}: must be a multiple of 32 from 32 to {LARGEST}": not 32 <= self.size <= LARGEST
                or self.size % 32 != 0,
                f"architecture {self.architecture}: unknown; use {', '.join(ARCHITECTURES)}": self.architecture
                not in ARCHITECTURES,
                f"--encoder {self.encoder}: unknown; use {', '.join(ENCODERS)}": self.encoder not in ENCODERS,
                f"--pretrained: there are no packaged weights for {self.encoder}; use efficientnet-lite0 or "
                f"--no-pretrained": self.pretrained and self.encoder != "efficientnet-lite0",
                "parser decoder: needs 5 channel counts, below 128 px 3 to 5, or none for the usual ones": bool(self.decoder)
                and not (3 if self.dense_stem else 5) <= len(self.decoder) <= 5,
            }
        )

    @property
    def dense_stem(self) -> bool:
        """Whether the first convolution keeps the resolution.

        ImageNet encoders halve the picture in their first layer; below 128 px brows and lips would be gone before anything was
        learned of them, so there the first layer steps by one pixel and all later ones see twice the resolution.
        """
        return self.size < 128

    @property
    def channels(self) -> tuple[int, ...]:
        """Channels of the U-Net's decoder, one a block.

        A decoder of five blocks ends with one that doubles the resolution. Where the first layer keeps the resolution that block
        would only repeat it, and the encoder's last stages would see 4 x 4 cells of a face of 64 px: without both, a step takes
        two thirds of the time and tuning is no worse (benchmarks/results/cell-cost.json).
        """
        return self.decoder or ((48, 32, 16) if self.dense_stem else (96, 48, 32, 16, 16))

    @property
    def depth(self) -> int:
        """Stages of the encoder that are used; each but a dense first one halves the resolution."""
        return min(len(self.channels) + 1, 5) if self.dense_stem and self.architecture == "unet" else 5


@dataclass(frozen=True)
class ParserTraining:
    """How a parser is trained."""

    images: int = 16_000
    """Training length in images seen, additions included."""
    batch: int = 8
    """Images a step; in short runs on drawn faces 8 got further than 16 with as many images, at a fifth more time."""
    learning_rate: float = 6e-3
    """AdamW's rate; constant after warm-up, since weight averaging replaces its decay."""
    average: float = 0.1
    """Half-life of the weight average that is scored and kept, as a share of the images seen so far.

    Its effect is that of learning-rate decay, at every length: a flat tuning curve is a plateau, not the end of a schedule."""
    encoder_ratio: float = 1 / 3
    """Rate of an encoder with ImageNet weights, as a share of the rest's."""
    balance: float = 0.5
    """Classes weigh their frequency to the power of minus this in the cross-entropy; 0 is Eq. 7 as it stands.

    An eye has 0.2 % of the pixels. Unweighted, small classes are found one after another, thousands of images late
    (benchmarks/results/parser-64px.json); 0.5 is milder than the weights of the official code."""
    weight_decay: float = 1e-2
    """AdamW's decay."""
    augment: str = "geometric"
    """One of :data:`Augmentation`."""
    pretrain: float = 0.0
    """Share of the steps, the first ones, that see additions alone, the others labelled faces alone; 0 mixes them in every step.

    The weight average begins anew between the two."""
    evaluations: int = 20
    """How often tuning is scored, evenly over the run."""
    seed: int = 0
    """Of weights, order and augmentation."""

    def __post_init__(self) -> None:
        check_choice("--augment", self.augment, Augmentation)
        check(
            {
                f"--images {self.images}: must be positive": self.images < 1,
                f"encoder_ratio {self.encoder_ratio}: must be above 0": self.encoder_ratio <= 0,
                f"--balance {self.balance}: must be within 0..1": not 0 <= self.balance <= 1,
                f"--batch {self.batch}: must be 2 or more (batch norm)": self.batch < 2,
                f"--learning-rate {self.learning_rate}: must be positive": self.learning_rate <= 0,
                f"pretrain {self.pretrain}: must be at least 0 and below 1": not 0 <= self.pretrain < 1,
                f"average {self.average}: must be above 0 and at most 1": not 0 < self.average <= 1,
                f"evaluations {self.evaluations}: must be positive": self.evaluations < 1,
            }
        )

    @property
    def steps(self) -> int:
        """Optimiser steps in the run."""
        return math.ceil(self.images / self.batch)

    @property
    def pretrain_steps(self) -> int:
        """Steps that see additions alone."""
        return round(self.pretrain * self.steps)

    def check_schedule(self, additions: bool) -> None:
        """Raise ConfigError for a schedule that needs additions where there are none."""
        if self.pretrain and not additions:
            raise ConfigError(f"pretrain {self.pretrain:g}: there are no faces to train on before the labelled ones; add some")

    def rate(self, step: int) -> float:
        """AdamW's rate at a step."""
        return self.learning_rate * min(1.0, (step + 1) / min(WARM_UP, max(self.steps // 10, 1)))

    def evaluate_after(self, step: int) -> bool:
        """Whether tuning is scored when ``step`` steps are done; always at the end."""
        return step * self.evaluations // self.steps > (step - 1) * self.evaluations // self.steps


FURTHER = 2 / 3
"""How long a parser is trained further, as a share of the first training's length."""


def default_images(faces: int, device: str) -> int:
    """Training length where none is given: 24 passes over the faces (100 on a GPU), 12,000 images at least.

    With 200 faces a parser has 82.3 % mean F1 after 4,000 images, 83.6 after 12,000, 83.8 after 32,000
    (benchmarks/results/tried.json). On CPUs at most 16,000, ten minutes of a core at 64 px.
    """
    return min(max(100 * faces, 12_000), 200_000) if device == "cuda" else min(max(24 * faces, 12_000), 16_000)
