import dataclasses
import json

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from small import PARSER

from faceaug.errors import CheckpointMismatch
from faceaug.parser import train as training_module
from faceaug.parser.additions import Addition
from faceaug.parser.config import ParserTraining
from faceaug.parser.predict import load_parser, predict_labels
from faceaug.parser.step import ParserStep
from faceaug.parser.train import fit_parser
from faceaug.runs.folder import alone
from faceaug.runs.log import read_log


class Killed(Exception):
    pass


def _fit(run, faces, tuning, training, compute, additions=()):
    return fit_parser(
        run, faces=faces, tuning=tuning, parser=PARSER, training=training, compute=compute, record={}, additions=additions
    )


@pytest.mark.parametrize("taught", [False, True])
def test_resumed_equals_uninterrupted(noise, compute, tmp_path, monkeypatch, taught):
    real, tuning = noise(8), noise(2, seed=1)
    additions = [Addition("photos", noise(8, seed=2), 0.5, taught=True)] if taught else []
    settings = ParserTraining(images=32, batch=4, evaluations=4)
    whole = _fit(tmp_path / "whole", real, tuning, settings, compute, additions)

    step = ParserStep.__call__
    calls = []

    def dies(*args, **kwargs):
        calls.append(1)
        if len(calls) == 6:  # after the checkpoint of step 4, before that of step 6
            raise Killed
        return step(*args, **kwargs)

    monkeypatch.setattr(ParserStep, "__call__", dies)
    with pytest.raises(Killed):
        _fit(tmp_path / "cut", real, tuning, settings, compute, additions)
    monkeypatch.setattr(ParserStep, "__call__", step)
    cut = _fit(tmp_path / "cut", real, tuning, settings, compute, additions)

    first, second = load_file(whole), load_file(cut)
    assert all(torch.equal(first[name], second[name]) for name in first)
    one, two = ([(row["images"], row["loss"]) for row in read_log(tmp_path / run / "log.jsonl")] for run in ("whole", "cut"))
    assert one == two


def test_a_parser_goes_on_from_another_one(noise, compute, tmp_path):
    real, tuning = noise(8), noise(2, seed=1)
    settings = ParserTraining(images=16, batch=4, evaluations=1, learning_rate=1e-9, average=1.0)
    first = load_parser(_fit(tmp_path / "a", real, tuning, ParserTraining(images=16, batch=4, evaluations=1), compute), compute)
    again = fit_parser(
        tmp_path / "b", faces=real, tuning=tuning, parser=PARSER, training=settings, compute=compute, record={}, start=first
    )
    found = load_parser(again, compute).network.state_dict()
    for name, value in first.network.state_dict().items():
        if "running" not in name and "tracked" not in name:  # batch norm counts on
            assert torch.allclose(found[name], value, atol=1e-6), name
    assert json.loads((tmp_path / "b" / "config.json").read_text())["start"] == first.hash
    other = dataclasses.replace(PARSER, encoder="resnet18")
    with pytest.raises(CheckpointMismatch, match="--start: a parser of 64 px"):
        fit_parser(
            tmp_path / "c", faces=real, tuning=tuning, parser=other, training=settings, compute=compute, record={}, start=first
        )
    assert not (tmp_path / "c").exists()


def test_it_learns(faces, compute, tmp_path):
    settings = ParserTraining(images=240, batch=4, evaluations=6, augment="none")
    _fit(tmp_path, faces, faces, settings, compute)
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
        _fit(tmp_path, real, real, ParserTraining(images=4, batch=4), compute)
    with pytest.raises(CheckpointMismatch, match="other settings"):
        _fit(tmp_path, real, real, ParserTraining(images=8, batch=4), compute)


def test_a_batch_is_read_as_its_photos_one_by_one(trained, faces, compute):
    parser = load_parser(trained.parser, compute)
    together = predict_labels(parser, faces.images)
    alone = np.concatenate([predict_labels(parser, faces.images[i : i + 1]) for i in range(len(faces))])
    assert (together == alone).mean() > 0.9999


def test_photos_of_another_size_are_read_at_their_own(trained, compute):
    parser = load_parser(trained.parser, compute)
    assert predict_labels(parser, np.zeros((2, 128, 128, 3), np.uint8)).shape == (2, 128, 128)


def test_a_run_that_another_process_trains_keeps_its_log(noise, compute, tmp_path):
    real = noise(4)
    with alone(tmp_path):
        (tmp_path / "log.jsonl").write_text('{"images": 999}\n')
        with pytest.raises(CheckpointMismatch, match="another process trains there"):
            _fit(tmp_path, real, real, ParserTraining(images=4, batch=4), compute)
    assert read_log(tmp_path / "log.jsonl") == [{"images": 999}]
