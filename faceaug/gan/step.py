"""One training step: the generator's and the discriminator's gradients from shared passes (Eq. 9, Section 3.3)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from faceaug.gan.batches import Batch
from faceaug.gan.components import one_hot
from faceaug.gan.config import GeneratorConfig, TrainingConfig
from faceaug.gan.discriminator import Discriminator
from faceaug.gan.losses import (
    adversarial,
    discriminator_loss,
    feature_matching,
    global_reconstruction,
    l1_reconstruction,
    parsing,
)
from faceaug.gan.painter import Painter
from faceaug.gan.variants import build_painter
from faceaug.training.device import Compute


@dataclass
class Networks:
    """All that is trained, and the frozen parser.

    As in the official code, paired reconstructions and unpaired transfers have a discriminator each.
    """

    generator: Painter
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
            compute.module(build_painter(config)),
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
    weights = {name: weight for name, weight in generator.weights(config, paired=paired).items() if weight > 0}
    rng = torch.Generator().manual_seed(batch.seed)

    with compute.autocast():
        # Photos are encoded once; a row's source is then just another row's codes.
        codes, own = generator.embed(target, labels, rng)
        used = codes if paired else generator.exchange(codes, order, rng)
        result = generator.paint(used, target, labels)

    # The losses on the picture are differentiated down to the picture first, then once through G.
    picture = result.detach().float().requires_grad_()
    with compute.autocast():
        real = discriminator(target, condition)
        fake = discriminator(picture, condition)
        judged = {"adversarial": adversarial(fake), **generator.read_back(picture, labels, used, paired=paired)}
        if "feature_matching" in weights:
            judged["feature_matching"] = feature_matching(real, fake)
        if "parsing" in weights:
            judged["parsing"] = parsing(networks.parser(picture), labels)
        if "global" in weights:
            judged["global"] = global_reconstruction(picture, target)
        if "l1" in weights:
            judged["l1"] = l1_reconstruction(picture, target)
        d_loss = discriminator_loss(real, fake)
    on_picture = torch.stack([weights[name] * term for name, term in judged.items() if name in weights]).sum()
    torch.autograd.backward([on_picture], inputs=[picture], retain_graph=True)
    assert picture.grad is not None  # a leaf that was just differentiated to

    torch.autograd.backward([d_loss], inputs=list(discriminator.parameters()))
    own = {name: term for name, term in own.items() if name in weights}
    weighted = [weights[name] * term for name, term in own.items()]
    torch.autograd.backward([result, *weighted], [picture.grad.to(result.dtype), *map(torch.ones_like, weighted)])
    return {name: term.detach() for name, term in {**own, **judged, "discriminator": d_loss}.items()}
