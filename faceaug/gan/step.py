"""One training step: the generator's and the discriminator's gradients from shared passes (Eq. 9, Section 3.3)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from faceaug.gan.batches import Batch
from faceaug.gan.components import cut_parts, one_hot
from faceaug.gan.config import GeneratorConfig, TrainingConfig
from faceaug.gan.discriminator import Discriminator
from faceaug.gan.generator import Framework
from faceaug.gan.losses import (
    adversarial,
    discriminator_loss,
    feature_matching,
    global_reconstruction,
    local_reconstruction,
    parsing,
)
from faceaug.training.device import Compute


@dataclass
class Networks:
    """All that is trained, and the frozen parser.

    As in the official code, paired reconstructions and unpaired transfers have a discriminator each.
    """

    generator: Framework
    paired: Discriminator
    unpaired: Discriminator
    parser: nn.Module

    @classmethod
    def build(cls, config: GeneratorConfig, parser: nn.Module, compute: Compute) -> Networks:
        """Fresh networks on the device; the parser is put in eval mode and frozen.

        Args:
            config: sizes and widths.
            parser: ``(N, 3, S, S)`` in [-1, 1] to logits ``(N, 11, S, S)``.
            compute: device and precision.
        """
        return cls(
            compute.module(Framework(config)),
            compute.module(Discriminator(config.width)),
            compute.module(Discriminator(config.width)),
            compute.module(parser).eval().requires_grad_(False),
        )


@dataclass
class Optimisers:
    """Adam for the framework and for each discriminator."""

    generator: torch.optim.Adam
    paired: torch.optim.Adam
    unpaired: torch.optim.Adam

    @classmethod
    def build(cls, networks: Networks, config: TrainingConfig) -> Optimisers:
        """Optimisers with the configuration's rates and moments."""

        def adam(module: nn.Module) -> torch.optim.Adam:
            return torch.optim.Adam(module.parameters(), lr=config.learning_rate, betas=config.betas, fused=True)

        return cls(adam(networks.generator), adam(networks.paired), adam(networks.unpaired))

    def set_rate(self, rate: float, config: TrainingConfig) -> None:
        """Set G's learning rate, and the discriminators' along with it."""
        for optimiser in (self.generator, self.paired, self.unpaired):
            for group in optimiser.param_groups:
                group["lr"] = rate if optimiser is self.generator else rate * config.discriminator_ratio


def gan_step(
    networks: Networks,
    optimisers: Optimisers,
    batch: Batch,
    config: TrainingConfig,
    compute: Compute,
    *,
    paired: bool,
) -> dict[str, Tensor]:
    """Update the framework and one discriminator on one batch.

    Args:
        networks: updated in place.
        optimisers: likewise.
        batch: on the CPU; ``batch.source`` says whose look each row takes.
        config: the loss weights.
        compute: device and precision.
        paired: whether the sources are the targets; else global reconstruction and feature matching are off (Section 3.3).

    Returns:
        The terms by name, detached scalars on the device.
    """
    discriminator = optimisers.paired if paired else optimisers.unpaired
    optimisers.generator.zero_grad(set_to_none=True)
    discriminator.zero_grad(set_to_none=True)
    terms = gan_gradients(networks, batch, config, compute, paired=paired)
    optimisers.generator.step()
    discriminator.step()
    return terms


def gan_gradients(
    networks: Networks, batch: Batch, config: TrainingConfig, compute: Compute, *, paired: bool
) -> dict[str, Tensor]:
    """Add one batch's gradients to the weights of the framework and of the discriminator in turn.

    Both come from the same forward passes: D judges the painted faces once; its gradient with respect to the picture goes to G,
    the one with respect to its weights to D. Arguments and result as :func:`gan_step`.
    """
    target, labels = compute.image(batch.images), batch.labels.to(compute.device)
    order = batch.source.to(compute.device)
    condition = one_hot(labels)
    generator, discriminator = networks.generator, networks.paired if paired else networks.unpaired
    terms: dict[str, Tensor] = {}

    with compute.autocast():
        # Parts are cut and encoded per photo; a row's source is then just another row's codes.
        parts = cut_parts(target, labels)
        codes = generator.embedding.encode(parts)
        terms["local"] = local_reconstruction(parts, generator.embedding.reconstruct(codes))
        result = generator.paint(codes if paired else codes[order], target, labels)

    # The losses on the picture are differentiated down to the picture first, then once through G.
    picture = result.detach().float().requires_grad_()
    with compute.autocast():
        real = discriminator(target, condition)
        fake = discriminator(picture, condition)
        terms["adversarial"] = adversarial(fake)
        terms["discriminator"] = discriminator_loss(real, fake)
        judged = terms["adversarial"]
        if paired:
            terms["feature_matching"] = feature_matching(real, fake)
            judged = judged + config.lambda_fm * terms["feature_matching"]
        terms["parsing"] = parsing(networks.parser(picture), labels)
        on_picture = config.lambda_gd * judged + config.lambda_gp * terms["parsing"]
        if paired:
            terms["global"] = global_reconstruction(picture, target)
            on_picture = on_picture + config.lambda_global * terms["global"]
    torch.autograd.backward([on_picture], inputs=[picture], retain_graph=True)
    assert picture.grad is not None  # a leaf that was just differentiated to

    torch.autograd.backward([terms["discriminator"]], inputs=list(discriminator.parameters()))
    weighted_local = config.lambda_local * terms["local"]
    torch.autograd.backward([result, weighted_local], [picture.grad.to(result.dtype), torch.ones_like(weighted_local)])
    return {name: term.detach() for name, term in terms.items()}
