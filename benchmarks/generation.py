"""How fast faces are generated: beside the public code's way, beside what this machine can do at all, and in how much memory."""

from __future__ import annotations

import dataclasses
import statistics
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from faceaug.datasets.celeba import CelebA
from faceaug.datasets.drawn.layouts import write_celeba, write_helen
from faceaug.datasets.helen import Helen
from torch.utils.flop_counter import FlopCounterMode

from faceaug.compute.device import Compute
from faceaug.files import write_json
from faceaug.gan.config import PRESETS, GeneratorConfig
from faceaug.gan.inference import CHUNK, Generator
from faceaug.gan.variants import build_generator
from faceaug.generate.config import GenerateConfig
from faceaug.generate.plan import Plan
from faceaug.generate.run import Inputs, Setting, prepare
from faceaug.images import write_png
from faceaug.parser.config import ParserConfig
from faceaug.parser.network import build_parser
from faceaug.parser.predict import Parser
from faceaug.prepare.faces import LabelledFaces, align
from faceaug.progress import Progress, say
from faceaug.shards.writer import shard_name, write_shard

from .shard_reads import measure_reads
from .train_throughput import convolution_ceiling

_MASKS, _SOURCES = 32, 64
_PER_MASK = 4
"""Rows a mask: each source is used twice, as 10,000 faces use 5,000 photos."""


@dataclasses.dataclass(frozen=True)
class Lengths:
    """How much is measured.

    Attributes:
        rounds: alternations of the two ways at each preset.
        rows: faces of a round; at 256 px a quarter of them.
        memory: rows of the set whose memory is measured; none where 0.
        reads: seconds of reading at each size; none where 0.
    """

    rounds: int = 3
    rows: int = 64
    memory: int = 10_000
    reads: float = 20.0


def bench_generation(
    folder: Path, presets: list[str], compute: Compute, lengths: Lengths, *, out: Path | None, record: dict[str, Any]
) -> dict[str, Any]:
    """Measure, all in one process, on drawn faces and fresh networks: speed depends on neither.

    Args:
        folder: for scratch files.
        presets: of the GAN, see :data:`faceaug.gan.config.PRESETS`.
        compute: device and precision of the default way; the public code's is float32.
        lengths: how much is measured.
        out: file for the result as JSON, or None.
        record: what else to keep.

    Returns:
        ``generation`` by preset, see :func:`_speed`; ``memory``: rows and resident MiB; ``reads`` by size, see
        :func:`faceaug.benchmarks.shard_reads.measure_reads`.
    """
    write_helen(folder / "helen", train=_MASKS, tuning=1, testing=1, seed=0)
    write_celeba(folder / "celeba", photos=_SOURCES, seed=0)
    sizes = []
    generation: dict[str, Any] = {}
    result: dict[str, Any] = {**record, "device": str(compute), "torch": torch.__version__, "generation": generation}

    def keep() -> None:
        if out is not None:
            write_json(out, result)

    for name in presets:
        config = PRESETS[name][0]
        say(f"measuring preset {name}, {config.size} px")
        generation[name] = _speed(folder / name, config, _inputs(folder, config, compute), lengths)
        sizes.append(config.size)
        keep()
    if lengths.memory:
        say(f"measuring the memory of {lengths.memory:,} rows")
        result["memory"] = _memory(folder / "memory", compute, folder, lengths.memory)
        keep()
    if lengths.reads:
        say("measuring reads")
        result["reads"] = {str(size): measure_reads(folder, size=size, seconds=lengths.reads) for size in dict.fromkeys(sizes)}
        keep()
    return result


def _inputs(folder: Path, config: GeneratorConfig, compute: Compute) -> Inputs:
    """Drawn faces, and networks whose weights are drawn too."""
    torch.manual_seed(0)
    targets = align(Helen(folder / "helen"), size=config.size).labelled()
    photos = align(CelebA(folder / "celeba"), size=config.size)
    # Source label maps from the targets': what the photos show does not matter here.
    sources = photos.with_labels(np.asarray(targets.labels)[np.arange(len(photos)) % len(targets)])
    network = compute.module(build_generator(config)).eval().requires_grad_(False)
    parser = ParserConfig(size=config.size)
    judge = Parser(compute.module(build_parser(parser, weights=False)).eval().requires_grad_(False), parser, {}, "", compute)
    return Inputs(targets, sources, Generator(network, config, {}, "", compute), judge, judge)


def _settings(**changes: Any) -> GenerateConfig:
    return GenerateConfig(**{"per_mask": _PER_MASK, "gender": "any", "candidates": 1, **changes})


def _speed(folder: Path, config: GeneratorConfig, inputs: Inputs, lengths: Lengths) -> dict[str, Any]:
    """Faces/s of both ways, in turn.

    Returns:
        ``faces_per_second``: planned pairs encoded, generated and written as a shard; ``public_faces_per_second``: the same pairs
        one by one, in float32, the source encoded for each, no pixels of the source, written as PNG; ``ratio``, the median of the
        rounds'; ``whole_faces_per_second``: with planning among 1,024 candidates and the judge; ``seconds`` of its parts, a face;
        ``idle_share``: of its time, in which generating waited for planning or the judge; ``gflop_per_face``, ``ceiling_gflops``
        and ``fraction_of_ceiling`` of generating alone.
    """
    folder.mkdir(parents=True, exist_ok=True)
    rows = max(lengths.rows * 64 // config.size, CHUNK)
    setting = prepare(folder, inputs, _settings(), CHUNK)
    plan = setting.job.planner.rows(0, min(rows, len(setting.job.planner)))
    public = _PublicWay(config, inputs, folder)
    ours_rates, public_rates = [], []
    few = range(max(len(plan) // 8, 4))
    _ours(folder, setting, plan)  # not counted: kernels are chosen
    public.generate(plan, range(2))
    for _ in range(lengths.rounds):
        setting.job.painter.__post_init__()  # nothing is encoded yet
        ours_rates.append(len(plan) / _ours(folder, setting, plan))
        public_rates.append(len(few) / public.generate(plan, few))
    whole = prepare(folder, inputs, _settings(candidates=1024), CHUNK)
    whole.job.make(0, CHUNK)
    began = time.perf_counter()
    made = whole.job.make(0, len(plan))
    taken = time.perf_counter() - began
    flops, alone = _generating(setting, plan)
    compute = inputs.generator.compute
    ceiling = convolution_ceiling(compute.device, compute.precision, config.size, backward=False)
    return {
        "size": config.size,
        "width": config.width,
        "rows": len(plan),
        "faces_per_second": round(statistics.median(ours_rates), 3),
        "public_faces_per_second": round(statistics.median(public_rates), 3),
        "ratio": round(statistics.median(a / b for a, b in zip(ours_rates, public_rates, strict=True)), 2),
        "ratios": [round(a / b, 2) for a, b in zip(ours_rates, public_rates, strict=True)],
        "whole_faces_per_second": round(len(plan) / taken, 3),
        "seconds": {name: round(value / len(plan), 5) for name, value in made.seconds.items()},
        "idle_share": round(made.seconds["idle"] / taken, 3),
        "generating_faces_per_second": round(alone, 3),
        "gflop_per_face": round(flops, 3),
        "ceiling_gflops": ceiling,
        "fraction_of_ceiling": round(flops * alone / ceiling, 3),
    }


def _ours(folder: Path, setting: Setting, plan: Plan) -> float:
    """Seconds to encode, generate and write planned faces."""
    painter = setting.job.painter
    began = time.perf_counter()
    images, labels = plan.target_arrays(painter.targets, painter.operations)
    faces = painter.generate(plan, images, labels)
    columns = {"target": ["t"] * len(plan), "source": ["s"] * len(plan), "row": plan.row, "seed": plan.seed}
    columns |= {"agreement": np.ones(len(plan)), "params": ["{}"] * len(plan)}
    scheme = painter.targets.scheme
    write_shard(folder / shard_name(0), faces, labels, columns, number=0, scheme=scheme, generator="", config={})
    return time.perf_counter() - began


class _PublicWay:
    """The same pairs as the public code's test script computes them: one by one, in float32, contiguous, each written as PNG.

    Its networks have no pixels of the source, which favours it. Encoding and generating are the same code as ours otherwise.
    """

    def __init__(self, config: GeneratorConfig, inputs: Inputs, folder: Path) -> None:
        plain = dataclasses.replace(config, texture=False)
        self._compute = Compute(inputs.generator.compute.device, "fp32")
        network = build_generator(plain).to(self._compute.device).to(memory_format=torch.contiguous_format)
        self._network = network.eval().requires_grad_(False)
        self._inputs, self._folder = inputs, folder

    @torch.inference_mode()
    def generate(self, plan: Plan, places: range) -> float:
        """Seconds for some of the rows."""
        targets, sources, device = self._inputs.targets, self._inputs.sources, self._compute.device
        began = time.perf_counter()
        for place in places:
            source, target = plan.source[place : place + 1], plan.target[place : place + 1]

            def photo(faces: LabelledFaces, rows: Any) -> torch.Tensor:
                found = torch.from_numpy(np.array(faces.images[rows])).permute(0, 3, 1, 2).to(device).float() / 127.5 - 1
                return found.contiguous()

            def anatomy(faces: LabelledFaces, rows: Any) -> torch.Tensor:
                return torch.from_numpy(np.minimum(faces.anatomy(rows), 10)).to(device)

            pair = photo(sources, source), anatomy(sources, source)
            face = self._network(*pair, photo(targets, target), anatomy(targets, target))
            pixels = ((face[0].permute(1, 2, 0) + 1) * 127.5).round().clamp(0, 255).to(torch.uint8).cpu().numpy()
            write_png(self._folder / "public.png", pixels)
        return time.perf_counter() - began


def _generating(setting: Setting, plan: Plan) -> tuple[float, float]:
    """GFLOP a face of generating, and faces/s of it alone, sources encoded before."""
    painter = setting.job.painter
    images, labels = plan.target_arrays(painter.targets, painter.operations)
    look = painter.looks.of(plan)
    with FlopCounterMode(display=False) as counter:
        painter.generator.generate(look[:CHUNK], images[:CHUNK], labels[:CHUNK])
    times = []
    for _ in range(3):
        began = time.perf_counter()
        painter.generator.generate(look, images, labels)
        times.append(time.perf_counter() - began)
    return counter.get_total_flops() / CHUNK / 1e9, len(plan) / min(times)


_NARROW = GeneratorConfig(size=64, width=8, code=16, blocks=1)


def _memory(folder: Path, compute: Compute, faces: Path, rows: int) -> dict[str, list[int]]:
    """Resident MiB after 1,000, 3,000, 10,000, ... rows of one set; small narrow networks, for memory does not grow in them."""
    folder.mkdir(parents=True, exist_ok=True)
    inputs = _inputs(faces, _NARROW, compute)
    config = _settings(per_mask=1, total=rows, mix="pairs", shapes="all", min_difference=1.0)
    # Many faces a mask, of two people each, need many sources of either gender: the same photos several times.
    many = -(-6 * rows // _MASKS // _SOURCES) + 1
    sources = inputs.sources.select(np.arange(_SOURCES * many) % _SOURCES)
    job = prepare(folder, dataclasses.replace(inputs, sources=sources), config, 64).job
    wanted = [count for step in range(3, 7) for count in (10**step, 3 * 10**step) if count <= rows] or [rows]
    found: dict[str, list[int]] = {"rows": [], "resident_mib": []}
    with Progress("generate", rows, unit="faces") as progress:
        for number, start in enumerate(range(0, rows, 500)):
            made = job.make(start, min(start + 500, rows))
            write_shard(
                folder / shard_name(number),
                made.images,
                made.labels,
                made.columns,
                number=number,
                scheme=sources.scheme,
                generator="",
                config={},
            )
            progress.update(min(start + 500, rows))
            while wanted and start + 500 >= wanted[0]:
                found["rows"].append(wanted.pop(0))
                found["resident_mib"].append(_resident())
    return found


def _resident() -> int:
    """MiB of this process in memory now."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) // 1024
    return 0
