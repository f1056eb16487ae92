"""``faceaug shards``: sets of generated faces."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from collections.abc import Sequence

Set = Annotated[Path, typer.Argument(metavar="SET", help="A set's folder: shard-*.h5 and complete.json.")]

shards = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None, help="Look into sets of generated faces, check, join and export them."
)


@shards.command("info")
def info(folder: Set) -> None:
    """Show what a set holds and what it was made from.

    Example: faceaug shards info runs/synthetic/helen-64-1a2b3c4d
    """
    from faceaug.shards.card import licences
    from faceaug.shards.index import read_index
    from faceaug.shards.reader import ShardReader

    index, reader = read_index(folder), ShardReader(folder)
    size = sum(path.stat().st_size for path in reader.paths)
    dropped = ", ".join(f"{count} {reason}" for reason, count in index["dropped"].items())
    fits = index["agreement"]
    agreement = "not measured"
    if fits["mean"] is not None:
        agreement = f"{fits['mean']:.3f} on average, {fits['p10']:.3f} or more for nine in ten"
    weight = f"{size / 2**20:,.1f} MiB, {size / len(reader):,.0f} bytes a face"
    typer.echo(
        f"faces:     {index['faces']:,} of {index['planned']:,} planned; dropped: {dropped or 'none'}\n"
        f"size:      {reader.size} px, {len(reader.paths):,} shards, {weight}\n"
        f"labels:    {reader.scheme.name}, {len(reader.scheme)} classes\n"
        f"columns:   {', '.join(reader.columns)}\n"
        f"agreement: {agreement}\n"
        f"masks:     {reader.config['targets']['title']}, {reader.config['targets']['count']:,} faces\n"
        f"sources:   {reader.config['sources']['title']}, {reader.config['sources']['count']:,} photos\n"
        f"generator: {reader.config['generator'][:16]}, parser {reader.config['parser'][:16]}\n"
        f"licence:   {'; '.join(licences(index))}"
    )


@shards.command("verify")
def verify(folder: Set) -> None:
    """Check every shard of a set against its index: missing, cut, altered, unreadable. Exit code 1 where one is.

    The same `faceaug generate` command generates such shards again.

    Example: faceaug shards verify runs/synthetic/helen-64-1a2b3c4d
    """
    from faceaug.shards.index import read_index
    from faceaug.shards.verify import verify as find_bad

    bad = find_bad(folder)
    for shard in bad:
        typer.echo(f"{shard.path}: {shard.reason}")
    count = len(read_index(folder)["shards"])
    if bad:
        typer.echo(f"verify: {len(bad)} of {count} shards are bad; repeat the `faceaug generate` command to generate them again")
        raise typer.Exit(1)
    typer.echo(f"verify: {count} shards are as they were written")


@shards.command("preview")
def preview(
    folder: Set,
    rows: Annotated[
        str | None, typer.Option("--rows", metavar="ROW,ROW", help="Numbers of the faces, for example 0,5,9; else --count faces.")
    ] = None,
    count: Annotated[int, typer.Option("--count", help="How many faces, evenly over the set.")] = 24,
    out: Annotated[Path, typer.Option("--out", help="The PNG file.")] = Path("preview.png"),
) -> None:
    """Show faces of a set in a picture: image, mask over it, mask; with row, agreement, target and source.

    Example: faceaug shards preview runs/synthetic/helen-64-1a2b3c4d --rows 0,5,9 --out faces.png
    """
    from faceaug.errors import ConfigError
    from faceaug.images import write_png
    from faceaug.shards.preview import evenly, preview
    from faceaug.shards.reader import ShardReader

    if count < 1:
        raise ConfigError(f"--count {count}: must be 1 or more")
    reader = ShardReader(folder)
    chosen: Sequence[int] = evenly(reader, count) if rows is None else _numbers(rows)
    write_png(out, preview(reader, chosen))
    typer.echo(f"preview: {len(chosen)} faces, {out}")


def _numbers(rows: str) -> list[int]:
    from faceaug.errors import ConfigError

    parts = [part.strip() for part in rows.split(",")]
    if not all(part.isdecimal() for part in parts):
        raise ConfigError(f"--rows {rows!r}: must be numbers with commas between them, for example 0,5,9")
    return [int(part) for part in parts]


@shards.command("merge")
def merge(
    folders: Annotated[list[Path], typer.Argument(metavar="SET SET...", help="Folders of sets with one label scheme and size.")],
    out: Annotated[Path, typer.Option("--out", help="The new set's folder.")],
) -> None:
    """Join sets into one, which is whole or not there; each face keeps where it came from in params.

    Example: faceaug shards merge runs/synthetic/helen-64-1a2b3c4d runs/synthetic/helen-64-5e6f7a8b --out runs/synthetic/both
    """
    from faceaug.shards.merge import merge

    summary = merge(folders, out)
    typer.echo(f"merge: {summary['faces']:,} faces of {len(folders)} sets in {len(summary['shards'])} shards, {out}")


@shards.command("export")
def export(
    folder: Set,
    to: Annotated[str, typer.Option("--to", help="folder, helen, celebamask, webdataset or parquet.")],
    out: Annotated[Path, typer.Option("--out", help="The new folder; it appears when it is whole.")],
    min_agreement: Annotated[
        float, typer.Option("--min-agreement", help="Leave out faces that agree less with their masks (mean F1, 0..1).")
    ] = 0.0,
) -> None:
    """Write a set in a form that other programs read; pictures carry the mark that they are AI-generated.

    folder: images/ and masks/ (palette PNG) with scheme, train.txt and metadata.csv; helen, celebamask: in the layouts of these
    sets, where the labels fit; webdataset: tar files; parquet: for the datasets library. The last two need faceaug[export].

    Example: faceaug shards export runs/synthetic/helen-64-1a2b3c4d --to folder --out faces
    """
    from faceaug.shards.export.run import export

    count = export(folder, to, out, min_agreement=min_agreement)
    typer.echo(f"export: {count:,} faces as {to}, {out}")
