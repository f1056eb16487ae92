"""Two processes with half of the batch each against one with all of it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from faceaug.compute.device import launch
from faceaug.compute.world import World
from faceaug.errors import ConfigError
from faceaug.runs.log import read_log

TESTS = Path(__file__).resolve().parents[1]

RUN = """
import sys
from pathlib import Path
import torch
from small import GENERATOR, PARSER, noise_faces
from faceaug.evaluate.run import EvaluateConfig, evaluate
from faceaug.gan.config import TrainingConfig
from faceaug.gan.inference import load_generator
from faceaug.gan.train import Intervals, fit_gan
from faceaug.parser.network import build_parser
from faceaug.parser.predict import Parser
from faceaug.imagenet import ImageFeatures
from faceaug.compute.device import launch

folder, devices, accumulate, weights = sys.argv[1:]
torch.set_num_threads(1)
compute = launch("cpu", "fp32", devices=int(devices))
torch.manual_seed(9)
parser = build_parser(PARSER, weights=False)
training = TrainingConfig(images=24, batch=4, seed=5, betas=(0.5, 0.999), learning_rate=1e-5, discriminator="patch")
fit_gan(Path(folder), noise_faces(24), parser, GENERATOR, training, compute, record={}, accumulate=int(accumulate),
        intervals=Intervals(log=8, samples=24, checkpoint=8))
if weights:
    torch.manual_seed(8)
    judge = Parser(build_parser(PARSER, weights=False).eval(), PARSER, {}, "", compute)
    evaluate(Path(folder) / "evaluation", load_generator(Path(weights), compute), targets=noise_faces(5),
             sources=noise_faces(7, seed=1), real=noise_faces(9, seed=2), judge=judge, features=ImageFeatures(compute),
             config=EvaluateConfig(per_mask=3, rounds=10, steps=4), record={})
print("done", compute.world.size)
"""
"""The weights that are evaluated are one run's, for all."""


def _run(folder, *, devices=1, accumulate=1, weights=""):
    file = folder.with_suffix(".py")
    file.write_text(RUN)
    environment = {**os.environ, "PYTHONPATH": str(TESTS), "CUDA_VISIBLE_DEVICES": ""}
    done = subprocess.run(
        [sys.executable, *map(str, (file, folder, devices, accumulate, weights))],
        env=environment, capture_output=True, text=True, check=False, timeout=240,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.count(f"done {devices}") == 1  # the first process alone speaks
    return folder


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    folder = tmp_path_factory.mktemp("world") / "alone"
    return _run(folder, weights=folder / "weights.safetensors")


@pytest.fixture(scope="module")
def two(alone, tmp_path_factory):
    pytest.importorskip("lightning_fabric")
    return _run(tmp_path_factory.mktemp("world") / "two", devices=2, weights=alone / "weights.safetensors")


def _follows(alone, other):
    rows, other_rows = (read_log(folder / "log.jsonl") for folder in (alone, other))
    for row, other_row in zip(rows, other_rows, strict=True):
        for key, value in row.items():
            if key not in ("seconds", "rate", "wait_ms"):
                assert other_row[key] == pytest.approx(value, rel=2e-3, abs=2e-4), key
    # Adam divides by the size of the gradient: where that is rounding, so is the step. All together stay close.
    weights, others = (load_file(folder / "weights.safetensors") for folder in (alone, other))
    moved = torch.stack([(weights[name] - others[name]).norm() for name in weights]).norm()
    whole = torch.stack([weights[name].norm() for name in weights]).norm()
    print(f"{len(weights)} tensors: distance {float(moved / whole):.1e} of their length; {len(rows)} log rows alike")
    assert moved < 1e-4 * whole


def test_two_processes_follow_one(alone, two):
    _follows(alone, two)


def test_a_batch_in_parts_follows_the_whole(alone, tmp_path):
    _follows(alone, _run(tmp_path / "parts", accumulate=2))


def test_two_processes_measure_what_one_does(alone, two):
    one, other = (json.loads((folder / "evaluation" / "evaluation.json").read_text()) for folder in (alone, two))
    assert one["faces"] == other["faces"] == 15
    assert one["agreement"] == other["agreement"]
    for key, score in one["scores"].items():
        assert other["scores"][key] == pytest.approx(score, rel=1e-3), key
    assert (alone / "evaluation" / "faces.png").read_bytes() == (two / "evaluation" / "faces.png").read_bytes()


def test_alone_nothing_is_exchanged():
    world = World()
    layer = torch.nn.Linear(2, 1)
    layer(torch.ones(1, 2)).sum().backward()
    before = layer.weight.grad.clone()
    world.mean_gradients([layer])
    world.wait()
    assert torch.equal(layer.weight.grad, before)
    assert world.mean({"a": 1.5}, torch.device("cpu")) == {"a": 1.5}
    with world.first_goes_ahead():
        assert world.first
    assert world.shared(lambda rows: rows + 1, np.arange(3)).tolist() == [1, 2, 3]


def test_wrong_numbers_of_devices_and_hosts(monkeypatch):
    for name in ("SLURM_NTASKS", "MASTER_ADDR"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(ConfigError, match="--nodes 2: nothing says which host this is; start the command with srun or torchrun"):
        launch("cpu", nodes=2)
    with pytest.raises(ConfigError, match="--devices 0, --nodes 1: must be 1 or more"):
        launch("cpu", devices=0)
