import json

import numpy as np
import torch
from faceaug.benchmarks import generation as module
from faceaug.benchmarks.generation import Lengths, bench_generation
from faceaug.benchmarks.train_throughput import convolution_ceiling

from faceaug.gan.config import PRESETS


def test_everything_is_measured_in_one_run(tmp_path, compute, monkeypatch):
    narrow = (module._NARROW, PRESETS["demo"][1])
    monkeypatch.setitem(PRESETS, "narrow", narrow)
    monkeypatch.setattr(module, "_MASKS", 6)
    monkeypatch.setattr(module, "_SOURCES", 24)
    lengths = Lengths(rounds=2, rows=16, memory=20, reads=0)
    found = bench_generation(tmp_path, ["narrow"], compute, lengths, out=tmp_path / "r.json", record={"a": 1})
    assert json.loads((tmp_path / "r.json").read_text()) == found
    row = found["generation"]["narrow"]
    assert (row["size"], row["width"], row["rows"]) == (64, 8, 16)
    assert len(row["ratios"]) == 2
    assert min(row[key] for key in ("faces_per_second", "public_faces_per_second", "whole_faces_per_second", "ratio")) > 0
    assert set(row["seconds"]) >= {"plan", "encode", "generate", "judge", "idle"}
    assert 0 <= row["idle_share"] < 1
    assert 0 < row["fraction_of_ceiling"] < 1
    assert found["memory"]["rows"] == [20]
    assert found["memory"]["resident_mib"][0] > 100


def test_the_public_way_generates_the_same_pairs(tmp_path, compute, drawn, monkeypatch):
    config = module.dataclasses.replace(module._NARROW, texture=False)
    inputs = module._inputs(drawn, config, compute)
    setting = module.prepare(tmp_path, inputs, module._settings(per_mask=1), 16)
    plan = setting.job.planner.rows(0, 3)
    public = module._PublicWay(config, inputs, tmp_path)
    public._network.load_state_dict(inputs.generator.network.state_dict())
    ours = setting.job.painter.generate(plan, *plan.target_arrays(inputs.targets, {}))
    written = []
    monkeypatch.setattr(module, "write_png", lambda path, pixels: written.append(pixels))
    public.generate(plan, range(3))
    known = inputs.targets.labels[plan.target] != 255  # unlabelled pixels are filled by ours alone
    assert (abs(ours.astype(int) - np.stack(written))[known] <= 8).mean() > 0.9
    assert convolution_ceiling(compute.device, "fp32", 64, backward=False) > 1
    assert torch.is_inference_mode_enabled() is False
