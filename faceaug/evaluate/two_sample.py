"""A classifier two-sample test: can a network that no generator was trained against tell generated faces from photos?

Distances between features flatter a generator that was trained on those features. Here a discriminator of fixed shape is trained
from scratch for a fixed number of steps, on photos and generated faces with their masks, and scored on faces of other masks. An
area under the curve of 0.5 is chance: nothing tells the two apart; 1 is certainty.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from sklearn.metrics import roc_auc_score
from torch import Tensor, nn

from faceaug.arrays import ByteArray, IntArray
from faceaug.compute.device import Compute
from faceaug.evaluate.distances import bootstrap
from faceaug.gan.batches import mirror_rows
from faceaug.gan.components import one_hot
from faceaug.gan.discriminator import PatchDiscriminator
from faceaug.gan.losses import discriminator_loss
from faceaug.gan.shift import draw_shift
from faceaug.labels import HELEN_11, Scheme, fill_ignored
from faceaug.tensors import to_float

WIDTH, LEVELS = 32, 3
BATCH = 8


@dataclass(frozen=True)
class TwoSampleConfig:
    """How long the classifier trains, and what it sees."""

    steps: int = 400
    """Optimiser steps, each of 8 photos and 8 generated faces."""
    held_out: float = 0.4
    """Share of the masks whose photos and generated faces only score it."""
    seed: int = 0
    """Of its weights, the split and the order."""
    rate: float = 8e-4
    """Adam's learning rate."""
    shifted: bool = False
    """Move each face by some pixels at random, as a GAN's judges see them (:mod:`faceaug.gan.shift`)."""


def two_sample_auc(
    photos: ByteArray,
    labels: ByteArray,
    generated: ByteArray,
    target: IntArray,
    config: TwoSampleConfig,
    compute: Compute,
    *,
    scheme: Scheme = HELEN_11,
    rounds: int = 200,
    build: Callable[[int], nn.Module] = lambda classes: PatchDiscriminator(WIDTH, LEVELS, classes=classes),
) -> dict[str, Any]:
    """How well a fresh discriminator tells generated faces from the photos of their masks.

    Args:
        photos: ``(N, S, S, 3)`` uint8 RGB, none of which the generator was trained on.
        labels: ``(N, S, S)`` uint8 of the scheme, or 255: their masks.
        generated: ``(M, S, S, 3)`` uint8 RGB.
        target: ``(M,)`` whose mask each generated face has, 0..N-1.
        config: how long, and on which share.
        compute: device and precision.
        scheme: of the masks.
        rounds: bootstrap resamples of the interval, over masks.
        build: makes the discriminator for a number of classes, from photos and one-hot masks to judgements; another one than
            the fixed shape is for comparing discriminators, not generators.

    Returns:
        ``value``, ``low``, ``high`` of the area under the ROC curve, on held-out masks; ``losses``: of the training, means over
        20 steps, where chance is 2 log 2 = 1.386.
    """
    rng = np.random.default_rng([config.seed, 5])
    masks = fill_ignored(labels)
    order = rng.permutation(len(photos))
    held = np.zeros(len(photos), dtype=bool)
    held[order[: max(round(len(photos) * config.held_out), 1)]] = True
    known, shown = np.flatnonzero(~held), np.flatnonzero(~held[target])
    if not len(shown) or not held[target].any():
        raise ValueError("generated faces of held-out and of other masks are needed")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(config.seed)
        network = compute.module(build(len(scheme)))
    trained = [weight for weight in network.parameters() if weight.requires_grad]
    optimiser = torch.optim.Adam(trained, lr=config.rate, betas=(0.5, 0.999))

    def judged(images: ByteArray, maps: ByteArray, mirrored: npt.NDArray[np.bool_]) -> list[Any]:
        images, maps = mirror_rows(images, maps, mirrored, scheme)
        photo, condition = compute.image(to_float(images)), one_hot(torch.from_numpy(maps).to(compute.device), len(scheme))
        if config.shifted:
            uniform = torch.from_numpy(rng.random((len(images), 2), dtype=np.float32)).to(compute.device)
            move = draw_shift(uniform, photo.shape[-1])
            photo, condition = move(photo), move(condition)
        with compute.autocast():
            found: list[Any] = network(photo, condition)
        return found

    losses: list[Tensor] = []
    for _ in range(config.steps):
        real, fake = rng.choice(known, BATCH), rng.choice(shown, BATCH)
        flips = rng.random((2, BATCH)) < 0.5
        loss = discriminator_loss(
            judged(photos[real], masks[real], flips[0]), judged(generated[fake], masks[target[fake]], flips[1])
        )
        optimiser.zero_grad(set_to_none=True)
        torch.autograd.backward([loss])
        optimiser.step()
        losses.append(loss.detach())

    @torch.inference_mode()
    def scored(images: ByteArray, maps: ByteArray) -> npt.NDArray[np.float64]:
        found = []
        for start in range(0, len(images), 64):
            rows = slice(start, start + 64)
            judgements = judged(images[rows], maps[rows], np.zeros(len(images[rows]), dtype=bool))
            found.append(torch.stack([one.logits.float().mean((1, 2, 3)) for one in judgements]).sum(0).cpu().numpy())
        return np.concatenate(found).astype(np.float64)

    real, fake = np.flatnonzero(held), np.flatnonzero(held[target])
    score = np.concatenate([scored(photos[real], masks[real]), scored(generated[fake], masks[target[fake]])])
    truth = np.concatenate([np.ones(len(real)), np.zeros(len(fake))])
    groups = np.concatenate([real, target[fake]])

    def area(rows: IntArray) -> float:
        return float(roc_auc_score(truth[rows], score[rows]))

    found = bootstrap(area, groups, value=area(np.arange(len(truth))), rounds=rounds, seed=config.seed)
    return {
        **{name: min(max(bound, 0.0), 1.0) for name, bound in found.items()},
        "losses": [round(float(part.mean()), 4) for part in torch.split(torch.stack(losses), 20)],
    }
