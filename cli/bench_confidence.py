"""``faceaug bench-confidence``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .options import Faces
from .workspace import Workspace


def bench_confidence(
    space: Workspace,
    parser: Annotated[Path, typer.Option("--parser", help="A parser's weights file, or its run's folder.")],
    faces: Faces = "helen",
    split: Annotated[str, typer.Option(help="Which of the labelled faces: tuning, testing.")] = "tuning",
    out: Annotated[Path | None, typer.Option("--out", help="A JSON file for what was found.")] = None,
) -> None:
    """Measure whether a parser knows how good its label maps are, of photos as they are and made harder.

    Two confidences beside the true F1: the mean of the pixels' probabilities, which chooses the photos that it labels, and the F1
    that the parser expects, which with the share of parts that a label map has decides what faces are edited. How many would be
    refused at which threshold?

    Example: faceaug bench-confidence --faces helen --parser runs/parser/efficientnet-lite0-64-1a2b3c4d --out confidence.json
    """
    import sys

    from faceaug.benchmarks.confidence import bench_confidence as run_bench
    from faceaug.benchmarks.confidence import told

    from faceaug.files import write_json

    loaded = space.parser(parser)
    results = run_bench(loaded, space.labelled(faces, split, size=loaded.config.size))
    typer.echo("\n".join(told(results)))
    if out is not None:
        write_json(out, {"command": " ".join(["faceaug", *sys.argv[1:]]), **results}, option="--out")
