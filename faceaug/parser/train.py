"""Training a parser: cross-entropy on logits (Eq. 7, classes balanced), the best averaged state on tuning, pictures."""

from __future__ import annotations

import json
import math
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from faceaug.config import to_dict
from faceaug.errors import TrainingFailed
from faceaug.files import write_json
from faceaug.images import write_png
from faceaug.labels import IGNORE
from faceaug.parser.batches import MixedBatches
from faceaug.parser.config import ParserConfig, ParserTraining
from faceaug.parser.groups import Groups
from faceaug.parser.metrics import confusion, scores
from faceaug.parser.network import build_parser
from faceaug.parser.predict import Parser, load_parser, predict_labels
from faceaug.pictures import grid
from faceaug.prepare.faces import FaceSet
from faceaug.training.checkpoint import OFTEN, WEIGHTS, load_checkpoint, save_checkpoint, save_weights
from faceaug.training.curves import draw_curves
from faceaug.training.device import Compute
from faceaug.training.ema import Ema
from faceaug.training.interrupt import held_back
from faceaug.training.log import JsonLog, Progress, read_log, say
from faceaug.training.runs import alone, claim, finished

REPORT = "report.json"


def fit_parser(
    run: Path,
    real: FaceSet,
    tuning: FaceSet,
    parser: ParserConfig,
    training: ParserTraining,
    compute: Compute,
    *,
    record: dict[str, Any],
    synthetic: FaceSet | None = None,
    label: str = "train-parser",
) -> Path:
    """Train a parser, or go on where an earlier process stopped.

    Args:
        run: the run's folder; gets ``config.json``, ``log.jsonl``, ``checkpoint.pt`` while it runs, and at the end
            ``curves.png``, ``predictions.png``, ``report.json`` and ``weights.safetensors``: the state that was best on tuning.
        real: labelled faces of ``parser.size``.
        tuning: faces that choose the state.
        parser: the network's shape.
        training: how to train.
        compute: device and precision.
        record: what else to keep in ``config.json``; part of the run's identity.
        synthetic: generated faces, mixed in at ``training.synthetic_share``.
        label: of the progress line.

    Returns:
        The weights file.

    Raises:
        CheckpointMismatch: the folder holds a run with other settings.
        TrainingFailed: the loss is no longer finite.
        OutputError: the folder cannot be written.
    """
    data = {"faces": real, "tuning": tuning, **({} if synthetic is None else {"synthetic": synthetic})}
    config = {
        "parser": to_dict(parser),
        "training": to_dict(training),
        "data": {name: some.about() for name, some in data.items()},
        **record,
    }
    if real.scheme != parser.scheme:
        raise ValueError(f"the parser is of {parser.scheme.name}, {real.title} of {real.scheme.name}")
    claim(run, config)
    if (done := finished(run, "parser")) is not None:
        say(f"{label}: already finished: {done}")
        return done
    checkpoint = run / "checkpoint.pt"
    stored = load_checkpoint(checkpoint, config=json.loads(json.dumps(config)))

    torch.manual_seed(training.seed)
    network = compute.module(build_parser(parser, weights=stored is None))
    optimiser = torch.optim.AdamW(parameter_groups(network, parser, training), fused=True)
    weights = class_weights(real, training.balance).to(compute.device)
    if stored is None:
        start_balanced(network, weights)
    ema = Ema(network, half_life=math.inf, ramp=training.average)
    step, seconds, best = 0, 0.0, {"mean_f1": -1.0}
    best_state: dict[str, Tensor] = {}
    if stored is not None:
        network.load_state_dict(stored["network"])
        ema.module.load_state_dict(stored["ema"])
        optimiser.load_state_dict(stored["optimiser"])
        step, seconds, best, best_state = stored["step"], stored["seconds"], stored["best"], stored["best_state"]
        say(f"{label}: resuming at {step * training.batch:,} images from {checkpoint}")
    batches = MixedBatches(real, synthetic, training)

    earlier, began = seconds, time.monotonic()
    losses: list[Tensor] = [] if stored is None else stored["losses"]
    saved = began

    def save() -> None:
        state = {"network": network.state_dict(), "ema": ema.module.state_dict(), "optimiser": optimiser.state_dict()}
        counters = {"step": step, "seconds": earlier + time.monotonic() - began, "best": best, "losses": losses}
        save_checkpoint(checkpoint, {"config": json.loads(json.dumps(config)), **state, "best_state": best_state, **counters})

    with (
        alone(run),
        held_back() as signal,
        Progress(label, training.images, start=min(step * training.batch, training.images)) as progress,
    ):
        # Only now, and not while another process trains here and writes to it.
        log = JsonLog(run / "log.jsonl", keep=lambda row: row["images"] <= step * training.batch)
        while step < training.steps:
            for group in optimiser.param_groups:
                group["lr"] = training.rate(step) * group["ratio"]
            images, labels = batches.get(step)
            losses.append(train_step(network, optimiser, images, labels, weights, compute))
            step += 1
            ema.update(network, batch=training.batch, images_seen=step * training.batch)
            seen = min(step * training.batch, training.images)
            if training.evaluate_after(step):
                loss = float(torch.stack(losses).mean())
                losses = []
                if not math.isfinite(loss):
                    raise TrainingFailed(
                        f"{run}: the loss is not finite after {seen:,} images; delete the run and try a lower "
                        f"--learning-rate or --precision fp32"
                    )
                found = evaluate(ema.module, parser, tuning, compute)
                seconds = earlier + time.monotonic() - began
                log.add(images=step * training.batch, seconds=round(seconds, 2), loss=round(loss, 5), tuning=found)
                if found["mean_f1"] > best["mean_f1"]:
                    best = {"images": seen, **found}
                    best_state = {name: value.detach().cpu().clone() for name, value in ema.module.state_dict().items()}
            if training.evaluate_after(step) or step % 10 == 0:
                progress.update(seen, f"tuning mean F1 {best['mean_f1']:.4f}" if best_state else "")
            if signal.number or training.evaluate_after(step) or time.monotonic() - saved > OFTEN:
                save()
                saved = time.monotonic()
            signal.release()
    write_json(run / REPORT, {"data": real.title, "seconds": round(seconds, 2), "best": best})
    draw_log(run, f"{real.title}: {label}")
    save_weights(run / WEIGHTS, best_state, kind="parser", config=config)
    _draw_predictions(run, tuning, load_parser(run / WEIGHTS, compute))
    checkpoint.unlink(missing_ok=True)
    return run / WEIGHTS


def parameter_groups(network: nn.Module, parser: ParserConfig, training: ParserTraining) -> list[dict[str, Any]]:
    """AdamW's groups: a pretrained encoder moves slower (``ratio``), and only matrices and kernels decay."""
    groups = []
    for encoder in (True, False):
        for decays in (True, False):
            chosen = [
                weight
                for name, weight in network.named_parameters()
                if name.startswith("encoder.") == encoder and (weight.ndim > 1) == decays
            ]
            ratio = training.encoder_ratio if encoder and parser.pretrained else 1.0
            groups.append({"params": chosen, "weight_decay": training.weight_decay if decays else 0.0, "ratio": ratio})
    return groups


def class_weights(faces: FaceSet, balance: float) -> Tensor:
    """Frequencies of the classes to the power of ``-balance``, scaled so that the average pixel weighs 1: ``(K,)`` float32.

    A class that does not occur weighs 0.
    """
    assert faces.labels is not None  # opened by open_labelled
    counts = np.bincount(faces.labels.ravel(), minlength=256)[: len(faces.scheme)].astype(np.float64)
    share = counts / counts.sum()
    weights = np.where(share > 0, np.maximum(share, 1e-12) ** -balance, 0.0)
    return torch.tensor(weights / (weights * share).sum(), dtype=torch.float32)


def balanced_cross_entropy(logits: Tensor, labels: Tensor, weights: Tensor) -> Tensor:
    """Eq. 7 with weighted classes, whose minimum is still at the true probabilities.

    Weighted cross-entropy alone makes a network claim too much for rare classes: at its minimum, class c has a probability
    proportional to ``weights[c] p_c``. Adding ``log weights`` to the logits here takes that upon the loss (logit adjustment), so
    the network's own logits are those of p, and rare classes are only learned sooner.

    Args:
        logits: ``(N, K, S, S)`` float32.
        labels: ``(N, S, S)`` int64 of the scheme; 255 is left out.
        weights: ``(K,)`` from :func:`class_weights`.
    """
    return F.cross_entropy(logits + _tilt(weights)[:, None, None], labels, weights, ignore_index=IGNORE)


def start_balanced(network: nn.Module, weights: Tensor) -> None:
    """Begin with equal probabilities in the balanced loss, by the biases of the last layer."""
    head = [layer for layer in network.modules() if isinstance(layer, nn.Conv2d)][-1]
    assert head.bias is not None  # the segmentation head of segmentation_models_pytorch has one
    with torch.no_grad():
        head.bias.sub_(_tilt(weights))


def _tilt(weights: Tensor) -> Tensor:
    return torch.where(weights > 0, weights, 1.0).log()


def train_step(
    network: nn.Module,
    optimiser: torch.optim.Optimizer,
    images: Tensor,
    labels: Tensor,
    weights: Tensor,
    compute: Compute,
) -> Tensor:
    """One step of the optimiser on a batch.

    Args:
        network: updated in place, left in training mode.
        optimiser: of its parameters.
        images: ``(N, 3, S, S)`` float32 in [-1, 1], on the CPU.
        labels: ``(N, S, S)`` uint8 of the scheme, or 255.
        weights: ``(K,)`` of the classes.
        compute: device and precision.

    Returns:
        The loss, a detached scalar.
    """
    network.train()
    with compute.autocast():
        logits = network(compute.image(images))
    loss = balanced_cross_entropy(logits.float(), labels.to(compute.device, torch.int64), weights)
    optimiser.zero_grad(set_to_none=True)
    torch.autograd.backward([loss])
    optimiser.step()
    return loss.detach()


def evaluate(
    network: nn.Module, config: ParserConfig, faces: FaceSet, compute: Compute, *, groups: Groups | None = None
) -> dict[str, Any]:
    """All scores of a network on a labelled set, see :func:`faceaug.parser.metrics.scores`; leaves it in eval mode.

    With ``groups`` also ``groups``: number of faces and mean F1 of each.
    """
    assert faces.labels is not None  # opened by open_labelled
    parser = Parser(network.eval(), config, {}, "", compute)
    predicted = predict_labels(parser, faces.images, batch=64)
    labels, classes = faces.labels[:], len(faces.scheme)
    found = scores(confusion(predicted, labels, classes=classes), faces.scheme)
    if groups:
        found["groups"] = {
            name: {
                "faces": int(rows.sum()),
                "mean_f1": scores(confusion(predicted[rows], labels[rows], classes=classes), faces.scheme)["mean_f1"],
            }
            for name, rows in groups.items()
        }
    return found


def draw_log(run: Path, title: str) -> None:
    """``curves.png`` of a run: training loss and tuning scores."""
    rows = read_log(run / "log.jsonl")
    seen = [row["images"] for row in rows]
    panels = {
        "training loss": {"cross-entropy": (seen, [row["loss"] for row in rows])},
        "tuning": {
            name: (seen, [row["tuning"][key] for row in rows])
            for name, key in (("mean F1", "mean_f1"), ("Helen overall F1", "helen_overall"), ("mean IoU", "mean_iou"))
            if all(key in row["tuning"] for row in rows)
        },
    }
    draw_curves(run / "curves.png", panels, xlabel="images seen", title=title)


def _draw_predictions(run: Path, tuning: FaceSet, parser: Parser) -> None:
    some = tuning.select(np.unique(np.linspace(0, len(tuning) - 1, 12).round().astype(np.int64)))
    assert some.labels is not None  # tuning faces have labels
    found = predict_labels(parser, some.images)
    rows = [
        ("tuning photo", list(some.images)),
        ("label map", list(some.scheme.colour(some.labels))),
        ("parser", list(some.scheme.colour(found))),
    ]
    write_png(run / "predictions.png", grid(rows))
