import json

import pytest
from faceaug.benchmarks import train_throughput as module
from faceaug.benchmarks.train_throughput import Lengths, train_throughput
from small import GENERATOR, PARSER

from faceaug.gan.config import TrainingConfig
from faceaug.parser.network import build_parser


def test_everything_is_measured_in_one_run(faces, compute, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "_CONVOLUTIONS", ((32, 4),))  # a ceiling lower than the machine's, found in less time
    out = tmp_path / "speed.json"
    training = TrainingConfig(images=8, batch=2, discriminator="patch")
    parser = build_parser(PARSER, weights=False)
    monkeypatch.setattr(module, "_compiled", lambda *_: (_ for _ in ()).throw(RuntimeError("no compiler\nhere")))
    lengths = Lengths(steps=2, official=1, warmup=1, compiled=True)
    result = train_throughput(out, faces, parser, GENERATOR, training, compute, lengths, record={"preset": "test"})
    assert result == json.loads(out.read_text())
    assert result["ratio"] == pytest.approx(result["images_per_second"] / result["official_images_per_second"], abs=0.01)
    assert result["ratio_per_branch"] == pytest.approx(result["ratio"] / 2, abs=0.01)
    assert result["fraction_of_ceiling"] > 0
    assert result["achieved_gflops"] == pytest.approx(result["images_per_second"] * result["gflop_per_image"], abs=0.1)
    assert sum(row["share"] for row in result["profile"]) <= 1.001
    assert result["peak_memory_mib"] > 50
    assert result["compiling_failed"] == "no compiler"  # and all else is there
