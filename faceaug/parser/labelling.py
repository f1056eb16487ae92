"""Label maps for photos that have none, predicted on photo and mirror image; faces that the parser is unsure of are left out.

A parser of twice the photos' size labels them better than one of their own (:data:`DETAIL`): it is given the same photos in its
size, and its probabilities are averaged over the pixels that become one.
"""

from __future__ import annotations

import dataclasses
import math
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F

from faceaug.arrays import Float32Array
from faceaug.errors import OutputError
from faceaug.files import atomic_folder, ensure_folder, short_hash
from faceaug.parser.predict import Parser, predict_both_ways
from faceaug.prepare.faces import FaceSet, LabelledFaces
from faceaug.prepare.rows import StoredRows
from faceaug.progress import Progress
from faceaug.tensors import to_float

_VERSION = 2
"""Of the predictions in a cache; another way to predict gets another number."""

KEPT = 0.8
"""Share of photos that are kept, the most confident ones.

With P_F trained on 200 labelled faces, the mirror image is worth 0.5 points of mean F1 (81.7 to 82.2 on 300 unseen faces of one
run) and leaving out the least confident fifth another 0.7. The expected F1 (:mod:`faceaug.parser.confidence`) tells good label
maps better from bad ones, but photos that it chose made no better parser: it leaves the hard faces out
(benchmarks/results/tried.json)."""


DETAIL = 2
"""How much larger than the faces a parser that labels them for others is, along each side, where photos are small.

Three parsers of 128 px label faces of 64 px with a mean F1 of 85.3 %, three of 64 px with 84.4 (benchmarks/results/tried.json).
"""

LARGEST_DETAILED = 128
"""Pixels up to which :func:`labelling_size` is larger than the faces: the sources' own resolution ends there (CelebA)."""


def labelling_size(size: int) -> int:
    """Side of the photos by which faces of ``size`` pixels are labelled, pixels."""
    return max(size, min(DETAIL * size, LARGEST_DETAILED))


def label_photos(
    parser: Parser,
    photos: FaceSet,
    *,
    detailed: FaceSet | None = None,
    keep: float = KEPT,
    cache: Path | None = None,
    label: str = "labelling photos",
) -> LabelledFaces:
    """Photos with predicted label maps, without those of the least confidence; processes share the work.

    Args:
        parser: P_F.
        photos: aligned photos.
        detailed: the same photos, larger, by which they are labelled; else by themselves.
        keep: share that is kept, above 0 and at most 1; two photos at least.
        cache: folder that keeps the predictions; the same parser's for the same photos are read back from it.
        label: name for the progress line.

    Returns:
        The photos kept, in their order; how many are not is in :attr:`~faceaug.prepare.faces.FaceSet.dropped`. Photos with
        label maps of the parser's scheme keep their own.

    Raises:
        ValueError: ``detailed`` are other photos.
    """
    if photos.labels is not None and photos.scheme == parser.config.scheme:
        return photos.labelled()
    seen = photos if detailed is None else detailed
    if seen.names != photos.names:
        raise ValueError(f"{seen.title}: other photos than {photos.title}")
    task = [_VERSION, parser.hash, seen.digest(), *([] if detailed is None else [photos.size])]
    known = None if cache is None else cache / f"labels-{short_hash(task)}"
    found = None if known is None else _read(known, len(photos), photos.size)
    labels, confidence = found or _predict(parser, seen, photos.size, known, label)
    count = min(max(math.ceil(keep * len(photos)), 2), len(photos))
    # Whole groups of equal confidence do not occur; a stable order makes the choice the same everywhere all the same.
    kept = np.sort(np.argsort(-confidence, kind="stable")[:count])
    unsure = len(photos) - count
    chosen = photos.with_labels(labels, parser.config.scheme)
    if not unsure:
        return chosen
    dropped = {**photos.dropped, "the parser is unsure": unsure}
    return dataclasses.replace(chosen.select(kept, lazily=known is not None), dropped=dropped)


def ensure_labels(
    parser: Parser, photos: FaceSet, *, detailed: FaceSet | None = None, cache: Path | None = None
) -> LabelledFaces:
    """Source photos with label maps: their own where they have some, of whatever scheme, else predicted ones."""
    return photos.labelled() if photos.labels is not None else label_photos(parser, photos, detailed=detailed, cache=cache)


_LABELS, _CONFIDENCE = "labels.u8", "confidence.npy"

Predicted = tuple[Any, Float32Array]
"""Label maps ``(N, S, S)`` uint8, and the mean probability of each one's pixels ``(N,)``."""


def _read(folder: Path, count: int, size: int) -> Predicted | None:
    """Predictions kept in a folder; None where there are none, or not these: they are predicted anew then."""
    try:
        confidence = np.load(folder / _CONFIDENCE, allow_pickle=False)
        labels = StoredRows(folder / _LABELS, (count, size, size))
    except (OSError, ValueError, EOFError):
        return None
    return (labels, confidence) if confidence.shape == (count,) and confidence.dtype == np.float32 else None


def _predict(parser: Parser, photos: FaceSet, size: int, folder: Path | None, label: str) -> Predicted:
    """Predictions for all photos; in one process they go to the folder as they are made, and are read from there."""
    world = parser.compute.world
    if folder is None or world.size > 1:
        labels, confidence = _together(parser, photos, size, label)
        if folder is not None and world.first:
            _write(folder, iter([(labels, confidence)]))
        return labels, confidence
    _write(folder, _predictions(parser, photos.images, size, label))
    found = _read(folder, len(photos), size)
    if found is None:
        raise OutputError(f"{folder}: cannot be read back; choose another --cache")
    return found


def _together(parser: Parser, photos: FaceSet, size: int, label: str) -> Predicted:
    """Predictions in memory, made by all processes."""

    def some(images: Any) -> npt.NDArray[Any]:
        parts = list(_predictions(parser, images, size, label))
        found = np.empty(len(images), np.dtype([("labels", np.uint8, (size, size)), ("confidence", np.float32)]))
        found["labels"], found["confidence"] = (np.concatenate(column) for column in zip(*parts, strict=True))
        return found

    records = parser.compute.world.shared(some, photos.images)
    return records["labels"], records["confidence"]


def _write(folder: Path, predictions: Iterable[Predicted]) -> None:
    shutil.rmtree(folder, ignore_errors=True)  # a part of one, or damaged
    ensure_folder(folder.parent, option="--cache")
    with atomic_folder(folder, option="--cache") as part:
        confidences = []
        with open(part / _LABELS, "wb") as file:
            for labels, confidence in predictions:
                file.write(np.ascontiguousarray(labels).data)
                confidences.append(confidence)
        np.save(part / _CONFIDENCE, np.concatenate(confidences))


def _predictions(parser: Parser, images: Any, size: int, label: str) -> Iterator[Predicted]:
    """Label maps of a size, in parts of 32 photos."""
    with Progress(label, len(images), unit="faces") as progress:
        for start in range(0, len(images), 32):
            found = predict_both_ways(parser, to_float(images[start : start + 32]))
            likely, classes = (found if found.shape[-1] == size else F.interpolate(found, size, mode="area")).max(1)
            yield classes.to(torch.uint8).cpu().numpy(), likely.mean((1, 2)).cpu().numpy()
            progress.update(min(start + 32, len(images)))
