"""``faceaug push``."""

from __future__ import annotations

from typing import Annotated

import typer

from .options import DryRun
from .shards import Set


def push(
    folder: Set,
    repository: Annotated[str, typer.Argument(metavar="REPO", help="OWNER/NAME of a dataset on the Hugging Face hub.")],
    private: Annotated[bool, typer.Option("--private", help="Make a new repository private.")] = False,
    dry_run: DryRun = False,
) -> None:
    """Publish a set on the Hugging Face hub: shards, index, card and croissant.json.

    Every shard is checked first. README.md is written where there is none; edit it before publishing. Needs a token that may
    write (`hf auth login`, or HF_TOKEN) and faceaug[push].

    Example: faceaug push runs/synthetic/helen-64-1a2b3c4d me/helen-synthetic --private
    """
    from faceaug.shards.push import push as upload

    pushed = upload(folder, repository, private=private, dry_run=dry_run)
    told = f"{len(pushed.files)} files, {pushed.size / 2**20:,.1f} MiB"
    typer.echo(f"push: would upload {told} to {pushed.url}:" if dry_run else f"push: {told} at {pushed.url}")
    if dry_run:
        typer.echo("\n".join(f"  {name}" for name in pushed.files))
