"""``faceaug draw``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .options import DataRoot, Seed


def draw(
    train: Annotated[int, typer.Option(help="Labelled faces to train on.")] = 160,
    tuning: Annotated[int, typer.Option(help="Labelled faces that choose between states.")] = 60,
    testing: Annotated[int, typer.Option(help="Labelled faces that score.")] = 100,
    photos: Annotated[int, typer.Option(help="Unlabelled photos.")] = 400,
    out: Annotated[
        Path | None,
        typer.Option("--out", help="Folder that gets helen/ and celeba/; else the data root."),
    ] = None,
    data_root: DataRoot = None,
    seed: Seed = 0,
) -> None:
    """Draw faces with exact labels, in Helen's and CelebA's layouts: the data for trying everything out.

    Writes helen/ (photos, eleven soft label maps each, three lists), celeba/ (photos, attributes, landmarks, identities,
    partition) and preview.png. Sets drawn earlier with the same settings are kept; others are never overwritten.

    Example: faceaug draw --train 2000 --photos 5000 --seed 7
    """
    from faceaug.datasets.drawn.layouts import preview, write_celeba, write_helen
    from faceaug.datasets.names import data_root as resolve_root

    from faceaug.config import check_number
    from faceaug.images import write_png

    check_number("--seed", seed)
    root = out or resolve_root(data_root)
    typer.echo(f"draw: {train} + {tuning} + {testing} labelled faces and {photos} photos into {root}")
    write_helen(root / "helen", train=train, tuning=tuning, testing=testing, seed=seed)
    write_celeba(root / "celeba", photos=photos, seed=seed)
    write_png(root / "preview.png", preview(root / "helen", root / "celeba"))
    typer.echo(f"drawn faces: {root / 'helen'}, {root / 'celeba'}; look at {root / 'preview.png'}")
