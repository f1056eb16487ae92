import json

import cv2
import numpy as np
import pytest

from faceaug.errors import CheckpointMismatch, ConfigError
from faceaug.evaluate import run as module
from faceaug.evaluate.report import table
from faceaug.evaluate.run import EvaluateConfig, evaluate
from faceaug.generate.plan import Plan

CONFIG = EvaluateConfig(per_mask=2, rounds=10, steps=4)


NAMES = ("generator", "targets", "sources", "real", "judge", "features")


def _evaluate(folder, *ready, record=None):
    return evaluate(folder, **dict(zip(NAMES, ready, strict=True)), config=CONFIG, record=record or {})


@pytest.fixture(scope="module")
def evaluated(ready, tmp_path_factory):
    """A folder and what was measured into it."""
    folder = tmp_path_factory.mktemp("evaluated")
    return folder, _evaluate(folder, *ready, record={"weights": "w"})


def test_everything_is_measured_with_intervals(evaluated):
    folder, result = evaluated
    assert result == json.loads((folder / "evaluation.json").read_text())
    assert result["faces"] == 8
    assert set(result["scores"]) == {
        "FID-EffLite0", "KID-EffLite0 x1000", "FID-judge", "KID-judge x1000", "two-sample AUC", "diversity",
        "agreement pixel_accuracy", "agreement mean_f1",
    }  # fmt: skip
    for score in result["scores"].values():
        assert score["low"] <= score["high"]
    assert set(result["fidelity"]) == {"left eye", "right eye", "mouth", "skin & nose", "hair"}
    assert ["perceptual loss" in warning for warning in result["warnings"]] == [True]
    assert result["agreement"]["pixel_accuracy"] == result["scores"]["agreement pixel_accuracy"]["value"]
    picture = cv2.imread(str(folder / "faces.png"))
    assert picture.shape[0] == 5 * 98 + 2  # the sources and four masks
    assert list(table({"a": result}).index) == ["a"]


def _same(count):
    """Each source on the mask of the same number."""
    rows, nobody = np.arange(count), np.zeros((count, 5), np.int64)
    return Plan(rows, rows, rows[:, None], np.zeros((count, 1), bool), nobody, [[]] * count, np.zeros(count, np.uint64))


def test_the_same_seed_gives_the_same_figures(evaluated, ready, tmp_path):
    assert _evaluate(tmp_path, *ready, record={"weights": "w"}) == evaluated[1]


def test_real_faces_in_the_generators_place_are_perfect(evaluated, ready, tmp_path, monkeypatch):
    generator, targets, sources, _, judge, features = ready
    monkeypatch.setattr(module, "_generate", lambda g, t, s, plan: np.asarray(t.images[plan.target]))
    monkeypatch.setattr(module, "predict_labels", lambda j, images, **_: np.repeat(targets.labels, CONFIG.per_mask, axis=0))
    scores = _evaluate(tmp_path / "perfect", generator, targets, sources, targets, judge, features)["scores"]
    assert scores["agreement pixel_accuracy"]["value"] == 1.0
    assert scores["diversity"]["value"] == 0.0
    generated = evaluated[1]["scores"]
    assert scores["FID-EffLite0"]["value"] < 0.5 * generated["FID-EffLite0"]["value"]


def test_a_source_generated_as_it_is_is_faithful(ready, tmp_path, monkeypatch):
    generator, targets, sources, real, judge, features = ready
    # The sources' photos on the sources' own masks: nothing of them is lost.
    monkeypatch.setattr(module, "_generate", lambda g, t, s, plan: np.asarray(s.images[plan.source]))
    same = targets.select(np.arange(4))
    object.__setattr__(same, "labels", sources.labels[:4])
    monkeypatch.setattr(
        module, "plan_pairs",
        lambda *a, **k: _same(4),
    )  # fmt: skip
    rows = _evaluate(tmp_path, generator, same, sources, real, judge, features)["fidelity"]
    for row in rows.values():
        for kind in ("colour", "features"):
            assert row[f"{kind} to source"]["value"] in (None, pytest.approx(0.0, abs=1e-3))


def test_the_parser_that_the_gan_was_trained_to_please_is_no_judge(ready, tmp_path):
    generator, *others = ready
    generator.record["parser_hash"] = others[3].hash
    try:
        with pytest.raises(ConfigError, match="--judge: is the parser"):
            _evaluate(tmp_path / "x", generator, *others)
    finally:
        del generator.record["parser_hash"]
    assert not (tmp_path / "x").exists()


def test_sizes_must_agree(ready, noise, tmp_path):
    generator, _, *others = ready
    with pytest.raises(CheckpointMismatch, match="generates 64 px, targets are 128 px"):
        _evaluate(tmp_path / "x", generator, noise(2, 128), *others)


def test_limits():
    with pytest.raises(ConfigError, match=r"--per-mask 1.*--rounds 2"):
        EvaluateConfig(per_mask=1, rounds=2)
