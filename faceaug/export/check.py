"""Exported graphs beside the networks that they are of: the same faces through both, and how long each takes."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from faceaug.arrays import ByteArray, Float32Array
from faceaug.errors import ExportFailed
from faceaug.gan.inference import Generator
from faceaug.labels import NUM_PARTS, SKIN, Scheme, fill_ignored
from faceaug.parser.confidence import expected_f1
from faceaug.parser.predict import Parser, predict_both_ways, predict_logits
from faceaug.prepare.faces import LabelledFaces
from faceaug.tensors import to_bytes, to_float

LARGEST = 1e-3
"""Largest difference of a logit, a probability, a code, or a pixel in [-1, 1]."""

AGREEMENT = 0.9995
"""Least share of pixels with the same label; where two classes are as likely, rounding decides."""

Drawn = Callable[[int], LabelledFaces]
"""Faces to check with, at a size."""

Run = Callable[[Mapping[str, ByteArray | Float32Array]], list[Any]]
"""A graph: inputs by name to outputs in order."""


@dataclass(frozen=True)
class Checked:
    """What a check found.

    Attributes:
        faces: how many went through both.
        difference: the largest of a logit, a probability or a pixel in [-1, 1].
        agreement: share of pixels with the same label, of parsers.
        milliseconds: a face takes with torch and with onnxruntime, in turns.
    """

    faces: int
    difference: float
    agreement: float | None
    milliseconds: tuple[float, float]


def open_graph(path: Path) -> Run:
    """An ONNX file in onnxruntime on the CPU, with as many threads as torch uses.

    Raises:
        ExportFailed: onnxruntime refuses it.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    options.log_severity_level = 3
    try:
        session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime's errors have no base of their own
        reason = " ".join(str(error).split())[:200]
        raise ExportFailed(f"export: onnxruntime refuses the graph ({reason}); install the versions of faceaug[onnx]") from error
    return lambda inputs: list(session.run(None, dict(inputs)))


def check_parser(parser: Parser, graph: nn.Module, run: Run, drawn: Drawn, *, both_ways: bool) -> Checked:
    """A parser's graph beside the parser, at the parser's size and at one and a half times it.

    Args:
        parser: on the CPU, in float32.
        graph: what was exported, to be timed.
        run: its file, with ``labels``, ``confidence`` and ``scores`` as outputs.
        drawn: the faces.
        both_ways: whether it averages photo and mirror image.

    Raises:
        ExportFailed: more than :data:`LARGEST`, or less than :data:`AGREEMENT`.
    """
    largest, same = [], []
    for size in (parser.config.size, parser.config.size * 3 // 2):
        photos = drawn(size).images[:]
        wanted = predict_both_ways(parser, to_float(photos)) if both_ways else predict_logits(parser, to_float(photos))
        likely = wanted if both_ways else wanted.softmax(1)
        classes = likely.argmax(1)
        labels, confidence, scores = run({"photo": photos})
        largest += [_difference(wanted, scores).max(), _difference(expected_f1(likely), confidence).max()]
        same.append((classes.numpy() == labels).mean())
    difference, agreement = float(np.max(largest)), float(np.mean(same))
    if not difference <= LARGEST or not agreement >= AGREEMENT:
        raise _differs(f"{difference:.2g}, and labels {1 - agreement:.2%} of the pixels otherwise")
    photos = drawn(parser.config.size).images[:]
    return Checked(len(photos), difference, agreement, _in_turns(graph, run, {"photo": photos}))


def check_generator(generator: Generator, graph: nn.Module, encode: Run, generate: Run, drawn: Drawn) -> Checked:
    """A generator's two graphs beside the generator: each face in the look of the next one.

    Where a generator uses the source's pixels, they are taken from nearest neighbours. Now and then two are as near, and rounding
    decides: of such a face some pixels differ. So one face may.

    Args:
        generator: on the CPU, in float32.
        graph: of generating, to be timed.
        encode: the first file, with ``codes`` as output.
        generate: the second one, with ``photo`` and ``pixels``.
        drawn: the faces.

    Raises:
        ExportFailed: codes, or pixels of more than one face, differ by more than :data:`LARGEST`.
    """
    network, scheme = generator.network, generator.config.scheme
    faces = drawn(generator.config.size)
    photos = faces.images[:]
    labels = in_scheme(fill_ignored(faces.labels[:]), scheme)
    order = np.roll(np.arange(len(photos)), 1)
    sources = {"source": photos[order], "source_labels": labels[order]}
    targets = {"target": photos, "target_labels": labels}
    with torch.inference_mode():
        look = network.encode(to_float(photos[order]), torch.from_numpy(scheme.anatomy(labels[order])))
        wanted = network.generate(look, to_float(photos), torch.from_numpy(labels))
    (codes,) = encode(sources)
    inputs = {"codes": codes, **targets, **(sources if look.image is not None else {})}
    photo, pixels = generate(inputs)
    by_face = np.sort(_difference(wanted, pixels))
    counted = by_face[:-1] if look.image is not None else by_face
    difference = float(max(_difference(look.codes, codes).max(), counted.max()))
    levels = np.abs(to_bytes(torch.from_numpy(pixels)).astype(int) - photo).max()
    if not difference <= LARGEST or levels > 0:
        raise _differs(f"{difference:.2g}")
    return Checked(len(photos), difference, None, _in_turns(graph, generate, inputs))


def in_scheme(anatomies: ByteArray, scheme: Scheme) -> ByteArray:
    """Label maps of a scheme from anatomies ``(N, S, S)``: a part that no class is becomes skin, or background."""
    tables = scheme.anatomy_tables[:, : len(scheme)]
    classes = [np.flatnonzero((tables == part).any(0)).tolist() for part in range(NUM_PARTS)]
    table = np.array([(one or classes[SKIN] or [0])[0] for one in classes], dtype=np.uint8)
    return table[anatomies]


def _difference(wanted: Tensor, found: Float32Array) -> Float32Array:
    """The largest difference of each face."""
    gaps: Float32Array = np.abs(wanted.numpy() - found).reshape(len(found), -1).max(1)
    return gaps


def _differs(how: str) -> ExportFailed:
    return ExportFailed(
        f"export: onnxruntime's results differ from torch's by {how} (up to {LARGEST:g} is rounding); nothing was written; "
        f"install the versions of faceaug[onnx]"
    )


_ROUNDS, _SECONDS = (3, 20), 2.0
"""Least and most rounds of a comparison, and the time after which no further one begins."""


def _in_turns(graph: nn.Module, run: Run, inputs: dict[str, Any]) -> tuple[float, float]:
    """Milliseconds a face of torch and of onnxruntime: medians of rounds in turns, after one each."""
    tensors = [torch.from_numpy(value) for value in inputs.values()]
    times: list[tuple[float, float]] = []
    began = time.perf_counter()
    with torch.inference_mode():
        while len(times) <= _ROUNDS[0] or (len(times) <= _ROUNDS[1] and time.perf_counter() - began < _SECONDS):
            start = time.perf_counter()
            graph(*tensors)
            middle = time.perf_counter()
            run(inputs)
            times.append((middle - start, time.perf_counter() - middle))
    count = len(tensors[0])
    torch_time, onnx_time = (1000 * statistics.median(column) / count for column in zip(*times[1:], strict=True))
    return torch_time, onnx_time
