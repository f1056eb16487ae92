"""One training step: the generator's and the discriminator's gradients from shared passes (Eq. 9, Section 3.3)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from faceaug.compute.device import Compute
from faceaug.gan.batches import Batch
from faceaug.gan.components import anatomy, enlarge, one_hot
from faceaug.gan.config import GeneratorConfig, TrainingConfig
from faceaug.gan.discriminator import PatchDiscriminator, ProjectedDiscriminator
from faceaug.gan.features import ImageNetFeatures
from faceaug.gan.losses import discriminator_loss
from faceaug.gan.network import GeneratorNetwork
from faceaug.gan.objective import Seen, terms_of
from faceaug.gan.shift import draw_shift
from faceaug.gan.variants import build_generator
from faceaug.parser.network import fold_batch_norm


@dataclass
class Networks:
    """All that is trained, and what is frozen.

    Paired reconstructions and unpaired transfers have a discriminator each, as in the official code, or share one.
    """

    generator: GeneratorNetwork
    paired: nn.Module
    unpaired: nn.Module
    parser: nn.Module
    features: nn.Module | None

    @classmethod
    def build(cls, config: GeneratorConfig, training: TrainingConfig, parser: nn.Module, compute: Compute) -> Networks:
        """Fresh networks on the device; the parser is copied in eval mode and frozen.

        Args:
            config: sizes and widths.
            training: how many discriminators, and which losses.
            parser: ``(N, 3, S, S)`` in [-1, 1] to logits ``(N, K, S, S)``.
            compute: device and precision.
        """
        network = compute.module(build_generator(config))
        projected = training.discriminator == "projected"
        features = ImageNetFeatures() if projected or training.lambda_perceptual > 0 else None

        def discriminator() -> nn.Module:
            if features is None or not projected:
                return compute.module(PatchDiscriminator(config.width, classes=len(config.scheme)))
            return compute.module(ProjectedDiscriminator(features.channels, classes=len(config.scheme)))

        paired = discriminator()
        unpaired = paired if training.one_discriminator else discriminator()
        features = compute.module(features) if features is not None else None
        return cls(network, paired, unpaired, compute.module(fold_batch_norm(parser)), features)


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

        paired = adam(networks.paired)
        unpaired = paired if networks.unpaired is networks.paired else adam(networks.unpaired)
        return cls(adam(networks.generator), paired, unpaired)

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
    accumulate: int = 1,
) -> dict[str, Tensor]:
    """Update the framework and one discriminator on one batch.

    Args:
        networks: updated in place.
        optimisers: likewise.
        batch: on the CPU.
        config: the loss weights.
        compute: device and precision.
        paired: whether the sources are the targets; else global reconstruction and feature matching are off (Section 3.3).
        accumulate: the batch is computed in so many equal parts, one after the other; saves memory, changes only rounding.

    Returns:
        The terms by name, detached scalars on the device.
    """
    discriminator = optimisers.paired if paired else optimisers.unpaired
    optimisers.generator.zero_grad(set_to_none=True)
    discriminator.zero_grad(set_to_none=True)
    parts = [
        gan_gradients(networks, rows, config, compute, paired=paired)
        for rows in (batch.split(accumulate) if accumulate > 1 else [batch])
    ]
    trained = [networks.generator, networks.paired if paired else networks.unpaired]
    if accumulate > 1:
        gradients = [weight.grad for module in trained for weight in module.parameters() if weight.grad is not None]
        torch._foreach_div_(gradients, accumulate)
    compute.world.mean_gradients(trained)
    optimisers.generator.step()
    discriminator.step()
    return {name: torch.stack([terms[name] for terms in parts]).mean() for name in parts[0]}


def gan_gradients(
    networks: Networks,
    batch: Batch,
    config: TrainingConfig,
    compute: Compute,
    *,
    paired: bool,
) -> dict[str, Tensor]:
    """Add one batch's gradients to the weights of the framework and of the discriminator in turn.

    Both come from the same forward passes: D judges the generated faces once; its gradient with respect to the picture goes to G,
    the one with respect to its weights to D. Arguments and result as :func:`gan_step`.
    """
    target, labels = compute.image(batch.images), batch.labels.to(compute.device)
    scheme, factor = networks.generator.config.scheme, networks.generator.config.enlarge
    parts = anatomy(labels, scheme)
    source, source_parts = target, parts
    if not paired:
        source, source_parts = compute.image(batch.source_images), anatomy(batch.source_labels.to(compute.device), scheme)
    condition = one_hot(enlarge(labels, parts, factor), len(scheme))
    generator, discriminator = networks.generator, networks.paired if paired else networks.unpaired
    terms = terms_of(generator.config.variant, config, paired=paired)

    with compute.autocast():
        look, own = generator.embed(
            source,
            source_parts,
            anatomy(batch.guides.to(compute.device), scheme),
            batch.noise.to(compute.device),
            paired=paired,
        )
        result = generator.generate(look, target, labels)

    # The losses on the picture are differentiated down to the picture first, then once through G.
    picture = result.detach().float().requires_grad_()
    judged_real, judged_fake, judged_labels = target, picture, labels
    if config.shifted:
        move = draw_shift(batch.shifts.to(compute.device), target.shape[-1])
        judged_real, judged_fake, condition = move(target), move(picture), move(condition)
        judged_labels = move(labels[:, None])[:, 0]
    projected = config.discriminator == "projected"
    with compute.autocast():
        features_real: list[Tensor] = []
        features_fake: list[Tensor] = []
        if networks.features is not None and (projected or "perceptual" in terms):
            with torch.no_grad():
                features_real = networks.features(judged_real)
            features_fake = networks.features(judged_fake)
        pair: tuple[Any, Any] = (features_real, features_fake) if projected else (judged_real, judged_fake)
        real, fake = (discriminator(one, condition) for one in pair)
        seen = Seen(
            picture, target, parts, source, source_parts, real, fake, features_real, features_fake, judged_fake, judged_labels,
            networks.parser,
        )  # fmt: skip
        judged = {name: term.function(seen, config) for name, (term, _) in terms.items() if term.function is not None}
        judged |= generator.read_back(picture, labels, look.codes, paired=paired)
        d_loss = discriminator_loss(real, fake)
    on_picture = torch.stack([terms[name][1] * value for name, value in judged.items() if name in terms]).sum()
    torch.autograd.backward([on_picture], inputs=[picture], retain_graph=True)
    assert picture.grad is not None  # a leaf that was just differentiated to

    torch.autograd.backward([d_loss], inputs=list(discriminator.parameters()))
    own = {name: value for name, value in own.items() if name in terms}
    weighted = [terms[name][1] * value for name, value in own.items()]
    torch.autograd.backward([result, *weighted], [picture.grad.to(result.dtype), *map(torch.ones_like, weighted)])
    return {name: value.detach() for name, value in {**own, **judged, "discriminator": d_loss}.items()}
