"""Training a parser: cross-entropy on logits (Eq. 7), the best state on tuning, curves and pictures."""

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
from faceaug.files import ensure_folder, write_json
from faceaug.images import write_png
from faceaug.labels import IGNORE, colour
from faceaug.parser.batches import MixedBatches
from faceaug.parser.config import ParserConfig, ParserTraining
from faceaug.parser.metrics import confusion, scores
from faceaug.parser.network import build_parser
from faceaug.parser.predict import Parser, load_parser, predict_labels
from faceaug.pictures import grid
from faceaug.prepare.faces import FaceSet
from faceaug.training.checkpoint import load_checkpoint, save_checkpoint, save_weights
from faceaug.training.curves import draw_curves
from faceaug.training.device import Compute
from faceaug.training.log import JsonLog, Progress, read_log, say
from faceaug.training.runs import WEIGHTS

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
    config = {"parser": to_dict(parser), "training": to_dict(training), **record}
    checkpoint = run / "checkpoint.pt"
    stored = load_checkpoint(checkpoint, config=json.loads(json.dumps(config)))
    ensure_folder(run)
    write_json(run / "config.json", config)

    torch.manual_seed(training.seed)
    network = compute.module(build_parser(parser, weights=stored is None))
    decayed = [weight for weight in network.parameters() if weight.ndim > 1]
    others = [weight for weight in network.parameters() if weight.ndim <= 1]
    optimiser = torch.optim.AdamW(
        [{"params": decayed, "weight_decay": training.weight_decay}, {"params": others, "weight_decay": 0.0}],
        lr=training.learning_rate,
        fused=True,
    )
    step, seconds, best = 0, 0.0, {"mean_f1": -1.0}
    best_state: dict[str, Tensor] = {}
    if stored is not None:
        network.load_state_dict(stored["network"])
        optimiser.load_state_dict(stored["optimiser"])
        step, seconds, best, best_state = stored["step"], stored["seconds"], stored["best"], stored["best_state"]
        say(f"{label}: resuming at {step * training.batch:,} images from {checkpoint}")
    log = JsonLog(run / "log.jsonl", keep=lambda row: row["images"] <= step * training.batch)
    batches = MixedBatches(real, synthetic, training)

    earlier, began = seconds, time.monotonic()
    losses: list[Tensor] = []
    with Progress(label, training.images, start=min(step * training.batch, training.images)) as progress:
        while step < training.steps:
            for group in optimiser.param_groups:
                group["lr"] = training.rate(step)
            images, labels = batches.get(step)
            losses.append(_step(network, optimiser, images, labels, compute))
            step += 1
            seen = min(step * training.batch, training.images)
            if training.evaluate_after(step):
                loss = float(torch.stack(losses).mean())
                losses = []
                if not math.isfinite(loss):
                    raise TrainingFailed(
                        f"{run}: the loss is not finite after {seen:,} images; delete the run and try a lower "
                        f"--learning-rate or --precision fp32"
                    )
                found = evaluate(network, parser, tuning, compute)
                seconds = earlier + time.monotonic() - began
                log.add(images=step * training.batch, seconds=round(seconds, 2), loss=round(loss, 5), tuning=found)
                if found["mean_f1"] > best["mean_f1"]:
                    best = {"images": seen, **found}
                    best_state = {name: value.detach().cpu().clone() for name, value in network.state_dict().items()}
                state = {"network": network.state_dict(), "optimiser": optimiser.state_dict(), "best_state": best_state}
                counters = {"config": json.loads(json.dumps(config)), "step": step, "seconds": seconds, "best": best}
                save_checkpoint(checkpoint, {**state, **counters})
            if training.evaluate_after(step) or step % 10 == 0:
                progress.update(seen, f"tuning mean F1 {best['mean_f1']:.4f}" if best_state else "")
    write_json(run / REPORT, {"data": real.title, "seconds": round(seconds, 2), "best": best})
    _draw(run, f"{real.title}: {label}")
    save_weights(run / WEIGHTS, best_state, kind="parser", config=config)
    _draw_predictions(run, tuning, load_parser(run / WEIGHTS, compute))
    checkpoint.unlink(missing_ok=True)
    return run / WEIGHTS


def _step(network: nn.Module, optimiser: torch.optim.Optimizer, images: Tensor, labels: Tensor, compute: Compute) -> Tensor:
    network.train()
    with compute.autocast():
        logits = network(compute.image(images))
    loss = F.cross_entropy(logits.float(), labels.to(compute.device, torch.int64), ignore_index=IGNORE)
    optimiser.zero_grad(set_to_none=True)
    torch.autograd.backward([loss])
    optimiser.step()
    return loss.detach()


def evaluate(network: nn.Module, config: ParserConfig, faces: FaceSet, compute: Compute) -> dict[str, Any]:
    """All scores of a network on a labelled set, see :func:`faceaug.parser.metrics.scores`; leaves it in eval mode."""
    assert faces.labels is not None  # opened by open_labelled
    parser = Parser(network.eval(), config, {}, "", compute)
    return scores(confusion(predict_labels(parser, faces.images, batch=64), faces.labels))


def _draw(run: Path, title: str) -> None:
    rows = read_log(run / "log.jsonl")
    seen = [row["images"] for row in rows]
    panels = {
        "training loss": {"cross-entropy": (seen, [row["loss"] for row in rows])},
        "tuning": {
            name: (seen, [row["tuning"][key] for row in rows])
            for name, key in (("mean F1", "mean_f1"), ("Helen overall F1", "helen_overall"), ("mean IoU", "mean_iou"))
        },
    }
    draw_curves(run / "curves.png", panels, xlabel="images seen", title=title)


def _draw_predictions(run: Path, tuning: FaceSet, parser: Parser) -> None:
    some = tuning.select(np.unique(np.linspace(0, len(tuning) - 1, 12).round().astype(np.int64)))
    assert some.labels is not None  # tuning faces have labels
    found = predict_labels(parser, some.images)
    rows = [
        ("tuning photo", list(some.images)),
        ("label map", list(colour(some.labels))),
        ("parser", list(colour(found))),
    ]
    write_png(run / "predictions.png", grid(rows))
