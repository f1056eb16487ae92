"""The README's commands are the commands, and its examples run: every option it shows exists, and CI runs its test line."""

import re
import shlex
import shutil
import sys
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest
import torch
import typer
from faceaug.cli.main import app
from faceaug.datasets.drawn.drawing import draw_face
from faceaug.datasets.drawn.layouts import HELEN_FRAME
from faceaug.datasets.drawn.traits import draw_person, draw_shot
from small import write_set

from faceaug.images import write_jpeg

ROOT = Path(__file__).resolve().parents[1]


def _commands():
    text = (ROOT / "README.md").read_text() + (ROOT / "benchmarks" / "README.md").read_text()
    blocks = re.findall(r"```(?:sh|bash)\n(.*?)```", text, re.S)
    lines = "\n".join(blocks).replace("\\\n", " ").splitlines()
    return [part.strip() for line in lines for part in line.split("&&") if part.strip().startswith("faceaug ")]


def test_every_shown_option_exists():
    group = typer.main.get_command(app)
    shown = _commands()
    assert len(shown) >= 6
    for line in shown:
        name, *words = shlex.split(line, comments=True)[1:]
        if name.startswith("-"):
            continue
        command = group.commands[name]
        known = {option for parameter in command.params for option in parameter.opts + parameter.secondary_opts}
        assert {word.split("=")[0] for word in words if word.startswith("--")} <= known | {"--help"}, line


def test_ci_runs_the_readmes_test_command():
    text = (ROOT / "README.md").read_text()
    line = next(line for line in text.splitlines() if "pytest" in line and "pip install" in line)
    assert line.strip() in (ROOT / ".ci" / "run").read_text()


@pytest.fixture
def place(tmp_path, drawn, faces, trained, monkeypatch):
    """A folder in which the README's examples find what they name; the Lightning that they use, where it is not installed."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "helen").symlink_to(drawn / "helen")
    write_set(tmp_path / "runs" / "synthetic" / "helen", faces.select(range(8)))
    (tmp_path / "runs" / "gan").mkdir()
    shutil.copytree(trained.gan.parent if trained.gan.is_file() else trained.gan, tmp_path / "runs" / "gan" / "helen")
    if find_spec("lightning") is None:
        stub = ModuleType("lightning")
        stub.LightningDataModule = type("LightningDataModule", (), {})
        monkeypatch.setitem(sys.modules, "lightning", stub)
    return tmp_path


def test_the_examples_of_training_run(place):
    section = re.search(r"## In your own training\n(.*?)\n## ", (ROOT / "README.md").read_text(), re.S).group(1)
    blocks = re.findall(r"```python\n(.*?)```", section, re.S)
    assert len(blocks) == 4
    known = {}
    for block in blocks:
        exec(compile(block, "README.md", "exec"), known)
    assert torch.isfinite(known["loss"])
    module = known["Faces"]()
    module.trainer = SimpleNamespace(current_epoch=3)
    images, masks = next(iter(module.train_dataloader()))
    assert images.shape[1:] == (3, 64, 64)
    assert masks.shape[1:] == (64, 64)
    assert known["samples"][0]["image"].shape == (64, 64, 3)
    assert known["repaint"].calls == 2
    assert (place / "looks.safetensors").is_file()


def test_the_example_of_editing_runs(place, faces, monkeypatch):
    monkeypatch.setattr("faceaug.edit.face.predict", lambda parser, images: (faces.labels[:1], np.array([0.9])))
    photo = np.full((300, 400, 3), 90, np.uint8)
    rng = np.random.default_rng([1, 0, 3])
    photo[60:236, 150:326] = draw_face(draw_person(rng), draw_shot(rng), HELEN_FRAME).image
    write_jpeg(place / "portrait.jpg", photo)
    section = re.search(r"## Editing photos\n(.*?)\n## ", (ROOT / "README.md").read_text(), re.S).group(1)
    (block,) = re.findall(r"```python\n(.*?)```", section, re.S)
    exec(compile(block, "README.md", "exec"), {})
    assert (place / "smile.png").is_file()
