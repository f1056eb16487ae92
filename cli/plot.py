"""``faceaug plot``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def plot(
    run: Annotated[Path, typer.Argument(help="Folder of a train-gan or train-parser run, finished or not.")],
    tensorboard: Annotated[bool, typer.Option(help="Also write its log for TensorBoard, into RUN/tensorboard.")] = False,
) -> None:
    """Draw a training run's curves, while it runs or afterwards: losses, scores, speed.

    Writes RUN/curves.png.

    Example: faceaug plot runs/gan/tiny-1a2b3c4d
    """
    from faceaug.errors import CheckpointMismatch, OutputError
    from faceaug.files import read_json

    config = run / "config.json"
    if not config.is_file() or not (run / "log.jsonl").is_file():
        raise CheckpointMismatch(f"{run}: no training run there (config.json and log.jsonl are missing); name its folder")
    gan = "generator" in read_json(config, advice="delete the run to start it anew")
    try:
        if gan:
            from faceaug.gan.train import draw_log

            draw_log(run)
        else:
            from faceaug.parser.train import draw_log as draw_parser_log

            draw_parser_log(run, str(run))
    except OutputError as error:  # there is no option for another place
        raise OutputError(
            f"{str(error).partition('; ')[0]}; copy the run's folder to where there is room, and plot that"
        ) from error
    typer.echo(f"curves: {run / 'curves.png'}")
    if tensorboard:
        from faceaug.runs.curves import write_tensorboard

        typer.echo(f"tensorboard --logdir {write_tensorboard(run)}")
