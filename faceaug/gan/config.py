"""Settings of the GAN: what the networks are, how they are trained, and the presets."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, fields
from typing import Any

from faceaug.config import check
from faceaug.labels import HELEN_11, Scheme

TEMPLATE_SIZE = 256
"""The paper's crop side; component sizes are given at it and scale with the crop."""


VARIANTS = {
    "full": "the framework",
    "local": "setting 2 of Section 4.1: local embeddings concatenated with the mask, background pasted",
    "global": "setting 1 of Section 4.1: one global embedding, background pasted",
    "pix2pixhd": "Figure 4: instance-wise average-pooled features, background pasted",
    "bicyclegan": "Figure 4: a noise code with its encoder, background pasted",
}
"""What can be trained."""


JUDGES = ("projected", "patch")
"""What can judge: a discriminator on frozen ImageNet features, or on pixels, as the paper has it."""


@dataclass(frozen=True)
class GeneratorConfig:
    """The shape of the networks."""

    size: int = 256
    """Side of the square crop, pixels."""
    width: int = 64
    """Channels of the layers at full resolution; deeper ones have up to 8 times as many."""
    code: int = 512
    """Length of a component's latent code."""
    blocks: int = 9
    """Residual blocks of G_m."""
    variant: str = "full"
    """One of :data:`VARIANTS`."""
    enlarge: float = 1.0
    """Factor by which eye and mouth regions are enlarged; the public code has 1.1."""
    texture: bool = True
    """Whether the framework gets the source's own pixels beside its codes (:mod:`faceaug.gan.correspondence`)."""
    bare_eyes: bool = False
    """Cut eyes out as rectangles with the skin around them, as the public code does."""
    scheme: Scheme = HELEN_11
    """Classes of the target masks: those of the labelled faces it is trained on."""

    def __post_init__(self) -> None:
        check(
            {
                f"size {self.size}: must be 64, 128, 256 or 512": self.size not in (64, 128, 256, 512),
                f"width {self.width}: must be a positive multiple of 8": self.width < 8 or self.width % 8 != 0,
                f"code {self.code}: must be positive": self.code < 1,
                f"--variant {self.variant}: unknown; use {', '.join(VARIANTS)}": self.variant not in VARIANTS,
                f"blocks {self.blocks}: must not be negative": self.blocks < 0,
                f"enlarge {self.enlarge}: must be 1 or more": self.enlarge < 1,
                f"enlarge, bare_eyes: only the framework has them, not {self.variant}": (self.enlarge > 1 or self.bare_eyes)
                and self.variant != "full",
            }
        )


@dataclass(frozen=True)
class TrainingConfig:
    """How the GAN is trained."""

    images: int = 1_200_000
    """Training length in images seen (official: 55 epochs of 22,000)."""
    batch: int = 4
    """Images a step; unpaired steps need at least 2."""
    learning_rate: float = 1e-4
    """Adam's rate for G, constant, then falling linearly to 0 from :attr:`decay_from` on."""
    discriminator_ratio: float = 2.0
    """D's rate as a multiple of G's (benchmarks/results/recipes-64px.json)."""
    decay_from: float = 0.6
    """Share of the run after which the rate falls."""
    betas: tuple[float, float] = (0.5, 0.999)
    """Adam's moments."""
    discriminator: str = "projected"
    """One of :data:`JUDGES`."""
    one_discriminator: bool = False
    """One D for paired reconstructions and unpaired transfers, as the paper has it; else one each, as the official code."""
    shifted: bool = True
    """Move what D, P_F and the ImageNet features see by some pixels at random, each row on its own.

    Without random shifts G exploits the judges' strides and generates dots."""
    lambda_perceptual: float = 2.0
    """Weight of the distance between ImageNet features of reconstruction and photo, on paired steps.

    Not in the paper, but in its code. Nothing else tried made faces better as fast (benchmarks/results/recipes-64px.json)."""
    lambda_local: float = 10.0
    """Weight of Eq. 1."""
    lambda_global: float = 1.0
    """Weight of Eq. 2, on paired steps."""
    lambda_gd: float = 1.0
    """Weight of Eq. 6."""
    lambda_fm: float = 10.0
    """Weight of Eq. 5 within Eq. 6, on paired steps; the paper does not state it, this is pix2pixHD's."""
    lambda_gp: float = 2.0
    """Weight of Eq. 8 at the start; see :attr:`parsing_until`."""
    parsing_until: float = 0.25
    """Share of the run over which the weight of Eq. 8 falls linearly to 0; above 1 it stays, as in the paper.

    P_F shows G where the components are. Later, faces that P_F predicts without an error teach another parser only what P_F
    knows (benchmarks/results/worth-short-64px.json)."""
    human: float = 0.5
    """Share of the targets drawn from those with human label maps, where there are such and predicted ones; 0 draws from all.

    Two hundred among thousands are a few percent, and G would learn P_F's edges."""
    parsing_balance: float = 0.5
    """How much more small classes weigh in Eq. 8 (0: as much as their pixels), see :func:`faceaug.gan.losses.parsing`.

    What else makes masks agree costs quality; this does not (benchmarks/results/screen-64px.json)."""
    lambda_colour: float = 2.0
    """Weight of the distance between each component's colours and its source's, on unpaired steps.

    Neither in the paper nor in its code. In the one long run without it, faces gained ever more contrast, which an
    instance-normalised D cannot see (benchmarks/results/gan-200-64px.json)."""
    ema_half_life: int = 10_000
    """Images after which a weight counts half in the averaged generator that samples and is saved."""
    candidates: int = 32
    """Others drawn for each face, of which the one most like it in shape is its source (or guide, on paired steps)."""
    flip: bool = True
    """Mirror half of the photos, left and right classes exchanged."""
    seed: int = 0
    """Of the initial weights, the order of the photos, the pairing and the mirroring."""

    def __post_init__(self) -> None:
        check(
            {
                f"--images {self.images}: must be positive": self.images < 1,
                f"--batch {self.batch}: must be 2 or more, since unpaired rows need another person": self.batch < 2,
                f"--learning-rate {self.learning_rate}: must be positive": self.learning_rate <= 0,
                f"betas {self.betas}: must be at least 0 and below 1": not all(0 <= beta < 1 for beta in self.betas),
                f"discriminator_ratio {self.discriminator_ratio}: must be positive": self.discriminator_ratio <= 0,
                f"decay_from {self.decay_from}: must be within 0..1": not 0 <= self.decay_from <= 1,
                f"discriminator {self.discriminator}: unknown; use projected or patch": self.discriminator
                not in ("projected", "patch"),
                f"candidates {self.candidates}: must be 1 or more": self.candidates < 1,
                f"parsing_until {self.parsing_until}: must be positive": self.parsing_until <= 0,
                f"human {self.human}: must be within 0..1": not 0 <= self.human <= 1,
                f"parsing_balance {self.parsing_balance}: must be within 0..1": not 0 <= self.parsing_balance <= 1,
                **{
                    f"{field.name} {getattr(self, field.name)}: must not be negative": getattr(self, field.name) < 0
                    for field in fields(self)
                    if field.name.startswith("lambda_")
                },
            }
        )


PRESETS: dict[str, tuple[GeneratorConfig, TrainingConfig]] = {
    "demo": (
        GeneratorConfig(size=64, width=16, code=128, blocks=9),
        TrainingConfig(images=2_000, batch=8, learning_rate=4e-4, ema_half_life=500),
    ),
    "tiny": (
        GeneratorConfig(size=64, width=32, code=256, blocks=9),
        TrainingConfig(images=7_000, batch=8, learning_rate=2e-4, ema_half_life=2_000),
    ),
    "small": (
        GeneratorConfig(size=128, width=48, code=384, blocks=9),
        TrainingConfig(images=300_000, batch=8, learning_rate=1.5e-4, ema_half_life=5_000),
    ),
    "paper": (
        GeneratorConfig(size=256, width=64, code=512, blocks=9),
        TrainingConfig(images=1_200_000, batch=4, learning_rate=1e-4, ema_half_life=10_000),
    ),
}
"""The paper's whole model at every preset; the smaller ones are narrower and lower."""


@dataclass(frozen=True)
class Recipe:
    """Losses, weights and schedule: what a preset leaves open.

    Attributes:
        generator: fields of :class:`GeneratorConfig`.
        training: fields of :class:`TrainingConfig`.
    """

    generator: dict[str, Any]
    training: dict[str, Any]


_AS_PUBLISHED: dict[str, Any] = {
    "discriminator_ratio": 1.0,
    "betas": (0.5, 0.999),
    "lambda_perceptual": 0.0,
    "lambda_colour": 0.0,
    "lambda_gp": 1.0,
    "parsing_balance": 0.0,
    "parsing_until": 2.0,
    "human": 0.0,
    "shifted": False,
    "discriminator": "patch",
    "lambda_gd": 2.0,  # terms are summed over D's two scales there, averaged here
    "candidates": 1,
}

RECIPES: dict[str, Recipe] = {
    "default": Recipe({}, {}),
    # Eqs. 1 to 9 with one D and the paper's weights; it names no optimiser, so that is the public code's.
    "paper": Recipe({"texture": False}, {**_AS_PUBLISHED, "one_discriminator": True}),
    # The public code's weights in the units of this package's terms: 5000 and 40 times a mean squared error are 3333 and 27
    # times half a squared norm over three channels. Its parsing loss weighs 100 but goes through a softmax too many, which leaves
    # about a tenth of the gradient.
    "official": Recipe(
        {"texture": False, "enlarge": 1.1, "bare_eyes": True},
        {
            **_AS_PUBLISHED,
            "decay_from": 10 / 55,
            "lambda_local": 3333.0,
            "lambda_global": 27.0,
            "lambda_gp": 10.0,
            "lambda_perceptual": 30.0,
        },
    ),
}
"""What ``--recipe`` names."""


def apply_recipe(name: str, generator: GeneratorConfig, training: TrainingConfig) -> tuple[GeneratorConfig, TrainingConfig]:
    """A preset's settings with those of a recipe.

    Raises:
        ConfigError: there is no such recipe, or it does not go with the variant.
    """
    check({f"--recipe {name}: unknown; use {', '.join(RECIPES)}": name not in RECIPES})
    recipe = RECIPES[name]
    return dataclasses.replace(generator, **recipe.generator), dataclasses.replace(training, **recipe.training)
