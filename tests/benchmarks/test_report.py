import pytest
from faceaug.benchmarks.report import FLAT, budget_verdict, markdown, summarise, table, verdict, write_report

SETTINGS = ("plain", "aug")


def _cell(setting, seed, score, curve=(0.5, 0.6, 0.6, 0.6)):
    keys = ("mean_f1", "helen_overall", "mean_iou", "mean_class_accuracy", "pixel_accuracy")
    return {
        "setting": setting,
        "seed": seed,
        "testing": {**dict.fromkeys(keys, score), "f1": {"skin": score}},
        "tuning_curve": [[100 * (i + 1), value] for i, value in enumerate(curve)],
    }


def test_mean_and_spread_by_hand():
    cells = [_cell("plain", s, v) for s, v in enumerate((0.5, 0.6, 0.7))] + [_cell("aug", s, 0.7) for s in range(3)]
    summary = summarise(cells, SETTINGS)
    plain = summary["settings"]["plain"]["mean_f1"]
    assert plain["mean"] == pytest.approx(0.6)
    assert plain["sd"] == pytest.approx(0.1)
    assert plain["half_width_95"] == pytest.approx(4.30 * 0.1 / 3**0.5, rel=1e-4)
    difference = summary["differences"]["aug - plain"]["mean_f1"]
    assert difference["mean"] == pytest.approx(0.1)
    assert difference["n"] == 3


def test_verdicts_claim_no_more_than_the_seeds_allow():
    one = {"mean": 0.02, "half_width_95": None, "n": 1}
    assert "no conclusion" in verdict("x", one)
    assert verdict("x", {"mean": 0.02, "half_width_95": 0.03, "n": 3}).endswith("no difference shown.")
    assert verdict("x", {"mean": 0.02, "half_width_95": 0.01, "n": 3}).endswith("better.")
    assert verdict("x", {"mean": -0.02, "half_width_95": 0.01, "n": 3}).endswith("worse.")


def test_a_budget_at_which_augmentation_does_not_pay_is_told():
    assert budget_verdict({"mean": 0.02, "half_width_95": 0.01}, 40.0) == []
    assert budget_verdict({"mean": 0.02, "half_width_95": None}, 40.0) == []
    for difference in ({"mean": 0.02, "half_width_95": 0.03}, {"mean": -0.01, "half_width_95": None}):
        (line,) = budget_verdict(difference, 10.04)
        assert line.startswith("Augmentation does not pay at this length, 10.0 passes over the labelled faces")


def test_a_curve_that_still_rises_forbids_conclusions():
    rising = [_cell("plain", 0, 0.5, (0.2, 0.3, 0.4, 0.4 + 2 * FLAT)), _cell("aug", 0, 0.5)]
    summary = summarise(rising, SETTINGS)
    assert not summary["settings"]["plain"]["flat"]
    assert summary["settings"]["aug"]["flat"]
    assert any("Not yet at a plateau on tuning: plain." in line for line in summary["verdict"])


def test_table_markdown_and_plots(tmp_path):
    cells = [_cell(setting, seed, 0.5 + 0.01 * seed) for setting in SETTINGS for seed in range(2)]
    results = {
        "data": "drawn faces",
        "faces": {"train": 12, "tuning": 4, "testing": 4, "generated": 24},
        "bench": {"images": 400, "seeds": 2, "synthetic_share": 0.3},
        "summary": summarise(cells, SETTINGS),
        "cells": cells,
    }
    assert table(results).loc["plain", "mean F1"] == "50.50 +- 0.71"
    text = markdown(results)
    assert "| plain | 50.50 +- 0.71 |" in text
    assert "drawn faces" in text
    write_report(tmp_path, results)
    assert {path.name for path in tmp_path.iterdir()} == {"table.md", "curves.png", "scores.png"}
