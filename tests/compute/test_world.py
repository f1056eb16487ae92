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
from faceaug.gan.config import TrainingConfig
from faceaug.gan.train import Intervals, fit_gan
from faceaug.parser.network import build_parser
from faceaug.compute.device import launch

torch.set_num_threads(1)
compute = launch("cpu", "fp32", devices=int(sys.argv[2]))
torch.manual_seed(9)
parser = build_parser(PARSER, weights=False)
training = TrainingConfig(images=24, batch=4, seed=5, betas=(0.5, 0.999), learning_rate=1e-5, discriminator="patch")
fit_gan(Path(sys.argv[1]), noise_faces(24), parser, GENERATOR, training, compute, record={}, accumulate=int(sys.argv[3]),
        intervals=Intervals(log=8, samples=24, checkpoint=8))
print("done", compute.world.size)
"""


EVALUATE = """
import sys
from pathlib import Path
import torch
from small import PARSER, noise_faces
from faceaug.evaluate.run import EvaluateConfig, evaluate
from faceaug.gan.inference import load_generator
from faceaug.parser.network import build_parser
from faceaug.parser.predict import Parser
from faceaug.pretrained import ImageFeatures
from faceaug.compute.device import launch

torch.set_num_threads(1)
compute = launch("cpu", "fp32", devices=int(sys.argv[2]))
torch.manual_seed(8)
judge = Parser(build_parser(PARSER, weights=False).eval(), PARSER, {}, "", compute)
evaluate(Path(sys.argv[1]), load_generator(Path(sys.argv[3]), compute), targets=noise_faces(5), sources=noise_faces(7, seed=1),
         real=noise_faces(9, seed=2), judge=judge, features=ImageFeatures(compute),
         config=EvaluateConfig(per_mask=3, rounds=10, steps=4), record={})
print("done", compute.world.size)
"""


def _run(script, folder, devices, *more):
    file = folder.with_suffix(".py")
    file.write_text(script)
    environment = {**os.environ, "PYTHONPATH": str(TESTS), "CUDA_VISIBLE_DEVICES": ""}
    done = subprocess.run(
        [sys.executable, str(file), str(folder), str(devices), *map(str, more)],
        env=environment, capture_output=True, text=True, check=False, timeout=240,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.count(f"done {devices}") == 1  # the first process alone speaks


def _fit(folder, *, devices=1, accumulate=1):
    _run(RUN, folder, devices, accumulate)
    return load_file(folder / "weights.safetensors"), read_log(folder / "log.jsonl")


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return tmp_path_factory.mktemp("world") / "alone"


@pytest.fixture(scope="module")
def alone(place):
    return _fit(place)


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
    print(f"{len(weights)} tensors: distance {float(moved / whole):.1e} of their length; {len(rows)} log rows alike")
    assert moved < 1e-4 * whole


def test_two_processes_follow_one(alone, tmp_path):
    pytest.importorskip("lightning_fabric")
    _follows(alone, _fit(tmp_path / "two", devices=2))


def test_a_batch_in_parts_follows_the_whole(alone, tmp_path):
    _follows(alone, _fit(tmp_path / "parts", accumulate=2))


def test_two_processes_measure_what_one_does(alone, place, tmp_path):
    pytest.importorskip("lightning_fabric")
    for devices in (1, 2):
        _run(EVALUATE, tmp_path / str(devices), devices, place / "weights.safetensors")
    one, two = (json.loads((tmp_path / name / "evaluation.json").read_text()) for name in ("1", "2"))
    assert one["faces"] == two["faces"] == 15
    assert one["agreement"] == two["agreement"]
    for key, score in one["scores"].items():
        assert two["scores"][key] == pytest.approx(score, rel=1e-3), key
    assert (tmp_path / "1" / "faces.png").read_bytes() == (tmp_path / "2" / "faces.png").read_bytes()


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


def test_no_devices():
    with pytest.raises(ConfigError, match="--devices 0, --nodes 1: must be 1 or more"):
        launch("cpu", devices=0)
