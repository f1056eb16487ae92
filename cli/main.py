"""The ``faceaug`` command: its sub-commands in the order of the data's way, and the one place where errors become exit codes."""

from __future__ import annotations

import contextlib
import errno
import os
import signal
import sys
from typing import Annotated

import typer

from faceaug.errors import FaceaugError, Interrupted
from faceaug.runs.interrupt import SIGNALS, stop

from .bench_confidence import bench_confidence
from .bench_discriminators import bench_discriminators
from .bench_editing import bench_editing
from .bench_gan import bench_gan
from .bench_generation import bench_generation
from .bench_parsing import bench_parsing
from .bench_training import bench_training
from .bench_worth import bench_worth
from .check import check
from .demo import demo
from .draw import draw
from .edit import edit
from .evaluate import evaluate
from .export_model import export_model
from .faces import faces
from .generate import generate
from .parse import parse
from .plot import plot
from .prepare import prepare
from .push import push
from .replay import replay
from .shards import shards
from .swap import swap
from .train_gan import train_gan
from .train_parser import train_parser
from .transfer import transfer
from .web.command import web
from .workspace import on_workspace

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    epilog="Each command explains itself: faceaug COMMAND --help.",
)


def _show_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"faceaug {version('faceaug')}")
        raise typer.Exit


@app.callback()
def main(
    shown: Annotated[
        bool, typer.Option("--version", help="Show the version and exit.", is_eager=True, callback=_show_version)
    ] = False,
) -> None:
    """Labelled synthetic faces that make face parsers better.

    In an empty folder: faceaug draw, then faceaug train-gan, faceaug generate --masks helen, faceaug bench-parsing.
    """


app.command("draw")(on_workspace(draw))
app.command("prepare")(on_workspace(prepare))
app.command("check")(on_workspace(check))
app.command("train-parser")(on_workspace(train_parser))
app.command("parse")(on_workspace(parse))
app.command("train-gan")(on_workspace(train_gan))
app.command("evaluate")(on_workspace(evaluate))
app.command("generate")(on_workspace(generate))
shards.command("replay")(on_workspace(replay))
app.add_typer(shards, name="shards")
app.command("export-model")(on_workspace(export_model))
app.command("push")(on_workspace(push))
app.command("edit")(on_workspace(edit))
app.command("transfer")(on_workspace(transfer))
app.command("swap")(on_workspace(swap))
app.command("faces")(on_workspace(faces))
app.command("web")(on_workspace(web))
app.command("bench-parsing")(on_workspace(bench_parsing))
app.command("bench-gan")(on_workspace(bench_gan))
app.command("bench-worth")(on_workspace(bench_worth))
app.command("bench-discriminators")(on_workspace(bench_discriminators))
app.command("bench-generation")(on_workspace(bench_generation))
app.command("bench-confidence")(on_workspace(bench_confidence))
app.command("bench-editing")(on_workspace(bench_editing))
app.command("bench-training")(on_workspace(bench_training))
app.command("plot")(on_workspace(plot))
app.command("demo")(on_workspace(demo))


_OPENCV_NEEDS = ("libGL", "libEGL", "libglib", "libgthread", "libX", "libxcb", "libSM", "libICE")
"""Libraries that opencv-python links to and that small containers lack."""


def run() -> None:
    """Run the command line: known errors are one line and exit code 2; Ctrl-C and SIGTERM exit with 130 and 143.

    The two raise an exception of our own: typer would take KeyboardInterrupt and say no more than that it was aborted.
    """
    for number in SIGNALS:
        signal.signal(number, stop)
    # Notebooks set it for their own processes; here curves only go to files, and matplotlib refuses to load without that backend.
    os.environ.pop("MPLBACKEND", None)
    try:
        try:
            app()
        finally:
            sys.stdout.flush()  # here its errors are ours; at the interpreter's end they would be a traceback and exit code 120
    except FaceaugError as error:
        typer.secho(f"faceaug: {error}", err=True, fg=typer.colors.RED)
        sys.exit(2)
    except OSError as error:  # the library tells of files; what is left is standard output and error
        if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EPIPE):
            raise
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # what is left in its buffer has no other place to go
        if error.errno == errno.EPIPE:  # whoever read it has seen enough
            sys.exit(1)
        with contextlib.suppress(OSError):
            told = f"faceaug: output cannot be written ({error.strerror}); free some space and run the same command again"
            typer.secho(told, err=True, fg=typer.colors.RED)
        sys.exit(2)
    except ImportError as error:
        if not str(error).startswith(_OPENCV_NEEDS):
            raise
        needed = "install the system packages libgl1 and libglib2.0-0, or opencv-python-headless in place of opencv-python"
        typer.secho(f"faceaug: OpenCV cannot be loaded ({error}); {needed}", err=True, fg=typer.colors.RED)
        sys.exit(2)
    except Interrupted as signalled:
        typer.secho("\nfaceaug: stopped; the same command goes on from here", err=True)
        sys.exit(128 + signalled.number)
    finally:
        for number in SIGNALS:  # what is left is the interpreter's end, which an exception would interrupt with a traceback
            signal.signal(number, signal.SIG_DFL)
