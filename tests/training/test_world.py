"""Two processes with half of the batch each against one with all of it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from faceaug.errors import ConfigError
from faceaug.training.device import launch
from faceaug.training.log import read_log
from faceaug.training.world import World

TESTS = Path(__file__).resolve().parents[1]

RUN = """
import sys
from pathlib import Path
import numpy as np, torch
from small import GENERATOR, PARSER
from faceaug.gan.config import TrainingConfig
from faceaug.gan.train import Intervals, fit_gan
from faceaug.parser.network import build_parser
from faceaug.prepare.faces import FaceSet
from faceaug.training.device import launch
from faceaug.training.log import be_quiet

torch.set_num_threads(1)
compute = launch("cpu", "fp32", devices=int(sys.argv[2]))
if not compute.world.first:
    be_quiet()
rng = np.random.default_rng(0)
unknown = np.full(24, -1)
labels = rng.integers(0, 11, (24, 8, 8), dtype=np.uint8).repeat(8, 1).repeat(8, 2)
images = rng.integers(0, 256, (24, 64, 64, 3), dtype=np.uint8)
faces = FaceSet("noise", tuple(map(str, range(24))), images, labels, unknown, unknown)
torch.manual_seed(9)
parser = build_parser(PARSER, weights=False)
training = TrainingConfig(images=24, batch=4, seed=5, betas=(0.5, 0.999), learning_rate=1e-5)
fit_gan(Path(sys.argv[1]), faces, parser, GENERATOR, training, compute, record={}, accumulate=int(sys.argv[3]),
        intervals=Intervals(log=8, samples=24, checkpoint=8))
print("done", compute.world.size)
"""


def _fit(folder, *, devices=1, accumulate=1):
    script = folder.with_suffix(".py")
    script.write_text(RUN)
    environment = {**os.environ, "PYTHONPATH": str(TESTS), "CUDA_VISIBLE_DEVICES": ""}
    done = subprocess.run(
        [sys.executable, str(script), str(folder), str(devices), str(accumulate)],
        env=environment, capture_output=True, text=True, check=False, timeout=240,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.count(f"done {devices}") == 1  # the first process alone speaks
    return load_file(folder / "weights.safetensors"), read_log(folder / "log.jsonl")


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    return _fit(tmp_path_factory.mktemp("world") / "alone")


def _follows(alone, other):
    weights, rows = alone
    others, other_rows = other
    for row, other_row in zip(rows, other_rows, strict=True):
        for key, value in row.items():
            if key not in ("seconds", "rate", "wait_ms"):
                assert other_row[key] == pytest.approx(value, rel=2e-3, abs=2e-4), key
    # Adam divides by the size of the gradient: where that is rounding, so is the step. All together stay close.
    moved = torch.stack([(weights[name] - others[name]).norm() for name in weights]).norm()
    whole = torch.stack([weights[name].norm() for name in weights]).norm()
    assert moved < 1e-4 * whole


def test_two_processes_follow_one(alone, tmp_path):
    pytest.importorskip("lightning_fabric")
    _follows(alone, _fit(tmp_path / "two", devices=2))


def test_a_batch_in_parts_follows_the_whole(alone, tmp_path):
    _follows(alone, _fit(tmp_path / "parts", accumulate=2))


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


def test_no_devices():
    with pytest.raises(ConfigError, match="--devices 0, --nodes 1: must be 1 or more"):
        launch("cpu", devices=0)
