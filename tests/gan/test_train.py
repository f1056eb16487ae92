import dataclasses
import json

import cv2
import pytest
import torch
from safetensors.torch import load_file
from small import GENERATOR, PARSER

from faceaug.errors import CheckpointMismatch, TrainingFailed
from faceaug.gan import train as training_module
from faceaug.gan.config import TrainingConfig
from faceaug.gan.train import Intervals, fit_gan, learning_rate, parsing_weight
from faceaug.parser.network import build_parser
from faceaug.runs.folder import alone
from faceaug.runs.log import read_log

TRAINING = TrainingConfig(images=24, batch=4, seed=5)
OFTEN = Intervals(log=8, samples=24, checkpoint=8)


def _fit(run, faces, compute, **changes):
    torch.manual_seed(9)
    parser = build_parser(PARSER, weights=False)
    training, record = changes.get("training", TRAINING), changes.get("record", {})
    return fit_gan(run, faces, parser, GENERATOR, training, compute, record=record, intervals=OFTEN)


class Killed(Exception):
    pass


def test_resumed_equals_uninterrupted_bit_for_bit(faces, compute, tmp_path, monkeypatch):
    whole = _fit(tmp_path / "whole", faces, compute)
    step = training_module.gan_step
    calls = []

    def dies(*args, **kwargs):
        calls.append(1)
        if len(calls) == 4:  # one step after the checkpoint
            raise Killed
        return step(*args, **kwargs)

    monkeypatch.setattr(training_module, "gan_step", dies)
    with pytest.raises(Killed):
        _fit(tmp_path / "cut", faces, compute)
    monkeypatch.setattr(training_module, "gan_step", step)
    cut = _fit(tmp_path / "cut", faces, compute)
    first, second = load_file(whole), load_file(cut)
    assert all(torch.equal(first[name], second[name]) for name in first)
    rows = [
        [{k: v for k, v in row.items() if k not in ("seconds", "rate", "wait_ms")} for row in read_log(folder / "log.jsonl")]
        for folder in (tmp_path / "whole", tmp_path / "cut")
    ]
    assert rows[0] == rows[1]
    assert [row["images"] for row in rows[0]] == [8, 16, 24]


def test_a_run_leaves_what_it_promises(faces, compute, tmp_path):
    weights = _fit(tmp_path, faces, compute)
    assert weights == tmp_path / "weights.safetensors"
    config = json.loads((tmp_path / "config.json").read_text())
    assert config["training"]["images"] == 24
    assert (tmp_path / "curves.png").is_file()
    picture = cv2.imread(str(tmp_path / "samples" / "00000024.png"))
    assert picture.shape[0] == 9 * 98 + 2  # target, mask, reconstruction, three sources with results


def test_the_saved_generator_is_the_average(faces, compute, tmp_path):
    weights = load_file(_fit(tmp_path, faces, compute))
    state = torch.load(tmp_path / "checkpoint.pt", weights_only=True)
    name = next(iter(weights))
    assert torch.equal(weights[name], state["ema"][name])
    assert not torch.equal(weights[name], state["generator"][name])


def test_other_settings_are_refused(faces, compute, tmp_path):
    _fit(tmp_path, faces, compute)
    with pytest.raises(CheckpointMismatch, match=r"other settings \(training\.images, training\.seed\)"):
        _fit(tmp_path, faces, compute, training=TrainingConfig(images=32, batch=4))


def test_a_run_goes_on_after_its_parser_was_moved_but_not_with_another(faces, compute, tmp_path):
    _fit(tmp_path, faces, compute, record={"parser": "here", "parser_hash": "1"})
    _fit(tmp_path, faces, compute, record={"parser": "there", "parser_hash": "1"})
    with pytest.raises(CheckpointMismatch, match=r"other settings \(parser_hash\)"):
        _fit(tmp_path, faces, compute, record={"parser": "there", "parser_hash": "2"})


def test_a_loss_that_is_not_finite_stops_and_keeps_the_checkpoint(faces, compute, tmp_path, monkeypatch):
    step = training_module.gan_step
    calls = []

    def breaks(*args, **kwargs):
        calls.append(1)
        terms = step(*args, **kwargs)
        return {**terms, "local": terms["local"] * float("nan")} if len(calls) > 2 else terms

    monkeypatch.setattr(training_module, "gan_step", breaks)
    with pytest.raises(TrainingFailed, match=r"local/.* is nan after 16 images"):
        _fit(tmp_path, faces, compute)
    assert torch.load(tmp_path / "checkpoint.pt", weights_only=True)["step"] == 2


def test_the_rate_is_constant_then_falls_to_zero():
    training = TrainingConfig(decay_from=0.6)
    assert learning_rate(training, 0.0) == learning_rate(training, 0.6) == training.learning_rate
    assert learning_rate(training, 0.8) == pytest.approx(training.learning_rate / 2)
    assert learning_rate(training, 1.0) == 0


def test_the_parsing_loss_falls_to_zero_or_stays():
    training = TrainingConfig(lambda_gp=2.0, parsing_until=0.5)
    assert [parsing_weight(training, share) for share in (0.0, 0.25, 0.5, 0.9)] == [2.0, 1.0, 0.0, 0.0]
    assert parsing_weight(dataclasses.replace(training, parsing_until=2.0), 0.9) == 2.0


def test_without_weight_the_parser_is_not_asked(noise, compute, tmp_path):
    training = TrainingConfig(images=32, batch=4, discriminator="patch", lambda_perceptual=0.0, parsing_until=0.25, lambda_gp=1.0)
    parser = build_parser(PARSER, weights=False)
    asked = []
    parser.register_forward_hook(lambda *_: asked.append(1))
    intervals = Intervals(log=4, samples=32, checkpoint=32)
    fit_gan(tmp_path, noise(8), parser, GENERATOR, training, compute, record={}, intervals=intervals)
    weighed = [any(key.startswith("parsing/") for key in row) for row in read_log(tmp_path / "log.jsonl")]
    assert weighed == [True, True, *[False] * 6]


def test_a_run_that_another_process_trains_keeps_its_log(faces, compute, tmp_path):
    with alone(tmp_path):
        (tmp_path / "log.jsonl").write_text('{"images": 999}\n')
        with pytest.raises(CheckpointMismatch, match="another process trains there"):
            _fit(tmp_path, faces, compute)
    assert read_log(tmp_path / "log.jsonl") == [{"images": 999}]
