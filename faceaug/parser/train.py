"""Training a parser: cross-entropy on logits (Eq. 7, classes balanced), the best averaged state on tuning, pictures."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from faceaug.compute.device import Compute
from faceaug.config import to_dict
from faceaug.errors import CheckpointMismatch, TrainingFailed
from faceaug.files import write_json
from faceaug.images import write_png
from faceaug.parser.additions import Addition
from faceaug.parser.batches import MixedBatches
from faceaug.parser.config import ParserConfig, ParserTraining
from faceaug.parser.consistency import teach
from faceaug.parser.groups import Groups
from faceaug.parser.losses import class_weights, start_balanced
from faceaug.parser.metrics import confusion, scores
from faceaug.parser.network import build_parser
from faceaug.parser.predict import Parser, load_parser, predict_labels
from faceaug.parser.step import ParserStep
from faceaug.pictures import grid
from faceaug.prepare.faces import LabelledFaces
from faceaug.progress import Progress, say
from faceaug.runs.checkpoint import OFTEN, WEIGHTS, load_checkpoint, save_checkpoint, save_weights
from faceaug.runs.curves import draw_curves
from faceaug.runs.folder import alone, claim, finished
from faceaug.runs.interrupt import held_back
from faceaug.runs.log import JsonLog, read_log
from faceaug.training.ema import Ema

REPORT = "report.json"


def fit_parser(
    run: Path,
    *,
    faces: LabelledFaces,
    tuning: LabelledFaces,
    parser: ParserConfig,
    training: ParserTraining,
    compute: Compute,
    record: dict[str, Any],
    additions: Sequence[Addition] = (),
    start: Parser | None = None,
    label: str = "train-parser",
) -> Path:
    """Train a parser, or go on where an earlier process stopped.

    Args:
        run: the run's folder; gets ``config.json``, ``log.jsonl``, ``checkpoint.pt`` while it runs, and at the end
            ``curves.png``, ``predictions.png``, ``report.json`` and ``weights.safetensors``: the state that was best on tuning.
        faces: labelled faces of ``parser.size``.
        tuning: faces that choose the state.
        parser: the network's shape.
        training: how to train.
        compute: device and precision.
        record: what else to keep in ``config.json``; part of the run's identity.
        additions: faces beside the labelled ones.
        start: a trained parser that this one begins as, with the optimiser afresh; else ImageNet weights or random ones.
        label: of the progress line.

    Returns:
        The weights file.

    Raises:
        CheckpointMismatch: the folder holds a run with other settings, or ``start`` is of another shape.
        ConfigError: additions do not go with the faces or the schedule.
        TrainingFailed: the loss is no longer finite.
        OutputError: the folder cannot be written.
    """
    config = {
        "parser": to_dict(parser),
        "training": to_dict(training),
        "data": {"faces": faces.about(), "tuning": tuning.about()},
        **({"additions": {addition.name: addition.about() for addition in additions}} if additions else {}),
        **({} if start is None else {"start": start.hash}),
        **record,
    }
    if start is not None and start.config != parser:
        theirs, asked = (f"{one.size} px, {one.encoder}, {one.scheme.name}" for one in (start.config, parser))
        raise CheckpointMismatch(f"--start: a parser of {theirs}; asked for is one of {asked}: name one of the same shape")
    if faces.scheme != parser.scheme:
        raise ValueError(f"the parser is of {parser.scheme.name}, {faces.title} of {faces.scheme.name}")
    claim(run, config)
    if (done := finished(run, "parser")) is not None:
        say(f"{label}: already finished: {done}")
        return done
    checkpoint = run / "checkpoint.pt"
    stored = load_checkpoint(checkpoint, config=json.loads(json.dumps(config)))

    torch.manual_seed(training.seed)
    fresh = stored is None and start is None
    network = compute.module(build_parser(parser, weights=fresh))
    weights = class_weights(faces, training.balance).to(compute.device)
    train = ParserStep(network, parser, training, weights, compute)
    if fresh:
        start_balanced(network, weights)
    elif stored is None and start is not None:
        network.load_state_dict(start.network.state_dict())
    ema = Ema(network, half_life=math.inf, ramp=training.average)
    step, seconds, best = 0, 0.0, {"mean_f1": -1.0}
    best_state: dict[str, Tensor] = {}
    if stored is not None:
        network.load_state_dict(stored["network"])
        ema.module.load_state_dict(stored["ema"])
        train.load_state_dict(stored["optimiser"])
        step, seconds, best, best_state = stored["step"], stored["seconds"], stored["best"], stored["best_state"]
        say(f"{label}: resuming at {step * training.batch:,} images from {checkpoint}")
    batches = MixedBatches(faces, additions, training, device=compute.device)

    earlier, began = seconds, time.monotonic()
    losses: list[Tensor] = [] if stored is None else stored["losses"]
    saved = began

    def save() -> None:
        state = {"network": network.state_dict(), "ema": ema.module.state_dict(), "optimiser": train.state_dict()}
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
            batch = teach(batches.get(step), ema.module, compute, seed=training.seed * 1_000_003 + step)
            losses.append(train(*batch, rate=training.rate(step)))
            step += 1
            averaged = step - training.pretrain_steps if step > training.pretrain_steps else step
            ema.update(network, batch=training.batch, images_seen=averaged * training.batch)
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
    write_json(run / REPORT, {"data": faces.title, "seconds": round(seconds, 2), "best": best})
    draw_log(run, f"{faces.title}: {label}")
    save_weights(run / WEIGHTS, best_state, kind="parser", config=config)
    _draw_predictions(run, tuning, load_parser(run / WEIGHTS, compute))
    checkpoint.unlink(missing_ok=True)
    return run / WEIGHTS


def evaluate(
    network: nn.Module, config: ParserConfig, faces: LabelledFaces, compute: Compute, *, groups: Groups | None = None
) -> dict[str, Any]:
    """All scores of a network on a labelled set, see :func:`faceaug.parser.metrics.scores`; leaves it in eval mode.

    With ``groups`` also ``groups``: number of faces and mean F1 of each.
    """
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


def _draw_predictions(run: Path, tuning: LabelledFaces, parser: Parser) -> None:
    some = tuning.select(np.unique(np.linspace(0, len(tuning) - 1, 12).round().astype(np.int64)))
    found = predict_labels(parser, some.images)
    rows = [
        ("tuning photo", list(some.images)),
        ("label map", list(some.scheme.colour(some.labels))),
        ("parser", list(some.scheme.colour(found))),
    ]
    write_png(run / "predictions.png", grid(rows))
