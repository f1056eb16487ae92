"""``faceaug shards``: sets of generated faces."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Set = Annotated[Path, typer.Argument(metavar="SET", help="A set's folder: shard-*.h5 and complete.json.")]

shards = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Look into a set of generated faces, and check it.")


@shards.command("info")
def info(folder: Set) -> None:
    """Show what a set holds and what it was made from.

    Example: faceaug shards info runs/synthetic/helen-64-1a2b3c4d
    """
    from faceaug.shards.reader import ShardReader
    from faceaug.shards.verify import read_index

    index, reader = read_index(folder), ShardReader(folder)
    size = sum(path.stat().st_size for path in reader.paths)
    dropped = ", ".join(f"{count} {reason}" for reason, count in index["dropped"].items())
    weight = f"{size / 2**20:,.1f} MiB, {size / len(reader):,.0f} bytes a face"
    typer.echo(
        f"faces:     {index['faces']:,} of {index['planned']:,} planned; dropped: {dropped or 'none'}\n"
        f"size:      {reader.size} px, {len(reader.paths):,} shards, {weight}\n"
        f"labels:    {reader.scheme.name}, {len(reader.scheme)} classes\n"
        f"agreement: {index['agreement']['mean']:.3f} on average, {index['agreement']['p10']:.3f} or more for nine in ten\n"
        f"masks:     {reader.config['targets']['title']}, {reader.config['targets']['count']:,} faces\n"
        f"sources:   {reader.config['sources']['title']}, {reader.config['sources']['count']:,} photos\n"
        f"generator: {reader.config['generator'][:16]}, parser {reader.config['parser'][:16]}"
    )


@shards.command("verify")
def verify(folder: Set) -> None:
    """Check every shard of a set against its index: missing, cut, altered, unreadable. Exit code 1 where one is.

    The same `faceaug generate` command generates such shards again.

    Example: faceaug shards verify runs/synthetic/helen-64-1a2b3c4d
    """
    from faceaug.shards.verify import read_index
    from faceaug.shards.verify import verify as find_bad

    bad = find_bad(folder)
    for shard in bad:
        typer.echo(f"{shard.path}: {shard.reason}")
    count = len(read_index(folder)["shards"])
    if bad:
        typer.echo(f"verify: {len(bad)} of {count} shards are bad; repeat the `faceaug generate` command to generate them again")
        raise typer.Exit(1)
    typer.echo(f"verify: {count} shards are as they were written")
