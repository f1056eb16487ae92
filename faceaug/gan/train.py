"""The training run: data, steps, samples, checkpoints."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import math
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from faceaug.compute.device import Compute, peak_memory
from faceaug.config import check, to_dict
from faceaug.errors import ConfigError, TrainingFailed
from faceaug.gan.batches import Batches
from faceaug.gan.config import GeneratorConfig, TrainingConfig
from faceaug.gan.step import Networks, Optimisers, gan_step
from faceaug.images import write_png
from faceaug.labels import fill_ignored
from faceaug.pictures import grid
from faceaug.prepare.faces import LabelledFaces
from faceaug.prepare.likeness import CANDIDATES, shape_vectors
from faceaug.progress import Progress, say
from faceaug.runs.checkpoint import OFTEN, WEIGHTS, load_checkpoint, save_checkpoint, save_weights
from faceaug.runs.curves import draw_curves
from faceaug.runs.folder import alone, claim, finished
from faceaug.runs.interrupt import Held, held_back
from faceaug.runs.log import JsonLog, read_log
from faceaug.tensors import to_bytes, to_float
from faceaug.training.ahead import Ahead
from faceaug.training.ema import Ema

_COLUMNS = 10


@dataclass(frozen=True)
class Intervals:
    """How often a run writes what, in images; none of it changes the weights."""

    log: int = 400
    samples: int = 4_000
    checkpoint: int = 4_000

    def __post_init__(self) -> None:
        lowest = min(self.log, self.samples, self.checkpoint)
        check({f"--checkpoint-every {self.checkpoint}: must be positive": lowest < 1})


def fit_gan(
    run: Path,
    faces: LabelledFaces,
    parser: nn.Module,
    generator: GeneratorConfig,
    training: TrainingConfig,
    compute: Compute,
    *,
    record: dict[str, Any],
    intervals: Intervals | None = None,
    accumulate: int = 1,
) -> Path:
    """Train the framework, or go on where an earlier process stopped.

    Args:
        run: the run's folder; gets ``config.json``, ``log.jsonl``, ``samples/*.png``, ``checkpoint.pt`` and, at the end,
            ``curves.png`` and the averaged generator as ``weights.safetensors``.
        faces: labelled faces of ``generator.size``: sources and targets.
        parser: P_F, ``(N, 3, S, S)`` in [-1, 1] to logits ``(N, K, S, S)``; used frozen, in eval mode.
        generator: the networks' shape.
        training: how to train.
        compute: device and precision.
        record: what else to keep in ``config.json`` (data titles, the parser's file and hash); part of the run's identity, but
            for ``parser``: that file may be moved.
        intervals: how often to log, sample and save.
        accumulate: parts that a device computes its share of a batch in, see :func:`faceaug.gan.step.gan_step`.

    Returns:
        The weights file.

    Raises:
        CheckpointMismatch: the folder holds a run with other settings.
        ConfigError: the batch is larger than the data.
        TrainingFailed: a loss is no longer finite.
        OutputError: the folder cannot be written.
    """
    if faces.scheme != generator.scheme:
        raise ValueError(f"the generator is of {generator.scheme.name}, {faces.title} of {faces.scheme.name}")
    every = intervals or Intervals()
    config = {"generator": to_dict(generator), "training": to_dict(training), "data": faces.about(), **record}
    identity = {key: value for key, value in config.items() if key != "parser"}
    checkpoint = run / "checkpoint.pt"
    world = compute.world
    if training.batch % (world.size * accumulate):
        raise ConfigError(
            f"--batch {training.batch}: cannot be computed by {world.size} device(s) in {accumulate} part(s); make it a multiple "
            f"of {world.size * accumulate}"
        )
    if world.first:
        claim(run, config, movable=("parser",))
    if (done := finished(run, "gan")) is not None:
        say(f"train-gan: already finished: {done}")
        return done
    stored = load_checkpoint(checkpoint, config=identity)

    torch.manual_seed(training.seed)
    networks = Networks.build(generator, training, parser, compute)
    optimisers = Optimisers.build(networks, training)
    ema = Ema(networks.generator, half_life=training.ema_half_life)
    step = 0
    seconds = 0.0
    if stored is not None:
        _restore(stored, networks, optimisers, ema)
        step, seconds = int(stored["step"]), float(stored["seconds"])
        say(f"resuming at {step * training.batch:,} images from {checkpoint}")
    batches = Batches(
        faces,
        batch=training.batch,
        seed=training.seed,
        flip=training.flip,
        human=training.human,
        candidates=training.candidates,
        rank=world.rank,
        ranks=world.size,
    )
    preview = _Preview(faces, seed=training.seed)

    steps = math.ceil(training.images / training.batch)
    sums: dict[str, Tensor] = {}
    counts: dict[str, int] = {}

    def is_paired(number: int) -> bool:
        """(1 + 1): a paired step, an unpaired step (Section 3.3)."""
        return number % 2 == 0 or networks.generator.paired_only

    resumed, began, logged = seconds, time.monotonic(), (step, seconds)
    saved = began
    # Several processes get a signal at different steps, and would wait for each other: there it ends them at once.
    with (
        alone(run) if world.first else contextlib.nullcontext(),
        held_back() if world.size == 1 else contextlib.nullcontext(Held()) as signal,
        Progress("train-gan", training.images, start=step * training.batch) as progress,
        Ahead(lambda number: batches.get(number, paired=is_paired(number)), steps=steps) as ahead,
    ):
        # Only now, and not while another process trains here and writes to it.
        log = JsonLog(run / "log.jsonl", keep=lambda row: row["images"] <= step * training.batch) if world.first else None
        while step < steps:
            paired = is_paired(step)
            optimisers.set_rate(learning_rate(training, step / steps), training)
            terms = gan_step(
                networks,
                optimisers,
                ahead.get(step),
                dataclasses.replace(training, lambda_gp=parsing_weight(training, step / steps)),
                compute,
                paired=paired,
                accumulate=accumulate,
            )
            step += 1
            images = step * training.batch
            ema.update(networks.generator, batch=training.batch, images_seen=images)

            for name, term in terms.items():
                key = f"{name}/{'paired' if paired else 'unpaired'}"
                sums[key] = sums.get(key, 0.0) + term
                counts[key] = counts.get(key, 0) + 1
            last = step == steps
            overdue = world.size == 1 and time.monotonic() - saved > OFTEN
            saves = last or bool(signal.number) or overdue or _due(images, training.batch, every.checkpoint)
            if saves or _due(images, training.batch, every.log):
                means = world.mean({key: float(total) / counts[key] for key, total in sums.items()}, compute.device)
                _check_sane(means, images, run)
                seconds = resumed + time.monotonic() - began
                speed = {
                    "rate": round((step - logged[0]) * training.batch / max(seconds - logged[1], 1e-9), 2),
                    "wait_ms": round(1000 * ahead.waited / (step - logged[0]), 3),
                }
                if log is not None:
                    log.add(images=images, seconds=round(seconds, 2), **speed, **_rounded(means))
                sums, counts, logged, ahead.waited = {}, {}, (step, seconds), 0.0
                progress.update(min(images, training.images), _note(means))
            if world.first and (last or _due(images, training.batch, every.samples)):
                write_png(run / "samples" / f"{images:08d}.png", preview.draw(ema.module, compute))
            if saves and world.first:
                seconds = resumed + time.monotonic() - began
                save_checkpoint(checkpoint, _state(identity, step, seconds, networks, optimisers, ema))
                saved = time.monotonic()
            signal.release()
    weights = run / WEIGHTS
    if world.first:
        say(f"peak memory: {peak_memory(compute.device):,} MiB a process")
        draw_log(run)
        save_weights(weights, ema.module.state_dict(), kind="gan", config=config)
    world.wait()
    return weights


def learning_rate(training: TrainingConfig, progress: float) -> float:
    """Adam's rate at a share 0..1 of the run: constant, then linearly down to 0."""
    if progress <= training.decay_from:
        return training.learning_rate
    return training.learning_rate * (1.0 - progress) / (1.0 - training.decay_from)


def parsing_weight(training: TrainingConfig, progress: float) -> float:
    """Weight of Eq. 8 at a share 0..1 of the run: falling linearly to 0, or constant."""
    if training.parsing_until > 1:
        return training.lambda_gp
    return training.lambda_gp * max(1.0 - progress / training.parsing_until, 0.0)


def _due(images: int, batch: int, every: int) -> bool:
    """Whether the last step of ``batch`` images passed a multiple of ``every``."""
    return images // every > (images - batch) // every


_EXPLODED = 1e4
"""No term is anywhere near this while a run is well: pixels are within [-1, 1], and a logit of 100 is certainty."""


def _check_sane(means: dict[str, float], images: int, run: Path) -> None:
    """Every checkpoint is preceded by this check of the steps since the last one."""
    broken = [f"{name} is {value:.3g}" for name, value in means.items() if not abs(value) < _EXPLODED]
    if broken:
        raise TrainingFailed(
            f"{run}: {', '.join(broken)} after {images:,} images; the checkpoint before it is kept: the same command tries again "
            f"from there; if that fails too, start another --out with a lower --learning-rate or --precision fp32"
        )


def draw_log(run: Path) -> None:
    """``curves.png``: what G reconstructs, what D tells apart (chance level: 2 log 4), its parsing loss, and the speed."""
    rows = read_log(run / "log.jsonl")

    def series(key: str) -> tuple[list[float], list[float]]:
        known = [row for row in rows if key in row]
        return [row["images"] for row in known], [row[key] for row in known]

    panels = {
        "reconstruction": {"local": series("local/paired"), "global": series("global/paired")},
        "discriminator loss": {kind: series(f"discriminator/{kind}") for kind in ("paired", "unpaired")},
        "parsing loss": {kind: series(f"parsing/{kind}") for kind in ("paired", "unpaired")},
        "images/s": {"images/s": series("rate")},
        "waiting for a batch, ms a step": {"ms": series("wait_ms")},
    }
    draw_curves(run / "curves.png", panels, xlabel="images seen")


def _rounded(means: dict[str, float]) -> dict[str, Any]:
    return {name: round(value, 5) for name, value in means.items()}


def _note(means: dict[str, float]) -> str:
    shown = {"D": "discriminator/unpaired", "parse": "parsing/unpaired", "rec": "global/paired"}
    return "  ".join(f"{short} {means[name]:.3f}" for short, name in shown.items() if name in means)


def _state(
    config: dict[str, Any], step: int, seconds: float, networks: Networks, optimisers: Optimisers, ema: Ema
) -> dict[str, Any]:
    return {
        "config": json.loads(json.dumps(config)),
        "step": step,
        "seconds": seconds,
        "generator": networks.generator.state_dict(),
        "paired": networks.paired.state_dict(),
        "unpaired": networks.unpaired.state_dict(),
        "ema": ema.module.state_dict(),
        "optimisers": {name: optimiser.state_dict() for name, optimiser in vars(optimisers).items()},
    }


def _restore(stored: dict[str, Any], networks: Networks, optimisers: Optimisers, ema: Ema) -> None:
    for name in ("generator", "paired", "unpaired"):
        getattr(networks, name).load_state_dict(stored[name])
    for name, optimiser in vars(optimisers).items():
        optimiser.load_state_dict(stored["optimisers"][name])
    ema.module.load_state_dict(stored["ema"])


class _Preview:
    """The grid a run draws now and then: targets, their masks, and what three sources make of them."""

    def __init__(self, faces: LabelledFaces, *, seed: int) -> None:
        rng = np.random.default_rng([seed, 3])
        targets = np.resize(rng.permutation(len(faces)), _COLUMNS)  # very small sets are shown repeatedly
        alike = [_likest(faces, int(target), rng) for target in targets]
        chosen = np.concatenate([targets, *np.array(alike).T])
        self.images = np.split(np.array(faces.images[chosen]), 4)
        self.scheme = faces.scheme
        self.labels = np.split(fill_ignored(faces.labels[chosen]), 4)

    @torch.no_grad()
    def draw(self, generator: nn.Module, compute: Compute) -> np.ndarray[Any, np.dtype[np.uint8]]:
        target, target_labels = (
            compute.image(to_float(self.images[0])),
            torch.from_numpy(self.labels[0]).to(compute.device),
        )

        def generated(images: Any, labels: Any) -> list[Any]:
            with compute.autocast():
                anatomies = torch.from_numpy(self.scheme.anatomy(labels)).to(compute.device)
                result = generator(compute.image(to_float(images)), anatomies, target, target_labels)
            return list(to_bytes(result))

        rows = [
            ("target", list(self.images[0])),
            ("mask", list(self.scheme.colour(self.labels[0]))),
            ("reconstructed", generated(self.images[0], self.labels[0])),
        ]
        for letter, images, labels in zip("ABC", self.images[1:], self.labels[1:], strict=True):
            rows += [(f"source {letter}", list(images)), (f"result {letter}", generated(images, labels))]
        return grid(rows)


def _likest(faces: LabelledFaces, target: int, rng: np.random.Generator) -> npt.NDArray[np.int64]:
    """Three of some faces drawn at random, those most like a target in shape."""
    drawn = rng.choice(len(faces), min(3 * CANDIDATES, len(faces)), replace=False)
    alike = shape_vectors(faces.anatomy(drawn)) @ shape_vectors(faces.anatomy([target]))[0]
    alike[drawn == target] = -1.0
    return np.resize(drawn[np.argsort(-alike)[:3]], 3)
