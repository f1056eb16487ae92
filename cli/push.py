"""``faceaug push``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .options import DryRun


def push(
    folder: Annotated[
        Path,
        typer.Argument(
            metavar="SET|RUN", help="A set's folder, or a model: a train-parser or train-gan run, or an exported folder."
        ),
    ],
    repository: Annotated[str, typer.Argument(metavar="REPO", help="OWNER/NAME on the Hugging Face hub.")],
    private: Annotated[bool, typer.Option("--private", help="Make a new repository private.")] = False,
    dry_run: DryRun = False,
) -> None:
    """Publish a set or a model on the Hugging Face hub.

    Of a set: shards, index, card and croissant.json; of a model: weights, config.json, card and the ONNX files in its folder.
    All files are checked first. README.md is written where there is none; edit it before publishing: that of a set in its
    folder, that of a model in a folder of faceaug export-model. Needs a token that may write (`hf auth login`, or HF_TOKEN) and
    faceaug[push].

    Example: faceaug push runs/synthetic/helen-64-1a2b3c4d me/helen-synthetic --private
    """
    from faceaug.errors import ShardDamaged
    from faceaug.export.model import holds_model
    from faceaug.shards.reader import COMPLETE

    if holds_model(folder):
        from faceaug.export.push import push_model

        pushed = push_model(folder, repository, private=private, dry_run=dry_run)
    elif not (folder / COMPLETE).is_file():
        raise ShardDamaged(
            f"{folder}: holds neither a model nor a finished set; name a run of train-parser or train-gan, or run the same "
            f"`faceaug generate` command to its end"
        )
    else:
        from faceaug.shards.push import push as push_set

        pushed = push_set(folder, repository, private=private, dry_run=dry_run)
    told = f"{len(pushed.files)} files, {pushed.size / 2**20:,.1f} MiB"
    typer.echo(f"push: would upload {told} to {pushed.url}:" if dry_run else f"push: {told} at {pushed.url}")
    if dry_run:
        typer.echo("\n".join(f"  {name}" for name in pushed.files))
