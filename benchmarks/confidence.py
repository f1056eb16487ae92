"""Does a parser know how good its label maps are: confidence beside the true F1, of photos as they are and made harder."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import torch

from faceaug.arrays import ByteArray, FloatArray
from faceaug.edit.face import doubt, trust
from faceaug.labels import BACKGROUND, IGNORE
from faceaug.parser.confidence import expected_f1
from faceaug.parser.labelling import KEPT
from faceaug.parser.metrics import confusion
from faceaug.parser.predict import Parser, predict_both_ways
from faceaug.prepare.faces import LabelledFaces
from faceaug.progress import Progress
from faceaug.tensors import to_float

Harder = Callable[[ByteArray, ByteArray], tuple[ByteArray, ByteArray]]
"""A photo ``(S, S, 3)`` and its label map ``(S, S)`` to others."""


def _turned(degrees: float) -> Harder:
    def turn(image: ByteArray, labels: ByteArray) -> tuple[ByteArray, ByteArray]:
        size = len(labels)
        matrix = cv2.getRotationMatrix2D(((size - 1) / 2, (size - 1) / 2), degrees, 1.0)
        photo = cv2.warpAffine(image, matrix, (size, size), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        truth = cv2.warpAffine(labels, matrix, (size, size), flags=cv2.INTER_NEAREST, borderValue=IGNORE)
        return photo.astype(np.uint8), truth.astype(np.uint8)

    return turn


def _noisy(image: ByteArray, labels: ByteArray) -> tuple[ByteArray, ByteArray]:
    noise = np.random.default_rng(int(image.sum())).normal(0, 50, image.shape)
    return np.clip(image + noise, 0, 255).astype(np.uint8), labels


def _half_hidden(image: ByteArray, labels: ByteArray) -> tuple[ByteArray, ByteArray]:
    photo, truth = image.copy(), labels.copy()
    photo[:, len(labels) // 2 :], truth[:, len(labels) // 2 :] = 120, IGNORE
    return photo, truth


def _blurred(image: ByteArray, labels: ByteArray) -> tuple[ByteArray, ByteArray]:
    return cv2.GaussianBlur(image, (0, 0), len(labels) / 21).astype(np.uint8), labels


CONDITIONS: dict[str, Harder] = {
    "as they are": lambda image, labels: (image, labels),
    "dark (15 % of the light)": lambda image, labels: ((image * 0.15).astype(np.uint8), labels),
    "noise (50 of 255)": _noisy,
    "blur (S / 21)": _blurred,
    "turned by 45 degrees": _turned(45),
    "turned by 90 degrees": _turned(90),
    "half hidden": _half_hidden,
}
"""What is done to the photos."""

THRESHOLDS = (0.4, 0.45, 0.5, 0.55, 0.6, 0.65, 0.7)
BAD, GOOD = 0.5, 0.65
"""Mean F1 of label maps that should be refused, of those that should not."""


def bench_confidence(parser: Parser, faces: LabelledFaces) -> dict[str, Any]:
    """Measure two confidences, the mean of the pixels' probabilities and the expected F1.

    Args:
        parser: with trained weights.
        faces: labelled faces that it was not trained on.

    Returns:
        ``selection``, of the photos as they are: each confidence's correlation with the true mean F1, and that of the most
        confident photos; ``conditions``: F1 and how many faces are refused (:func:`faceaug.edit.face.doubt`); ``thresholds``: of
        :func:`~faceaug.edit.face.trust`, which shares of bad and of good label maps are refused at each.
    """
    images, labels = faces.images[:], faces.labels[:]
    found: dict[str, dict[str, FloatArray]] = {}
    with Progress("confidence", len(CONDITIONS) * len(images), unit="photos") as progress:
        for number, (name, harder) in enumerate(CONDITIONS.items()):
            pairs = [harder(image, truth) for image, truth in zip(images, labels, strict=True)]
            found[name] = _measured(parser, np.stack([one for one, _ in pairs]), np.stack([one for _, one in pairs]))
            progress.update((number + 1) * len(images))
    plain = found["as they are"]
    everything = {key: np.concatenate([one[key] for one in found.values()]) for key in plain}
    return {
        "faces": faces.about(),
        "parser": parser.hash,
        "selection": {name: _selection(plain["f1"], plain[name]) for name in ("mean probability", "expected f1")},
        "true f1 of all": _rounded(plain["f1"].mean()),
        "conditions": {
            name: {"f1": _rounded(np.nanmean(one["f1"])), "refused": _rounded(one["refused"].mean())}
            for name, one in found.items()
        },
        "thresholds": {str(least): _refused(everything, plain, least) for least in THRESHOLDS},
    }


def _measured(parser: Parser, images: ByteArray, labels: ByteArray) -> dict[str, FloatArray]:
    rows = []
    for start in range(0, len(images), 32):
        likely = predict_both_ways(parser, to_float(images[start : start + 32]))
        best, classes = likely.max(1)
        predicted = classes.to(torch.uint8).cpu().numpy()
        sure = expected_f1(likely).cpu().numpy()
        for at, one in enumerate(predicted):
            expected, scheme = float(sure[at]), parser.config.scheme
            refused = bool(doubt(one, expected, scheme))
            row = (true_f1(one, labels[start + at]), float(best[at].mean()), expected, trust(one, expected, scheme), refused)
            rows.append(row)
    columns = np.array(rows, dtype=float).T
    return dict(zip(("f1", "mean probability", "expected f1", "trust", "refused"), columns, strict=True))


def true_f1(predicted: ByteArray, labels: ByteArray) -> float:
    """Mean F1 over the classes of a label map ``(S, S)`` but background; NaN where it has no other."""
    classes = int(max(predicted.max(initial=0), labels[labels != IGNORE].max(initial=0))) + 1
    matrix = confusion(predicted[None], labels[None], classes=classes)
    there = matrix.sum(1) > 0
    there[BACKGROUND] = False
    scores = 2 * np.diag(matrix) / np.maximum(matrix.sum(0) + matrix.sum(1), 1)
    return float(scores[there].mean()) if there.any() else float("nan")


def _selection(truth: FloatArray, confidence: FloatArray) -> dict[str, float]:
    kept = np.argsort(-confidence, kind="stable")[: int(np.ceil(KEPT * len(confidence)))]
    return {
        "correlation": _rounded(np.corrcoef(truth, confidence)[0, 1]),
        f"true f1 of the first {KEPT:.0%}": _rounded(truth[kept].mean()),
    }


def _refused(everything: dict[str, FloatArray], plain: dict[str, FloatArray], least: float) -> dict[str, float | None]:
    low = everything["trust"] < least
    bad, good = everything["f1"] < BAD, everything["f1"] > GOOD
    return {
        f"of label maps below {BAD}": _share(low[bad]),
        f"of label maps above {GOOD}": _share(low[good]),
        "of photos as they are": _share(plain["trust"] < least),
    }


def _share(where: npt.NDArray[np.bool_]) -> float | None:
    """Of nothing there is none."""
    return _rounded(where.mean()) if len(where) else None


def _rounded(value: Any) -> float:
    return round(float(value), 4)


def told(results: dict[str, Any]) -> Sequence[str]:
    """What was found, in lines."""
    lines = [f"true mean F1 of all: {results['true f1 of all']:.3f}"]
    for name, one in results["selection"].items():
        lines.append(f"{name}: " + ", ".join(f"{key} {value:.3f}" for key, value in one.items()))
    lines += [f"{name}: F1 {one['f1']:.3f}, refused {one['refused']:.1%}" for name, one in results["conditions"].items()]
    for least, one in results["thresholds"].items():
        lines.append(
            f"trust below {least}: refuses " + ", ".join(f"{value:.1%} {key}" for key, value in one.items() if value is not None)
        )
    return lines
