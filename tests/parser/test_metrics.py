import numpy as np
import pytest
from sklearn.metrics import accuracy_score, balanced_accuracy_score, f1_score, jaccard_score

from faceaug.labels import FASSEG_6, HELEN_11, IGNORE
from faceaug.parser.metrics import confusion, inner_parts, scores


@pytest.fixture
def maps():
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 11, (3, 20, 20), dtype=np.uint8)
    predicted = np.where(rng.random(truth.shape) < 0.7, truth, rng.integers(0, 11, truth.shape)).astype(np.uint8)
    return predicted, truth


def test_scores_are_scikit_learns(maps):
    predicted, truth = maps[0].ravel(), maps[1].ravel()
    found = scores(confusion(predicted, truth, classes=11), HELEN_11)
    f1 = f1_score(truth, predicted, average=None)
    assert found["pixel_accuracy"] == pytest.approx(accuracy_score(truth, predicted), abs=1e-6)
    assert found["mean_class_accuracy"] == pytest.approx(balanced_accuracy_score(truth, predicted), abs=1e-6)
    assert found["mean_iou"] == pytest.approx(jaccard_score(truth, predicted, average="macro"), abs=1e-6)
    assert list(found["f1"].values()) == pytest.approx(f1.tolist(), abs=1e-6)
    assert found["mean_f1"] == pytest.approx(f1[1:].mean(), abs=1e-6)
    inner = f1_score(np.isin(truth, inner_parts(HELEN_11)), np.isin(predicted, inner_parts(HELEN_11)))
    assert found["helen_overall"] == pytest.approx(inner, abs=1e-6)
    assert list(found["f1"]) == list(HELEN_11.classes)


def test_matrices_of_parts_add_up(maps):
    predicted, truth = maps
    parts = sum(confusion(p, t, classes=11) for p, t in zip(predicted, truth, strict=True))
    assert (parts == confusion(predicted, truth, classes=11)).all()


def test_ignored_pixels_do_not_count(maps):
    predicted, truth = maps
    hidden = truth.copy()
    hidden[predicted != truth] = IGNORE
    assert scores(confusion(predicted, hidden, classes=11), HELEN_11)["pixel_accuracy"] == 1.0


def test_classes_that_never_occur_are_left_out():
    truth = np.ones((4, 4), np.uint8)
    found = scores(confusion(truth, truth, classes=11), HELEN_11)
    assert found["mean_f1"] == found["mean_iou"] == found["mean_class_accuracy"] == 1.0
    assert found["helen_overall"] == 0.0


def test_helens_overall_needs_helens_classes():
    truth = np.random.default_rng(0).integers(0, 6, (2, 8, 8), dtype=np.uint8)
    found = scores(confusion(truth, truth, classes=6), FASSEG_6)
    assert found["mean_f1"] == 1.0
    assert "helen_overall" not in found
    assert list(found["f1"]) == list(FASSEG_6.classes)
