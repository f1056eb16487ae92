"""kill -9 at any moment, then the same command: the weights are those of a run that was never disturbed, bit for bit.

``FACEAUG_KILLS=20 pytest -s tests/gan/test_kill.py`` kills twenty times and prints where.
"""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import torch
from safetensors.torch import load_file

KILLS = int(os.environ.get("FACEAUG_KILLS", "2"))

RUN = """
import dataclasses
import sys
from pathlib import Path
import torch
from small import GENERATOR, PARSER, noise_faces
from faceaug.gan.config import TrainingConfig
from faceaug.gan.train import Intervals, fit_gan
from faceaug.parser.network import build_parser
from faceaug.compute.device import Compute

torch.set_num_threads(1)
torch.manual_seed(9)
parser = build_parser(PARSER, weights=False)
generator = dataclasses.replace(GENERATOR, texture=False)  # kills do not care, and steps take half the time
print("ready", flush=True)
fit_gan(Path(sys.argv[1]), noise_faces(24), parser, generator, TrainingConfig(images=80, batch=4, seed=5, discriminator="patch"),
        Compute(torch.device("cpu"), "fp32"), record={}, intervals=Intervals(log=8, samples=80, checkpoint=8))
"""


def _start(folder):
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[1])}
    process = subprocess.Popen(
        [sys.executable, "-c", RUN, str(folder)], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout.readline() == "ready\n", process.stderr.read()
    return process


def _images(folder):
    log = folder / "log.jsonl"
    lines = log.read_text().splitlines() if log.is_file() else []
    return lines[-1].split(",")[0] if lines else "nothing yet"


def test_killed_runs_end_in_the_undisturbed_runs_weights(tmp_path):
    began = time.monotonic()
    assert _start(tmp_path / "whole").wait() == 0
    whole = time.monotonic() - began
    chance = random.Random(1)
    kills = 0
    while kills < KILLS:
        process = _start(tmp_path / "cut")
        # Mostly within the first steps after a resumption, so that many kills fit into one run; some long after.
        time.sleep(chance.uniform(0.0, whole / max(3, KILLS / 3) if kills % 3 == 0 else whole / 20))
        if process.poll() is not None:
            break  # it was done first
        process.send_signal(signal.SIGKILL)
        process.wait()
        kills += 1
        print(f"kill {kills}: log at {_images(tmp_path / 'cut')}, {sorted(path.name for path in (tmp_path / 'cut').glob('*'))}")
    process = _start(tmp_path / "cut")
    _, told = process.communicate()
    assert process.returncode == 0, told
    assert kills >= min(KILLS, 2)
    first, second = (load_file(tmp_path / name / "weights.safetensors") for name in ("whole", "cut"))
    assert all(torch.equal(first[name], second[name]) for name in first)
    print(f"{kills} kills, {len(first)} tensors equal bit for bit")
