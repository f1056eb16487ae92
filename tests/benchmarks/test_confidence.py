import numpy as np
import pytest
from faceaug.benchmarks import confidence
from faceaug.benchmarks.confidence import CONDITIONS, bench_confidence, told, true_f1

from faceaug.labels import IGNORE
from faceaug.parser.predict import load_parser


def test_a_parser_is_measured(trained, faces, compute):
    results = bench_confidence(load_parser(trained.parser, compute), faces.select(range(6)))
    assert set(results["conditions"]) == set(CONDITIONS)
    for one in results["thresholds"].values():
        assert all(share is None or 0 <= share <= 1 for share in one.values())
    shares = [one["of photos as they are"] for one in results["thresholds"].values()]
    assert shares == sorted(shares)
    lines = told(results)
    assert sum("refused" in line for line in lines) == len(CONDITIONS)


def test_what_is_hidden_counts_for_nothing(faces):
    image, labels = faces.images[0], faces.labels[0]
    for name, harder in CONDITIONS.items():
        photo, truth = harder(image, labels)
        assert (photo.shape, truth.shape, photo.dtype, truth.dtype) == (image.shape, labels.shape, np.uint8, np.uint8), name
    _, truth = CONDITIONS["half hidden"](image, labels)
    assert (truth[:, 32:] == IGNORE).all()
    assert true_f1(labels, truth) == pytest.approx(1)


def test_the_true_f1_is_that_of_the_classes_that_are_there(faces):
    labels = faces.labels[0]
    assert true_f1(labels, labels) == 1
    assert true_f1(np.zeros_like(labels), labels) == 0
    assert np.isnan(true_f1(labels, np.full_like(labels, IGNORE)))


def test_thresholds_are_of_all_conditions(monkeypatch, trained, faces, compute):
    monkeypatch.setattr(confidence, "trust", lambda labels, expected, scheme: 0.0)
    results = bench_confidence(load_parser(trained.parser, compute), faces.select(range(2)))
    assert all(one["of photos as they are"] == 1 for one in results["thresholds"].values())
