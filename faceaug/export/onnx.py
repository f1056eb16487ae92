"""Parsers and generators as ONNX files, each checked against its network before it gets its name."""

from __future__ import annotations

import contextlib
import importlib
import json
import logging
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

import faceaug
from faceaug.config import to_dict
from faceaug.errors import ConfigError, ExportFailed
from faceaug.export.check import Checked, Drawn, check_generator, check_parser, open_graph
from faceaug.export.graphs import EncodeGraph, GenerateGraph, ParserGraph
from faceaug.export.model import Model
from faceaug.files import atomic_file
from faceaug.gan.inference import Generator
from faceaug.marks import SOURCE_TYPE
from faceaug.parser.predict import Parser

OPSET = 18
"""The first with antialiased resizing, which parsers do to photos."""

_LARGEST_FILE = 2**31 - 2**20
"""Bytes: an ONNX file is a protobuf message, of less than 2 GiB, which also holds the graph."""


@dataclass(frozen=True)
class Exported:
    """What was written.

    Attributes:
        files: paths with their sizes in bytes.
        checked: how they compare with the network.
    """

    files: dict[Path, int]
    checked: Checked


def export_onnx(model: Model, out: Path, *, drawn: Drawn, both_ways: bool = False) -> Exported:
    """Write a model as ONNX and check that onnxruntime computes what torch does.

    A parser is one file. A generator is two, ``NAME-encode.onnx`` and ``NAME-generate.onnx``, so that sources are encoded once
    for any number of targets. The number of faces is free, and the size of a parser's photos.

    Args:
        model: on the CPU, in float32.
        out: ``NAME.onnx``.
        drawn: faces to check with.
        both_ways: let a parser average the probabilities of photo and mirror image.

    Raises:
        ConfigError: a library is missing, or a generator is to be exported both ways.
        ExportFailed: the model has no graph, or the graph computes something else; nothing is left on disk then.
        OutputError: the files cannot be written.
    """
    _check_libraries()
    if isinstance(model, Parser):
        return _export_parser(model, out, drawn, both_ways=both_ways)
    if both_ways:
        raise ConfigError("--both-ways: only parsers average photo and mirror image; leave it out for a generator")
    return _export_generator(model, out, drawn)


def _check_libraries() -> None:
    for name in ("onnx", "onnxscript", "onnxruntime"):
        try:
            importlib.import_module(name)
        except ImportError as error:
            raise ConfigError(f"export-model: needs the package {name}; pip install 'faceaug[onnx]'") from error


def _export_parser(parser: Parser, out: Path, drawn: Drawn, *, both_ways: bool) -> Exported:
    graph = ParserGraph(parser, both_ways=both_ways).eval()
    photo = torch.zeros(2, 72, 80, 3, dtype=torch.uint8)
    proto = _traced(graph, {"photo": photo}, {"photo": ("batch", "height", "width")}, ["labels", "confidence", "scores"])
    _describe(proto, parser, graph="parser", both_ways=both_ways)
    with atomic_file(out) as part:
        _write(proto, part)
        checked = check_parser(parser, graph, open_graph(part), drawn, both_ways=both_ways)
    return Exported({out: out.stat().st_size}, checked)


def _export_generator(generator: Generator, out: Path, drawn: Drawn) -> Exported:
    network, size = generator.network, generator.config.size
    if network.sampled:
        raise ExportFailed(
            f"export: {generator.config.variant} draws its codes by torch's random numbers instead of encoding faces, and no "
            f"graph draws the same; export another variant"
        )
    photo, labels = torch.zeros(2, size, size, 3, dtype=torch.uint8), torch.zeros(2, size, size, dtype=torch.uint8)
    sources = {"source": photo, "source_labels": labels}
    encode, generate = EncodeGraph(network).eval(), GenerateGraph(network).eval()
    with torch.no_grad():
        example = network.encode(torch.zeros(2, 3, size, size), labels)
    look = {"codes": example.codes, "target": photo, "target_labels": labels, **({} if example.image is None else sources)}
    batches = dict.fromkeys([*sources, *look], ("batch",))
    with contextlib.ExitStack() as stack:
        files = {}
        for graph, inputs, outputs in ((encode, sources, ["codes"]), (generate, look, ["photo", "pixels"])):
            name = graph.__class__.__name__.removesuffix("Graph").lower()
            proto = _traced(graph, inputs, {key: batches[key] for key in inputs}, outputs)
            _describe(proto, generator, graph=name, ai_generated=True, digitalSourceType=SOURCE_TYPE)
            path = out.with_name(f"{out.stem}-{name}{out.suffix}")
            files[path] = stack.enter_context(atomic_file(path))
            _write(proto, files[path])
        first, second = (open_graph(part) for part in files.values())
        checked = check_generator(generator, generate, first, second, drawn)
    return Exported({path: path.stat().st_size for path in files}, checked)


def _traced(graph: nn.Module, inputs: dict[str, Tensor], free: dict[str, Sequence[str]], outputs: list[str]) -> Any:
    """A module as an ONNX model.

    Args:
        graph: in eval mode.
        inputs: an example, in the order of ``forward``'s parameters.
        free: names of the leading axes whose lengths the graph leaves open.
        outputs: names.

    Raises:
        ExportFailed: torch cannot.
    """
    from onnxscript import optimizer

    from faceaug.export.operators import TABLE

    axes = {name: torch.export.Dim(name) for names in free.values() for name in names}
    shapes = tuple({axis: axes[name] for axis, name in enumerate(free[key])} for key in inputs)
    # By torch.export: torch's older exporter, TorchScript's, has neither antialiased resizing nor operators of a generator with
    # texture (solve, isin, diag_embed, convolution by computed kernels), and fixes the batch where Python asks for a length.
    # Constants are folded, but no patterns rewritten (optimize=True): with onnxscript 0.7.2 a generator with texture computes
    # something else then, it takes longer than all the rest, and runtimes do it themselves.
    try:
        with torch.no_grad(), _quiet():
            # Copies: one tensor under two names would become one input.
            example = tuple(value.clone() for value in inputs.values())
            exported = torch.export.export(graph, example, dynamic_shapes=shapes, strict=False)
            program = torch.onnx.export(
                exported,
                (),
                dynamo=True,
                opset_version=OPSET,
                input_names=list(inputs),
                output_names=outputs,
                dynamic_shapes=shapes,
                custom_translation_table=TABLE,
                external_data=False,
                optimize=False,
                verbose=False,
            )
            assert program is not None  # with dynamo
            optimizer.fold_constants(program.model)
            optimizer.remove_unused_nodes(program.model)
            return program.model_proto
    except Exception as error:  # tracing raises nearly anything
        reason = next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)[:200]
        raise ExportFailed(f"export: torch makes no graph of it ({reason}); install the versions of faceaug[onnx]") from error


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Exporters warn and log of what is theirs; what goes wrong is raised all the same."""
    disabled = logging.root.manager.disable
    logging.disable(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(disabled)


def _describe(proto: Any, model: Model, **more: Any) -> None:
    """What a file says of itself, in ``metadata_props``: all values are JSON but those that are texts already."""
    import onnx

    facts = {"faceaug": faceaug.__version__, "weights": model.hash, "opset": OPSET, "size": model.config.size}
    facts |= {"kind": "parser" if isinstance(model, Parser) else "gan", "scheme": to_dict(model.config.scheme), **more}
    texts = {key: value if isinstance(value, str) else json.dumps(value) for key, value in facts.items()}
    onnx.helper.set_model_props(proto, texts)


def _write(proto: Any, path: Path) -> None:
    size = proto.ByteSize()
    if size > _LARGEST_FILE:
        raise ExportFailed(f"export: a graph of {size / 2**30:.1f} GiB fits no ONNX file (2 GiB); train a narrower network")
    path.write_bytes(proto.SerializeToString())
