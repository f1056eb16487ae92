"""The objective of each system: its terms, what each weighs, and on which steps it counts (Eq. 9, Section 3.3).

A new term is a function in :mod:`faceaug.gan.losses`, a weight in :class:`faceaug.gan.config.TrainingConfig`, and a row here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor, nn

from faceaug.gan.config import TrainingConfig
from faceaug.gan.discriminator import Judgement
from faceaug.gan.losses import (
    adversarial,
    component_colours,
    feature_matching,
    global_reconstruction,
    l1_reconstruction,
    parsing,
    perceptual,
)


@dataclass(frozen=True)
class Seen:
    """What the terms of one batch are computed from.

    Attributes:
        picture: ``(N, 3, S, S)`` float32 in [-1, 1]: the generated faces.
        target: likewise the targets' photos.
        parts: ``(N, S, S)`` uint8: the targets' anatomies.
        source: ``(N, 3, S, S)``: the sources' photos.
        source_parts: ``(N, S, S)`` uint8: their anatomies.
        real: D's judgement of the targets.
        fake: of the generated faces.
        features_real: ImageNet features of the targets, by depth; empty where no term uses them.
        features_fake: of the generated faces.
        judged: ``(N, 3, S, S)``: the generated faces as judges see them, shifted.
        judged_labels: ``(N, S, S)`` uint8: their masks, shifted likewise.
        parser: P_F, frozen.
    """

    picture: Tensor
    target: Tensor
    parts: Tensor
    source: Tensor
    source_parts: Tensor
    real: list[Judgement]
    fake: list[Judgement]
    features_real: list[Tensor]
    features_fake: list[Tensor]
    judged: Tensor
    judged_labels: Tensor
    parser: nn.Module


@dataclass(frozen=True)
class Term:
    """One term.

    Attributes:
        name: in logs.
        weight: by the training's settings.
        function: of what is seen; None for terms that the generator's own networks give with its look (Eq. 1) or read back from
            the picture.
        paired: whether it counts on paired steps.
        unpaired: on unpaired ones.
    """

    name: str
    weight: Callable[[TrainingConfig], float]
    function: Callable[[Seen, TrainingConfig], Tensor] | None = None
    paired: bool = True
    unpaired: bool = True


def _perceptual(unpaired: bool) -> Term:
    return Term(
        "perceptual",
        lambda t: t.lambda_perceptual,
        lambda seen, t: perceptual(seen.features_fake, seen.features_real),
        unpaired=unpaired,
    )


def _feature_matching(weight: Callable[[TrainingConfig], float], *, unpaired: bool) -> Term:
    return Term("feature_matching", weight, lambda seen, t: feature_matching(seen.real, seen.fake), unpaired=unpaired)


def _adversarial(weight: Callable[[TrainingConfig], float]) -> Term:
    return Term("adversarial", weight, lambda seen, t: adversarial(seen.fake))


_LOCAL = Term("local", lambda t: t.lambda_local)  # Eq. 1

_SHARED = (
    Term("global", lambda t: t.lambda_global, lambda seen, t: global_reconstruction(seen.picture, seen.target), unpaired=False),
    _adversarial(lambda t: t.lambda_gd),  # Eqs. 4 and 6
    _feature_matching(lambda t: t.lambda_gd * t.lambda_fm, unpaired=False),  # Eqs. 5 and 6
    Term(
        "parsing", lambda t: t.lambda_gp, lambda seen, t: parsing(seen.parser(seen.judged), seen.judged_labels, t.parsing_balance)
    ),
    _perceptual(unpaired=False),
    Term(
        "colour",
        lambda t: t.lambda_colour,
        lambda seen, t: component_colours(seen.picture, seen.parts, seen.source, seen.source_parts),
        paired=False,
    ),
)
"""Eq. 9 without Eq. 1; global reconstruction and feature matching are off on unpaired data (Section 3.3)."""

OBJECTIVES: dict[str, tuple[Term, ...]] = {
    "full": (_LOCAL, *_SHARED),
    "local": (_LOCAL, *_SHARED),
    "global": _SHARED,
    # The weights of its paper, and as much of the perceptual loss that its code has as the framework gets.
    "pix2pixhd": (_adversarial(lambda t: 1.0), _feature_matching(lambda t: 10.0, unpaired=True), _perceptual(unpaired=True)),
    # The weights of its paper: cVAE-GAN on paired steps, cLR-GAN on unpaired ones.
    "bicyclegan": (
        _adversarial(lambda t: 1.0),
        Term("l1", lambda t: 10.0, lambda seen, t: l1_reconstruction(seen.picture, seen.target), unpaired=False),
        Term("kl", lambda t: 0.01, unpaired=False),
        Term("latent", lambda t: 0.5, paired=False),
    ),
}
"""Terms by variant."""


def terms_of(variant: str, training: TrainingConfig, *, paired: bool) -> dict[str, tuple[Term, float]]:
    """The terms that count on a step, with their weights, which are above 0."""
    chosen = (term for term in OBJECTIVES[variant] if (term.paired if paired else term.unpaired))
    return {term.name: (term, term.weight(training)) for term in chosen if term.weight(training) > 0}
