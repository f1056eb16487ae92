"""How fast a GAN step is: beside the public code's way of computing it, and beside what this machine can do at all."""

from __future__ import annotations

import copy
import dataclasses
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.profiler import ProfilerActivity, profile
from torch.utils.flop_counter import FlopCounterMode

from faceaug.compute.device import Compute, Precision, peak_memory
from faceaug.config import to_dict
from faceaug.files import write_json
from faceaug.gan.batches import Batch, Batches
from faceaug.gan.components import anatomy, cut_parts, one_hot
from faceaug.gan.config import GeneratorConfig, TrainingConfig
from faceaug.gan.generator import Framework
from faceaug.gan.losses import (
    adversarial,
    discriminator_loss,
    feature_matching,
    global_reconstruction,
    local_reconstruction,
    parsing,
)
from faceaug.gan.network import Look
from faceaug.gan.step import Networks, Optimisers, gan_step
from faceaug.prepare.faces import LabelledFaces
from faceaug.progress import say

_CONVOLUTIONS = ((64, 1), (128, 2), (256, 4), (256, 8))
"""Channels and divisor of the face's side of the 3x3 convolutions whose best is the ceiling."""


@dataclass(frozen=True)
class Lengths:
    """How much is timed.

    Attributes:
        steps: of the default way, timed in groups of two (a paired and an unpaired one).
        official: of the public code's way.
        warmup: groups that are not counted.
        compiled: whether the default way is timed with ``torch.compile`` too; compiling takes minutes.
    """

    steps: int = 20
    official: int = 4
    warmup: int = 2
    compiled: bool = False


def train_throughput(
    out: Path | None,
    faces: LabelledFaces,
    parser: nn.Module,
    generator: GeneratorConfig,
    training: TrainingConfig,
    compute: Compute,
    lengths: Lengths,
    *,
    record: dict[str, Any],
) -> dict[str, Any]:
    """Measure, all in one process.

    Both ways see the same photos and the same networks. The default way's images/s count a photo once: it is used paired in one
    step and unpaired in another. The public code computes both branches of each photo at once, so ``ratio`` compares photos and
    ``ratio_per_branch`` what is computed for them.

    Args:
        out: file for the result as JSON, or None.
        faces: labelled faces of ``generator.size``, at least a batch.
        parser: P_F, fresh or trained: its weights do not matter here.
        generator: the networks' shape.
        training: batch and loss weights.
        compute: device and precision of the default way.
        lengths: how much is timed.
        record: what else to keep.

    Returns:
        ``images_per_second``, ``official_images_per_second``, ``ratio``, ``ratio_per_branch``, ``gflop_per_image``,
        ``ceiling_gflops`` by precision, ``achieved_gflops``, ``fraction_of_ceiling`` (of the higher one), ``batch_ms`` (to make a
        batch), ``peak_memory_mib``, ``profile``; with ``lengths.compiled`` also ``compiled_images_per_second`` and
        ``compiling_seconds``, or ``compiling_failed``: why not.
    """
    torch.manual_seed(0)
    batches = Batches(faces, batch=training.batch, seed=0, flip=training.flip)
    say("measuring the ceiling")
    ceilings = {
        precision: convolution_ceiling(compute.device, precision, generator.size, backward=True) for precision in ("bf16", "fp32")
    }
    say("measuring the default way")
    ours = _default(_DefaultWay(batches, parser, generator, training, compute), lengths)
    say("measuring the public code's way")
    official = _official(batches, parser, generator, training, compute, lengths)
    compiled: dict[str, Any] = {}
    if lengths.compiled:
        say("measuring the default way, compiled")
        try:
            compiled = _compiled(_DefaultWay(batches, parser, generator, training, compute), lengths)
        except Exception as error:  # without a compiler, among others; what was measured before is kept
            compiled = {"compiling_failed": (str(error).splitlines() or [type(error).__name__])[0][:160]}
    achieved = ours["gflop_per_image"] * ours["images_per_second"]
    result = {
        **record,
        "device": str(compute),
        "torch": torch.__version__,
        "generator": to_dict(generator),
        "batch": training.batch,
        **ours,
        **compiled,
        "official_images_per_second": official,
        "ratio": round(ours["images_per_second"] / official, 2),
        "ratio_per_branch": round(ours["images_per_second"] / official / 2, 2),
        "ceiling_gflops": ceilings,
        "achieved_gflops": round(achieved, 1),
        "fraction_of_ceiling": round(achieved / max(ceilings.values()), 3),
    }
    if out is not None:
        write_json(out, result)
    return result


def _seconds(work: Callable[[], Any], device: torch.device) -> float:
    began = time.perf_counter()
    work()
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter() - began


def convolution_ceiling(device: torch.device, precision: Precision, size: int, *, backward: bool) -> float:
    """Best GFLOP/s of a 3x3 convolution, channels_last, at the sizes that the networks have for faces of ``size`` px.

    Args:
        device: where.
        precision: of layer and photo.
        size: side of a face in pixels.
        backward: forward and backward, as in training, or forward alone.
    """
    dtype = torch.bfloat16 if precision == "bf16" else torch.float32
    best = 0.0
    for channels, divisor in _CONVOLUTIONS:
        side = max(size // divisor, 4)
        layer = nn.Conv2d(channels, channels, 3, padding=1, device=device, dtype=dtype).to(memory_format=torch.channels_last)
        layer.requires_grad_(backward)
        photo = torch.randn(8, channels, side, side, device=device, dtype=dtype).to(memory_format=torch.channels_last)
        photo.requires_grad_(backward)
        gradient = torch.randn_like(photo)

        def convolve(layer: nn.Module = layer, photo: Tensor = photo, gradient: Tensor = gradient) -> None:
            found = layer(photo)
            if backward:
                found.backward(gradient)

        times = [_seconds(convolve, device) for _ in range(8)]
        flops = (3 if backward else 1) * 2 * 8 * channels * channels * 9 * side * side
        best = max(best, flops / min(times) / 1e9)
    return round(best, 1)


class _DefaultWay:
    """Pairs of steps of the default way, a paired and an unpaired one, on fresh networks."""

    def __init__(
        self, batches: Batches, parser: nn.Module, generator: GeneratorConfig, training: TrainingConfig, compute: Compute
    ) -> None:
        self.networks = Networks.build(generator, training, parser, compute)
        self._optimisers = Optimisers.build(self.networks, training)
        self._batches, self.training, self.compute = batches, training, compute
        self.waits: list[float] = []  # seconds that making each batch took

    def pair(self, number: int) -> None:
        for step in (2 * number, 2 * number + 1):
            began = time.perf_counter()
            batch = self._batches.get(step, paired=step % 2 == 0)
            self.waits.append(time.perf_counter() - began)
            gan_step(self.networks, self._optimisers, batch, self.training, self.compute, paired=step % 2 == 0)

    def images_per_second(self, steps: int) -> float:
        self.waits.clear()
        times = [_seconds(lambda n=number: self.pair(n), self.compute.device) for number in range(max(steps // 2, 1))]  # type: ignore[misc]
        return round(2 * self.training.batch / statistics.median(times), 2)


def _default(way: _DefaultWay, lengths: Lengths) -> dict[str, Any]:
    training, device = way.training, way.compute.device
    with FlopCounterMode(display=False) as counter:
        way.pair(0)
    flops = counter.get_total_flops() / (2 * training.batch) / 1e9
    for number in range(lengths.warmup):
        way.pair(number)
    speed = way.images_per_second(lengths.steps)
    batch_ms = 1000 * statistics.median(way.waits)
    activities = [ProfilerActivity.CPU] + ([ProfilerActivity.CUDA] if device.type == "cuda" else [])
    with profile(activities=activities) as profiler:
        way.pair(0)
    return {
        "images_per_second": speed,
        "gflop_per_image": round(flops, 3),
        "batch_ms": round(batch_ms, 3),
        "peak_memory_mib": peak_memory(device),
        "profile": _profile_rows(profiler, device),
    }


def _compiled(way: _DefaultWay, lengths: Lengths) -> dict[str, Any]:
    """Images/s of the default way when all parts of the networks are compiled, and how long that takes."""
    networks = way.networks
    framework = networks.generator
    assert isinstance(framework, Framework)  # other variants are not measured here
    encoders = [part for network in framework.embedding.autoencoders for part in (network.encoder, network.image_decoder)]
    for module in (
        *encoders,
        *framework.feature_decoders,
        framework.mask_guided,
        framework.fusing,
        networks.paired,
        networks.unpaired,
        networks.parser,
    ):
        module.compile(dynamic=False)
    device = way.compute.device
    taken = _seconds(lambda: way.pair(0), device) + _seconds(lambda: way.pair(1), device)
    return {"compiled_images_per_second": way.images_per_second(lengths.steps), "compiling_seconds": round(taken, 1)}


def _profile_rows(profiler: profile, device: torch.device) -> list[dict[str, Any]]:
    """Share of the time of each kind of operator, largest first."""
    key = "self_device_time_total" if device.type == "cuda" else "self_cpu_time_total"
    rows = [(event.key, float(getattr(event, key)), event.count) for event in profiler.key_averages()]
    total = sum(spent for _, spent, _ in rows) or 1.0
    rows.sort(key=lambda row: -row[1])
    return [{"operator": name, "share": round(spent / total, 4), "calls": count} for name, spent, count in rows[:14]]


def _official(
    batches: Batches,
    parser: nn.Module,
    generator: GeneratorConfig,
    training: TrainingConfig,
    compute: Compute,
    lengths: Lengths,
) -> float:
    """Images/s of the same networks as the public code computes them.

    float32, contiguous, no fused optimiser; both branches of every batch; the reconstruction's terms computed on both, whatever
    they weigh; each discriminator run anew for its own loss; the parser's weights not frozen. Its perceptual loss, on VGG, is
    left out, which favours it: the default way pays for its own, and for the sources' pixels.
    """
    plain = Compute(compute.device, "fp32")
    generator = dataclasses.replace(generator, texture=False)
    training = dataclasses.replace(training, lambda_perceptual=0.0, discriminator="patch")
    networks = Networks.build(generator, training, parser, plain)
    framework = networks.generator
    assert isinstance(framework, Framework)  # other variants have no public code
    networks.parser = copy.deepcopy(parser).to(compute.device).eval().requires_grad_()
    for module in (framework, networks.paired, networks.unpaired, networks.parser):
        module.to(memory_format=torch.contiguous_format)
    optimisers = [
        torch.optim.Adam(module.parameters(), lr=2e-4, betas=(0.5, 0.999), foreach=False)
        for module in (framework, networks.paired, networks.unpaired)
    ]

    def step(number: int) -> None:
        batch = batches.get(number, paired=False)
        _official_step(networks, framework, optimisers, batch, compute.device)

    for number in range(max(lengths.warmup // 2, 1)):
        step(number)
    times = [_seconds(lambda n=number: step(n), compute.device) for number in range(lengths.official)]  # type: ignore[misc]
    return round(batches.batch / statistics.median(times), 3)


def _official_step(
    networks: Networks,
    framework: Framework,
    optimisers: list[torch.optim.Adam],
    batch: Batch,
    device: torch.device,
) -> None:
    target, labels = batch.images.to(device).contiguous(), batch.labels.to(device)
    scheme = framework.config.scheme
    condition = one_hot(labels, len(scheme)).contiguous()
    parts = cut_parts(target, anatomy(labels, scheme))
    codes = framework.embedding.encode(parts)
    loss = 10.0 * local_reconstruction(parts, framework.embedding.reconstruct(codes))
    results: list[Tensor] = []
    for used, discriminator in ((codes, networks.paired), (codes.roll(1, 0), networks.unpaired)):
        result = framework.generate(Look(used), target, labels)
        results.append(result)
        real, fake = discriminator(target, condition), discriminator(result, condition)
        loss = loss + adversarial(fake) + 10.0 * feature_matching(real, fake) + global_reconstruction(result, target)
    loss = loss + parsing(networks.parser(results[1]), labels)
    optimisers[0].zero_grad()
    torch.autograd.backward([loss])
    optimisers[0].step()
    for result, discriminator, optimiser in zip(results, (networks.paired, networks.unpaired), optimisers[1:], strict=True):
        real, fake = discriminator(target, condition), discriminator(result.detach(), condition)
        optimiser.zero_grad()
        torch.autograd.backward([0.5 * discriminator_loss(real, fake)])
        optimiser.step()
