"""What a configuration builds, without building it: shapes, parameters and FLOPs of every part, beside the official code's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from faceaug.compute.device import Compute
from faceaug.gan.batches import NOISE, Batch
from faceaug.gan.blocks import count_parameters
from faceaug.gan.components import COMPONENTS
from faceaug.gan.config import GeneratorConfig, TrainingConfig
from faceaug.gan.discriminator import ProjectedDiscriminator
from faceaug.gan.generator import TEXTURE_CHANNELS, Framework
from faceaug.gan.network import GeneratorNetwork
from faceaug.gan.shift import NUMBERS
from faceaug.gan.step import Networks, gan_gradients

META = Compute(torch.device("meta"), "fp32")


@dataclass
class Row:
    """One part: its name, input and output shapes of one image, parameters, forward FLOPs of one image."""

    name: str
    inputs: str
    outputs: str
    parameters: int
    flops: int


def describe(generator: GeneratorConfig, training: TrainingConfig, parser: nn.Module) -> str:
    """The table that ``train-gan --dry-run`` prints.

    Args:
        generator: the networks' shape.
        training: for the batch size.
        parser: P_F, any device; only its structure is used.

    Returns:
        Several lines of text.
    """
    networks = Networks.build(generator, training, parser.to("meta"), META)
    rows = _part_rows(networks)
    lines = [f"{'part':32}{'one image in':>18}{'out':>16}{'parameters':>14}{'forward MFLOP':>16}"]
    for row in rows:
        lines.append(f"{row.name:32}{row.inputs:>18}{row.outputs:>16}{row.parameters:>14,}{row.flops / 1e6:>16,.1f}")
    kinds = (True, True) if networks.generator.paired_only else (True, False)
    paired, unpaired = (_step_flops(networks, training, paired=paired) / training.batch / 1e9 for paired in kinds)
    lines += [
        "",
        f"a training step, forward and backward: {paired:,.1f} GFLOP an image when paired, {unpaired:,.1f} when unpaired "
        f"(batch {training.batch})",
    ]
    if isinstance(networks.generator, Framework):
        lines += _comparison(networks, networks.generator, (paired + unpaired) / 2)
    return "\n".join(lines)


def _shape(value: Any) -> str:
    if isinstance(value, torch.Tensor):
        return "x".join(str(side) for side in value.shape[1:])
    first = value[0]
    return _shape(first) if isinstance(first, torch.Tensor) else _shape(first.logits)


def _measure(name: str, module: nn.Module, *inputs: Any) -> Row:
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        outputs = module(*inputs)
    return Row(name, _shape(inputs[0]), _shape(outputs), count_parameters(module), counter.get_total_flops())


def _zeros(*shape: int) -> torch.Tensor:
    return torch.zeros(1, *shape, device="meta")


def _part_rows(networks: Networks) -> list[Row]:
    size = networks.generator.config.size
    network = networks.generator
    rows = _framework_rows(network) if isinstance(network, Framework) else _variant_rows(network)
    return [
        *rows,
        *_judge_rows(networks, size),
        _measure("P_F (frozen)", networks.parser, _zeros(3, size, size)),
        *([_measure("ImageNet features (frozen)", networks.features, _zeros(3, size, size))] if networks.features else []),
    ]


def _judge_rows(networks: Networks, size: int) -> list[Row]:
    mask = _zeros(len(networks.generator.config.scheme), size, size)
    rows = []
    for name, judge in (("paired", networks.paired), ("unpaired", networks.unpaired)):
        if isinstance(judge, ProjectedDiscriminator) and networks.features is not None:
            seen = networks.features(_zeros(3, size, size))
            rows.append(_measure(f"D {name} (4 depths)", judge, seen, mask))
        else:
            rows.append(_measure(f"D {name} (2 scales)", judge, _zeros(3, size, size), mask))
    return rows


def _framework_rows(framework: Framework) -> list[Row]:
    config = framework.config
    size, width, features = config.size, config.width, 4 * config.width
    cells = size // 4
    rows = []
    for component, network, features_of in zip(
        COMPONENTS, framework.embedding.autoencoders, framework.feature_decoders, strict=True
    ):
        crop = component.crop(size)
        rows.append(_measure(f"E_local  {component.name}", network.encoder, _zeros(3, *crop)))
        rows.append(_measure(f"G_local  {component.name}", network.image_decoder, _zeros(config.code)))
        rows.append(_measure(f"features {component.name}", features_of, _zeros(config.code)))
    guided, fusing = framework.mask_guided, framework.fusing
    rows += [
        _measure(
            "E_m", guided.mask_encoder, _zeros(len(config.scheme) + (TEXTURE_CHANNELS if config.texture else 0), size, size)
        ),
        _measure("G_m  fuse 1x1", guided.fuse, _zeros(features * 6, cells, cells)),
        _measure(f"G_m  {config.blocks} residual blocks", guided.blocks, _zeros(features, cells, cells)),
        _measure(
            "G_m  up",
            guided.up,
            _zeros(features, cells, cells),
            _zeros(2 * width, 2 * cells, 2 * cells),
            _zeros(width, size, size),
        ),
        _measure("E_b", fusing.encoder, _zeros(4, size, size)),
        _measure("G_b", fusing.generator, _zeros(2 * width, size, size)),
    ]
    return rows


def _variant_rows(network: GeneratorNetwork) -> list[Row]:
    """The whole of another system, from source and target to the face."""
    size = network.config.size
    photo, labels = _zeros(3, size, size), torch.zeros(1, size, size, dtype=torch.uint8, device="meta")
    row = _measure(network.config.variant, network, photo, labels, photo, labels)
    parts = [Row(f"  {name}", "", "", count_parameters(part), 0) for name, part in network.named_children()]
    return [row, *parts]


def _step_flops(networks: Networks, training: TrainingConfig, *, paired: bool) -> int:
    size = networks.generator.config.size
    count = training.batch
    photos = torch.zeros(count, 3, size, size, device="meta")
    labels = torch.zeros(count, size, size, dtype=torch.uint8, device="meta")
    noise, shifts = (torch.zeros(count, numbers, device="meta") for numbers in (NOISE, NUMBERS))
    batch = Batch(photos, labels, photos, labels, labels, noise, shifts)
    with FlopCounterMode(display=False) as counter:
        gan_gradients(networks, batch, training, META, paired=paired)
    return int(counter.get_total_flops())


def _comparison(networks: Networks, framework: Framework, step: float) -> list[str]:
    """Beside the sizes of the public code at 256 px, with the reason of each difference."""
    guided, fusing = framework.mask_guided, framework.fusing
    skin = framework.embedding.autoencoders[3]
    millions = [
        count_parameters(part) / 1e6
        for part in (
            nn.ModuleList([guided, fusing]),
            networks.paired,
            skin.encoder,
            framework.feature_decoders[3],
            networks.parser,
        )
    ]
    rows = [
        ("E_m + G_m + E_b + G_b", millions[0], "12.11 M", "E_m also takes the source's pixels, its features are joined again on "
         "the way up, and G_b blends; G_b begins with a 3x3 convolution and a nonlinearity where the "
         "public code has a linear 1x1; E_b has a fourth input channel that says where background is; maps are doubled before "
         "3x3 convolutions instead of by transposed 4x4 ones"),
        ("one D; there are two", millions[1], "5.56 M", "heads on frozen ImageNet features instead of patches of pixels "
         "(--recipe official: the same layers)"),
        ("E_local of skin (or hair)", millions[2], "20.59 M", "the same layers but for a second head (2.62 M) that gives "
         "log-variances: its loss has weight 0 there, and the paper has plain auto-encoders"),
        ("feature decoder of skin (or hair)", millions[3], "7.35 M", "begins with 256 channels instead of 512, from a code of "
         "512 numbers; doubled likewise"),
        ("P_F", millions[4], "29.26 M", "segmentation_models_pytorch's U-Net on a small ImageNet encoder in place of a pix2pix "
         "U-Net that ends in tanh"),
    ]  # fmt: skip
    lines = ["", f"{'':36}{f'here, {framework.config.size} px':>14}{'official, 256 px':>19}   why they differ"]
    lines += [f"{name:36}{f'{here:.2f} M':>14}{official:>19}   {why}" for name, here, official, why in rows]
    lines.append(
        f"{'a step, an image':36}{f'{step:,.1f} GFLOP':>14}{'about 990 GFLOP':>19}   one branch a step instead of both, "
        "discriminator passes shared; the official figure is without its VGG term"
    )
    return lines
