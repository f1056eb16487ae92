import subprocess
import sys
import time

import pytest
from faceaug.cli.main import app
from typer.main import get_command

COMMANDS = tuple(get_command(app).commands)


def test_help_is_instant():
    times = []
    for _ in range(3):
        began = time.monotonic()
        done = subprocess.run([sys.executable, "-m", "faceaug.cli", "--help"], capture_output=True, text=True, check=True)
        times.append(time.monotonic() - began)
    assert len(COMMANDS) == 15
    assert all(command in done.stdout for command in COMMANDS)
    assert min(times) < 1


def test_a_process_ends_with_one_line_and_2(tmp_path):
    command = [sys.executable, "-m", "faceaug.cli", "train-parser", "--faces", "helen:nowhere"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith("faceaug: nowhere: no such folder")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_an_example_and_explains_each_option(faceaug, command):
    text = faceaug(command, "--help").out
    assert f"Example: faceaug {command}" in text
    options = [option for option in get_command(app).commands[command].params if option.name != "help"]
    assert options
    for option in options:
        assert len(getattr(option, "help", None) or "") > 8, option.name
        assert max(option.opts, key=len) in text or option.param_type_name == "argument"


def test_unknown_commands_and_options_exit_with_2(faceaug):
    for args in (["paint"], ["generate", "--colour"], ["draw", "--train", "many"]):
        outcome = faceaug(*args)
        assert outcome.code == 2
        assert "Traceback" not in outcome.err
