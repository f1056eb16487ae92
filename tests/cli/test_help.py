import subprocess
import sys
import time

import pytest
from faceaug.cli.main import app
from typer.main import get_command


def _commands(group, before=()):
    for name, command in group.commands.items():
        yield from _commands(command, (*before, name)) if hasattr(command, "commands") else [((*before, name), command)]


COMMANDS = {" ".join(names): command for names, command in _commands(get_command(app))}


def test_help_is_instant():
    times = []
    for _ in range(3):
        began = time.monotonic()
        done = subprocess.run([sys.executable, "-m", "faceaug.cli", "--help"], capture_output=True, text=True, check=True)
        times.append(time.monotonic() - began)
    assert len(COMMANDS) == 31
    assert all(command.split()[0] in done.stdout for command in COMMANDS)
    assert min(times) < 1


def test_a_process_ends_with_one_line_and_2(tmp_path):
    command = [sys.executable, "-m", "faceaug.cli", "train-parser", "--faces", "helen:nowhere"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith("faceaug: nowhere: no such folder")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_an_example_and_explains_each_option(faceaug, command):
    text = faceaug(*command.split(), "--help").out
    assert f"Example: faceaug {command}" in text
    options = [option for option in COMMANDS[command].params if option.name != "help"]
    assert options
    for option in options:
        assert len(getattr(option, "help", None) or "") > 8, option.name
        assert max(option.opts, key=len) in text or option.param_type_name == "argument"


def test_unknown_commands_and_options_exit_with_2(faceaug):
    for args in (["paint"], ["generate", "--colour"], ["draw", "--train", "many"]):
        outcome = faceaug(*args)
        assert outcome.code == 2
        assert "Traceback" not in outcome.err
