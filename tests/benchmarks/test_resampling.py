import numpy as np
import pytest
from faceaug.benchmarks.resampling import Resamples, interval, measured

from faceaug.labels import HELEN_11
from faceaug.parser.metrics import scores


def test_the_first_resample_is_the_sample_and_scores_as_metrics_do():
    matrices = np.random.default_rng(0).integers(0, 50, (1, 7, 11, 11))
    found = measured(matrices, Resamples.draw(1, 7, 20), HELEN_11)
    expected = scores(matrices[0].sum(0), HELEN_11)
    for key in ("mean_f1", "mean_iou", "pixel_accuracy", "helen_overall"):
        assert found[key][0] == pytest.approx(100 * expected[key], abs=1e-3)
    assert found["f1 nose"][0] == pytest.approx(100 * expected["f1"]["nose"], abs=1e-3)
    assert found["mean_f1"][1:].std() > 0


def test_a_class_that_no_face_has_is_left_out():
    matrices = np.zeros((1, 3, 11, 11), dtype=np.int64)
    matrices[:, :, :5, :5] = 10 * np.eye(5, dtype=np.int64)
    found = measured(matrices, Resamples.draw(1, 3, 10), HELEN_11)
    assert (found["mean_f1"] == 100).all()
    assert np.isnan(found["f1 hair"]).all()
    assert interval(found["f1 hair"]) == {"value": None, "low": None, "high": None}
