import json

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from small import PARSER

from faceaug.errors import CheckpointMismatch
from faceaug.parser import train as training_module
from faceaug.parser.config import ParserConfig, ParserTraining
from faceaug.parser.network import build_parser
from faceaug.parser.predict import load_parser, predict_labels
from faceaug.parser.train import balanced_cross_entropy, class_weights, fit_parser, parameter_groups, start_balanced
from faceaug.training.log import read_log
from faceaug.training.runs import alone


class Killed(Exception):
    pass


def test_resumed_equals_uninterrupted(noise, compute, tmp_path, monkeypatch):
    real, tuning = noise(8), noise(2, seed=1)
    settings = ParserTraining(images=32, batch=4, evaluations=4)
    whole = fit_parser(tmp_path / "whole", real, tuning, PARSER, settings, compute, record={})

    step = training_module.train_step
    calls = []

    def dies(*args):
        calls.append(1)
        if len(calls) == 6:  # after the checkpoint of step 4, before that of step 6
            raise Killed
        return step(*args)

    monkeypatch.setattr(training_module, "train_step", dies)
    with pytest.raises(Killed):
        fit_parser(tmp_path / "cut", real, tuning, PARSER, settings, compute, record={})
    monkeypatch.setattr(training_module, "train_step", step)
    cut = fit_parser(tmp_path / "cut", real, tuning, PARSER, settings, compute, record={})

    first, second = load_file(whole), load_file(cut)
    assert all(torch.equal(first[name], second[name]) for name in first)
    one, two = ([(row["images"], row["loss"]) for row in read_log(tmp_path / run / "log.jsonl")] for run in ("whole", "cut"))
    assert one == two


def test_it_learns(faces, compute, tmp_path):
    settings = ParserTraining(images=240, batch=4, evaluations=6, augment=False)
    fit_parser(tmp_path, faces, faces, PARSER, settings, compute, record={})
    losses = [row["loss"] for row in read_log(tmp_path / "log.jsonl")]
    assert losses[-1] < 0.6 * losses[0]
    report = json.loads((tmp_path / "report.json").read_text())
    assert report["best"]["pixel_accuracy"] > 0.6
    assert {"curves.png", "predictions.png", "weights.safetensors"} <= {path.name for path in tmp_path.iterdir()}
    assert not (tmp_path / "checkpoint.pt").exists()


def test_other_settings_in_the_same_folder_are_refused(noise, compute, tmp_path, monkeypatch):
    real = noise(8)
    monkeypatch.setattr(training_module, "save_weights", lambda *_, **__: (_ for _ in ()).throw(Killed()))
    with pytest.raises(Killed):
        fit_parser(tmp_path, real, real, PARSER, ParserTraining(images=4, batch=4), compute, record={})
    with pytest.raises(CheckpointMismatch, match="other settings"):
        fit_parser(tmp_path, real, real, PARSER, ParserTraining(images=8, batch=4), compute, record={})


def test_a_batch_is_read_as_its_photos_one_by_one(trained, faces, compute):
    parser = load_parser(trained.parser, compute)
    together = predict_labels(parser, faces.images)
    alone = np.concatenate([predict_labels(parser, faces.images[i : i + 1]) for i in range(len(faces))])
    assert (together == alone).mean() > 0.9999


def test_photos_of_another_size_are_read_at_their_own(trained, compute):
    parser = load_parser(trained.parser, compute)
    assert predict_labels(parser, np.zeros((2, 128, 128, 3), np.uint8)).shape == (2, 128, 128)


def test_rare_classes_weigh_more_and_the_average_pixel_weighs_one(noise):
    faces = noise(4)
    faces.labels[:] = 0
    faces.labels[:, :8, :16] = 1  # 1 pixel in 32
    faces.labels[:, -1] = 255  # counts for nothing
    weights = class_weights(faces, 0.5)
    share = 128 / (64 * 63)
    assert float(weights[1] / weights[0]) == pytest.approx(((1 - share) / share) ** 0.5, rel=1e-5)
    assert float(weights[0] * (1 - share) + weights[1] * share) == pytest.approx(1.0)
    assert not weights[2:].any()
    assert class_weights(faces, 0.0)[:2].tolist() == [1.0, 1.0]


def test_every_weight_is_trained_once_and_a_pretrained_encoder_slower():
    parser = ParserConfig()
    network = build_parser(parser, weights=False)
    groups = parameter_groups(network, parser, ParserTraining(encoder_ratio=0.25))
    assert sorted(id(weight) for group in groups for weight in group["params"]) == sorted(map(id, network.parameters()))
    encoder = {id(weight) for weight in network.encoder.parameters()}
    for group in groups:
        assert {id(weight) in encoder for weight in group["params"]} == {group["ratio"] == 0.25}
        assert {weight.ndim > 1 for weight in group["params"]} == {group["weight_decay"] > 0}


def test_the_balanced_loss_is_least_at_the_true_probabilities():
    labels = torch.zeros(1, 4, 4, dtype=torch.int64)
    labels[0, 0, 0] = 3  # class 3 in 1 of 16 pixels that look the same
    weights = torch.ones(11)
    weights[3] = 5.0
    truth = torch.full((11,), -30.0)
    truth[0], truth[3] = np.log(15 / 16), np.log(1 / 16)
    logits = truth.clone().requires_grad_()
    balanced_cross_entropy(logits[None, :, None, None].expand(1, 11, 4, 4), labels, weights).backward()
    assert float(logits.grad.abs().max()) < 1e-6
    logits = truth.clone().requires_grad_()
    torch.nn.functional.cross_entropy(logits[None, :, None, None].expand(1, 11, 4, 4), labels, weights).backward()
    assert float(logits.grad.abs().max()) > 0.05  # what is mended


def test_without_balance_it_is_plain_cross_entropy():
    rng = torch.Generator().manual_seed(0)
    logits = torch.randn(2, 11, 4, 4, generator=rng)
    labels = torch.randint(0, 11, (2, 4, 4), generator=rng)
    labels[0, 0] = 255
    plain = torch.nn.functional.cross_entropy(logits, labels, ignore_index=255)
    assert balanced_cross_entropy(logits, labels, torch.ones(11)) == pytest.approx(float(plain))


def test_training_begins_without_a_favourite(noise):
    network = build_parser(PARSER)
    head = network.segmentation_head[0]
    before = head.bias.detach().clone()
    weights = torch.tensor([0.5, 4.0] + [0.0] * 9)
    start_balanced(network, weights)
    moved = before - head.bias.detach()
    assert torch.allclose(moved, torch.tensor([0.5, 4.0] + [1.0] * 9).log())


def test_a_run_that_another_process_trains_keeps_its_log(noise, compute, tmp_path):
    real = noise(4)
    with alone(tmp_path):
        (tmp_path / "log.jsonl").write_text('{"images": 999}\n')
        with pytest.raises(CheckpointMismatch, match="another process trains there"):
            fit_parser(tmp_path, real, real, PARSER, ParserTraining(images=4, batch=4), compute, record={})
    assert read_log(tmp_path / "log.jsonl") == [{"images": 999}]
