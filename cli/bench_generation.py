"""``faceaug bench-generation``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .workspace import Workspace


def bench_generation(
    space: Workspace,
    presets: Annotated[str, typer.Option(help="Presets of the GAN whose speed is measured, separated by commas.")] = "demo,paper",
    rounds: Annotated[int, typer.Option(help="Alternations of the two ways.")] = 3,
    rows: Annotated[int, typer.Option(help="Faces a round at 64 px; fewer at larger sizes.")] = 64,
    memory: Annotated[int, typer.Option(help="Rows of the set whose memory is measured; 0 leaves it out.")] = 10_000,
    reads: Annotated[float, typer.Option(help="Seconds of reading at each size; 0 leaves it out.")] = 20.0,
    out: Annotated[Path | None, typer.Option("--out", help="File for the result, JSON.")] = None,
) -> None:
    """Measure how fast faces are generated and read: beside the public code's way, the machine's ceiling, bare HDF5 and PNG.

    Drawn faces and fresh networks: speed depends on neither. Scratch files go to a temporary folder.

    Example: faceaug bench-generation --presets demo --memory 100000 --out generation.json
    """
    import tempfile

    from faceaug.benchmarks.generation import Lengths
    from faceaug.benchmarks.generation import bench_generation as run_bench

    from faceaug.config import choose_preset
    from faceaug.gan.config import PRESETS

    names = [name.strip() for name in presets.split(",") if name.strip()]
    for name in names:
        choose_preset(PRESETS, name)
    with tempfile.TemporaryDirectory() as folder:
        lengths = Lengths(rounds=rounds, rows=rows, memory=memory, reads=reads)
        result = run_bench(Path(folder), names, space.compute, lengths, out=out, record={"presets": names})
    for name, row in result["generation"].items():
        parts = ", ".join(f"{part} {1000 * value:.1f}" for part, value in row["seconds"].items())
        typer.echo(
            f"{name}, {row['size']} px, {result['device']}\n"
            f"  generated and written: {row['faces_per_second']:.2f} faces/s; public code's way "
            f"{row['public_faces_per_second']:.2f}; ratio {row['ratio']:.2f} (rounds {', '.join(map(str, row['ratios']))})\n"
            f"  with planning and judge: {row['whole_faces_per_second']:.2f} faces/s; ms a face: {parts}; "
            f"idle {row['idle_share']:.0%}\n"
            f"  generating alone: {row['gflop_per_face']:.2f} GFLOP a face, {row['fraction_of_ceiling']:.0%} of "
            f"{row['ceiling_gflops']:,.0f} GFLOP/s"
        )
    if "memory" in result:
        pairs = zip(result["memory"]["rows"], result["memory"]["resident_mib"], strict=True)
        typer.echo("resident memory: " + ", ".join(f"{count:,} rows {mib:,} MiB" for count, mib in pairs))
    for size, row in result.get("reads", {}).items():
        typer.echo(
            f"reads at {size} px: {row['per_second']['synthetic_faces']:,.0f} faces/s, {row['ratio_png']:.1f} times PNG pairs, "
            f"{row['ratio_h5py']:.2f} of bare h5py (arrays {row['ratio_h5py_arrays']:.2f}); a set of 100,000 rows opens in "
            f"{row['open_seconds']:.2f} s"
        )
    if out is not None:
        typer.echo(f"result: {out}")
