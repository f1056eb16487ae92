"""``faceaug export-model``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def export_model(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="Folder or weights file of a train-parser or train-gan run.")],
    out: Annotated[Path, typer.Option("--out", help="NAME.onnx; any other name is a folder of the hub's layout.")],
    both_ways: Annotated[
        bool, typer.Option("--both-ways", help="Let a parser's graph average photo and mirror image, as faceaug parse does.")
    ] = False,
    half: Annotated[bool, typer.Option("--half", help="16-bit weights in a folder: half the size.")] = False,
) -> None:
    """Write a trained model for other programs: as ONNX, or as a folder that from_pretrained loads and push publishes.

    A parser becomes one file, from photos of any size (photo) to labels, confidence and scores. A generator becomes two:
    NAME-encode.onnx from source and source_labels to codes, NAME-generate.onnx from codes and target, target_labels to photo and
    pixels; photos are (N, S, S, 3), labels (N, S, S), all uint8. Drawn faces go through onnxruntime and torch, and nothing is
    written where they differ. Needs faceaug[onnx].

    Example: faceaug export-model runs/parser/efficientnet-lite0-64-1a2b3c4d --out parser.onnx --both-ways
    """
    from faceaug.compute.device import choose_compute
    from faceaug.errors import ConfigError
    from faceaug.export.model import load_model

    if out.suffix.lower() != ".onnx":
        from faceaug.export.hub import save_pretrained

        if both_ways:
            raise ConfigError(f"--both-ways: only ONNX files have it; leave it out, or name --out {out.name}.onnx")
        folder = save_pretrained(run, out, half=half)
        typer.echo(f"export-model: {folder}; load it with faceaug.from_pretrained, publish it with faceaug push")
        return

    if half:
        raise ConfigError(f"--half: only folders have it; leave it out, or name --out {out.stem}")

    import functools

    from faceaug.datasets.drawn.crops import drawn_faces

    from faceaug.export.onnx import OPSET, export_onnx

    faces = functools.cache(lambda size: drawn_faces(8, size=size))
    done = export_onnx(load_model(run, choose_compute("cpu", "fp32")), out, drawn=faces, both_ways=both_ways)
    for file, size in done.files.items():
        typer.echo(f"export-model: {file}, {size / 2**20:,.1f} MiB, opset {OPSET}")
    found = done.checked
    alike = "" if found.agreement is None else f", labels alike in {found.agreement:.3%} of the pixels"
    with_torch, with_onnx = found.milliseconds
    typer.echo(
        f"check: {found.faces} drawn faces by onnxruntime and torch: largest difference {found.difference:.1e}{alike}\n"
        f"speed: {with_onnx:.1f} ms a face with onnxruntime, {with_torch:.1f} with torch, in turns"
    )
