import numpy as np
import pytest
from faceaug.benchmarks.parsing.gains import SMALLEST_GROUP, gains, labels_replaced
from faceaug.benchmarks.resampling import Resamples

from faceaug.labels import HELEN_11

EYE = np.eye(11, dtype=np.int64)


def _faces(rate, count=40, seed=0):
    """Confusion matrices of faces on which so many of 100 pixels of each class are right, give or take a few."""
    rng = np.random.default_rng(seed)
    right = (100 * np.clip(rate + rng.normal(0, 0.02, count), 0, 1)).round().astype(np.int64)[:, None, None]
    return right * EYE + (100 - right) * np.roll(EYE, 1, axis=1)


def test_differences_are_paired_over_faces_and_seeds():
    base, better = {s: _faces(0.8, seed=s) for s in range(3)}, {s: _faces(0.8, seed=s) + 2 * EYE for s in range(3)}
    resamples = Resamples.draw(3, 40, 200)
    found = gains({"aug": base, "more": better}, {"more": "aug"}, resamples, HELEN_11, {})
    gain, score = found["more"]["gain"]["mean_f1"], found["more"]["scores"]["mean_f1"]
    assert 0 < gain["low"] < gain["value"] < gain["high"]
    assert gain["high"] - gain["low"] < 0.2 * (score["high"] - score["low"])  # what faces have in common cancels out
    assert "gain" not in found["aug"]


@pytest.mark.parametrize(("seeds", "fewest"), [(2, 54), (3, 55), (6, 55)])
def test_an_interval_holds_the_truth_nearly_nineteen_times_in_twenty(seeds, fewest):
    """Of 60; where seeds are not widened, intervals of two hold it 50 times."""
    rng, held = np.random.default_rng(1), 0
    for number in range(60):
        effects = rng.normal(0.02, 0.01, seeds)  # the mean of all possible ones is 2 points of the rates
        arms = {
            "a": {s: _faces(0.6, seed=100 * number + s) for s in range(seeds)},
            "b": {s: _faces(0.6 + effects[s], seed=100 * number + 50 + s) for s in range(seeds)},
        }
        gain = gains(arms, {"b": "a"}, Resamples.draw(seeds, 40, 200), HELEN_11, {})["b"]["gain"]["mean_f1"]
        held += gain["low"] <= 2.0 <= gain["high"]
    assert held >= fewest


def test_arms_are_compared_on_the_seeds_that_both_have():
    base = {0: _faces(0.8, seed=0), 1: _faces(0.9, seed=1)}
    found = gains({"a": base, "b": {1: _faces(0.9, seed=1)}}, {"b": "a"}, Resamples.draw(2, 40, 20), HELEN_11, {})
    assert (found["b"]["seeds"], found["b"]["common"]) == ([1], 1)
    assert found["b"]["gain"]["mean_f1"]["value"] == 0


def test_groups_are_scored_on_their_faces():
    matrices = np.concatenate([_faces(0.6, 20), _faces(0.9, 20)])
    rows = np.arange(40) < 20
    found = gains({"a": {0: matrices}}, {}, Resamples.draw(1, 40, 20), HELEN_11, {"hard": rows, "easy": ~rows})["a"]["scores"]
    assert found["group hard"]["value"] == pytest.approx(60, abs=2)
    few = {"few": np.arange(40) < SMALLEST_GROUP - 1}
    assert "group few" not in gains({"a": {0: matrices}}, {}, Resamples.draw(1, 40, 20), HELEN_11, few)["a"]["scores"]
    assert found["group easy"]["value"] == pytest.approx(90, abs=2)


def test_labels_replaced_reads_the_curve_backwards():
    counts = [100, 200, 400]
    without = np.array([80.0, 82.0, 84.0])[:, None].repeat(5, 1)
    found = labels_replaced(counts, without, without + 1.0)
    assert [entry["labelled"] for entry in found] == counts
    assert found[0]["worth"]["value"] == pytest.approx(100 * 2**0.5, rel=1e-3)  # half way in logarithms
    assert found[0]["factor"]["value"] == pytest.approx(1.41, abs=0.01)
    assert found[2]["worth"]["value"] == found[2]["ends"][1] == 400
    worse = labels_replaced(counts, without, without - 1.0)
    assert worse[1]["factor"]["value"] == pytest.approx(0.71, abs=0.01)
    assert worse[0]["worth"]["value"] == worse[0]["ends"][0] == 100


def test_the_curve_may_have_more_counts_than_are_read():
    without = np.array([80.0, 82.0, 84.0])[:, None].repeat(5, 1)
    found = labels_replaced([100, 200, 400], without, np.full((1, 5), 83.0), at=[100])
    assert [(entry["labelled"], entry["ends"]) for entry in found] == [(100, [100, 400])]
    assert found[0]["factor"]["value"] == pytest.approx(2 * 2**0.5, abs=0.01)


def test_a_curve_that_falls_is_read_as_if_it_stayed():
    without = np.array([80.0, 79.0, 84.0])[:, None]
    found = labels_replaced([100, 200, 400], np.hstack([without] * 3), np.full((3, 3), 82.0))
    assert found[0]["worth"]["value"] == pytest.approx(200 * 2**0.5, rel=1e-2)
