"""The README's commands are the commands: every option it shows exists, and CI runs its test line."""

import re
import shlex
from pathlib import Path

import typer
from faceaug.cli.main import app

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
