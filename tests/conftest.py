"""Small real things that many tests need, made once: drawn faces on disk, aligned faces, a trained parser and GAN."""

from __future__ import annotations

import contextlib
import io
import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from faceaug.cli.main import run as command_line
from faceaug.datasets.drawn.layouts import write_celeba, write_helen
from faceaug.datasets.helen import Helen
from fake_hub import Hub
from small import GENERATOR, PARSER, Outcome, Trained, noise_faces

from faceaug.compute.device import Compute
from faceaug.gan.config import TrainingConfig
from faceaug.gan.train import fit_gan
from faceaug.parser.config import ParserTraining
from faceaug.parser.network import build_parser
from faceaug.parser.train import fit_parser
from faceaug.prepare.faces import LabelledFaces, align

torch.set_num_threads(1)  # pytest-xdist gives each core a worker, and results do not depend on how many there are
for _library in ("OMP", "OPENBLAS"):  # for the workers, which start after this, and for processes that tests start
    os.environ.setdefault(f"{_library}_NUM_THREADS", "1")


@pytest.fixture(scope="session")
def compute() -> Compute:
    return Compute(torch.device("cpu"), "fp32")


@pytest.fixture(scope="session")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data root with a small helen/ and celeba/."""
    root = tmp_path_factory.mktemp("data")
    write_helen(root / "helen", train=12, tuning=4, testing=4, seed=1)
    write_celeba(root / "celeba", photos=60, seed=1)
    return root


@pytest.fixture(scope="session")
def faces(drawn: Path) -> LabelledFaces:
    """The twelve training faces at 64 px."""
    return align(Helen(drawn / "helen"), size=64).labelled()


@pytest.fixture
def noise() -> Callable[..., LabelledFaces]:
    """Makes sets of random pictures: where only numbers matter."""
    return noise_faces


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory, faces: LabelledFaces, compute: Compute) -> Trained:
    root = tmp_path_factory.mktemp("trained")
    settings = ParserTraining(images=8, batch=4, evaluations=1)
    parser = fit_parser(
        root / "parser", faces=faces, tuning=faces.select([0, 1]), parser=PARSER, training=settings, compute=compute, record={}
    )
    network = build_parser(PARSER, weights=False)
    record = {"parser": str(parser)}
    gan = fit_gan(root / "gan", faces, network, GENERATOR, TrainingConfig(images=8, batch=4, seed=2), compute, record=record)
    return Trained(parser, gan)


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Hub:
    """A hub to push to, with a token."""
    found = Hub()
    monkeypatch.setattr("huggingface_hub.HfApi", found)
    monkeypatch.setattr("huggingface_hub.get_token", lambda: "token")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
    return found


@pytest.fixture
def faceaug(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Outcome]:
    """Runs a command line in a folder, in this process; everything from parsing to the exit code is the real thing."""

    def run(*args: object, cwd: Path = tmp_path) -> Outcome:
        out, err = io.StringIO(), io.StringIO()
        with monkeypatch.context() as patch, contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            patch.chdir(cwd)
            patch.delenv("FACEAUG_DATA", raising=False)
            patch.setenv("COLUMNS", "200")
            patch.setattr(sys, "argv", ["faceaug", *map(str, args)])
            with pytest.raises(SystemExit) as ended:
                command_line()
        return Outcome(int(ended.value.code or 0), out.getvalue(), err.getvalue())

    return run
