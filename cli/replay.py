"""``faceaug shards replay``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .options import Generator
from .workspace import Workspace


def replay(
    space: Workspace,
    folder: Annotated[Path, typer.Argument(metavar="SET", help="A set's folder: shard-*.h5 and complete.json.")],
    row: Annotated[int, typer.Argument(help="Position of the face in the set, from 0.")],
    masks: Annotated[
        list[str] | None, typer.Option(help="The masks, as generate took them, where they lie elsewhere now; may be repeated.")
    ] = None,
    sources: Annotated[str | None, typer.Option(help="The sources, likewise.")] = None,
    generator: Generator = None,
    parser: Annotated[
        list[Path] | None, typer.Option(help="Weights of the parser, where they lie elsewhere now; may be repeated.")
    ] = None,
    judge: Annotated[Path | None, typer.Option(help="Weights of the judge, likewise.")] = None,
    out: Annotated[Path, typer.Option("--out", help="The picture.")] = Path("replay.png"),
) -> None:
    """Generate a row of a set again: bit for bit the same on the device that made it. Exit code 1 where it differs.

    The picture shows target, mask, sources, the face in the set, the face now, and its labels.

    Example: faceaug shards replay runs/synthetic/helen-64-1a2b3c4d 12
    """
    from faceaug.errors import ConfigError
    from faceaug.generate.replay import replay
    from faceaug.images import write_png
    from faceaug.shards.index import read_index

    from .generate import open_inputs

    index = read_index(folder)
    if row not in range(index["faces"]):
        raise ConfigError(f"row {row}: {folder} has rows 0 to {index['faces'] - 1}")
    files, sets = index.get("files", {}), index.get("provenance", [])
    if space.given_root is None and files.get("data_root"):
        space.root = Path(files["data_root"])
    specs = masks or [one["name"] for one in sets if one["role"] == "masks" and "name" in one]
    source = sources or next((one["name"] for one in sets if one["role"] == "sources" and "name" in one), None)
    if not specs or source is None:
        raise ConfigError(f"{folder}: does not say what it was made from; name it with --masks and --sources")
    labelling = files.get("parser") or []
    inputs = open_inputs(
        space,
        specs,
        source,
        labelled=files.get("labelled"),
        generator=generator or (Path(files["generator"]) if files.get("generator") else None),
        parser=parser or [Path(one) for one in ([labelling] if isinstance(labelling, str) else labelling)],
        judge=judge or (Path(files["judge"]) if files.get("judge") else None),
    ).inputs
    found = replay(folder, row, inputs)
    write_png(out, found.picture)
    image, labels = found.different
    told = "the same bit for bit" if not image + labels else f"{image} pixels and {labels} labels differ"
    people = ", ".join(inputs.sources.names[int(one)] for one in found.plan.people[0])
    typer.echo(
        f"row {row}, number {found.plan.row[0]} of the plan: target {inputs.targets.names[found.plan.target[0]]}, "
        f"sources {people}, edits {found.plan.edits[0] or 'none'}\n{told}; picture: {out}"
    )
    if image + labels:
        raise typer.Exit(1)
