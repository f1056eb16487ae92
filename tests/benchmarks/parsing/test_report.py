import pytest
from faceaug.benchmarks.parsing.report import FLAT, markdown, sentences, told, warnings


def _entry(value, half):
    return {"value": value, "low": value - half, "high": value + half}


def _results(gain, seeds=3, control=None, curve=(0.5, 0.7, 0.8, 0.8)):
    arm = {
        "seeds": list(range(seeds)),
        "scores": {"mean_f1": _entry(80, 1)},
        "base": "aug",
        "common": seeds,
        "gain": {"mean_f1": gain},
    }
    if control is not None:
        arm["over_control"] = {"control": "aug+pseudo", **control, "common": seeds}
    return {
        "data": "drawn",
        "finished": True,
        "faces": {"given": {}},
        "arms": {
            "aug": {"augment": "geometric", "added": [], "real": True, "base": "aug", "generated": False},
            "aug+generated": {
                "augment": "geometric",
                "added": [{"what": "generated", "share": 0.3}],
                "generated": True,
                "real": True,
                "base": "aug",
            },
        },
        "scores": {"unet": {"200": {"aug": {"seeds": [0], "scores": {"mean_f1": _entry(79, 1)}}, "aug+generated": arm}}},
        "labels_replaced": {"unet": {}},
        "cells": [{"arm": "aug", "labelled": 200, "curve": [[n, score] for n, score in enumerate(curve)]}],
    }


@pytest.mark.parametrize(
    ("gain", "seeds", "said"),
    [
        (_entry(0.8, 0.3), 3, "better"),
        (_entry(-0.8, 0.3), 3, "worse"),
        (_entry(0.2, 0.3), 3, "no difference shown"),
        (_entry(0.8, 0.3), 1, "one seed shows no spread"),
    ],
)
def test_a_sentence_claims_no_more_than_the_interval(gain, seeds, said):
    assert said in sentences(_results(gain, seeds))[0]


def test_the_best_control_is_named():
    found = sentences(_results(_entry(0.8, 0.3), control=_entry(0.1, 0.2)))[0]
    assert found.endswith("over the best control, aug+pseudo: +0.10 [-0.10, +0.30], no difference shown.")


@pytest.mark.parametrize(
    ("worth", "said"),
    [
        ((300, 250, 350), "as good as 300 [250, 350], 1.5 times as many, without (unet)"),
        ((400, 350, 400), "as good as at least 400 [350, 400 or more] without (unet)"),
        ((400, 400, 400), "ahead of 400 without (unet), where the curve ends: name larger numbers"),
        ((100, 100, 140), "as good as at most 100 [100 or fewer, 140] without (unet)"),
    ],
)
def test_labels_replaced_are_bounds_where_the_curve_ends(worth, said):
    results = _results(_entry(0.8, 0.3))
    entry = {
        "labelled": 200,
        "worth": dict(zip(("value", "low", "high"), worth, strict=True)),
        "ends": [100, 400],
        "common": 2,
    }
    results["labels_replaced"]["unet"] = {"aug+generated": [entry]}
    assert f"200 labelled faces with aug+generated are {said}." in sentences(results)[1]
    entry["common"] = 1
    assert "no conclusion" in sentences(results)[1]


def test_a_curve_that_still_rises_is_said():
    assert warnings(_results(_entry(0.8, 0.3))) == []
    assert "aug (200)" in warnings(_results(_entry(0.8, 0.3), curve=(0.5, 0.6, 0.7, 0.7 + FLAT)))[0]
    assert "aug (200)" in warnings(_results(_entry(0.8, 0.3), curve=(0.5, 0.5)))[0]  # too few points to tell
    assert "still missing" in warnings({**_results(_entry(0.8, 0.3)), "finished": False})[0]
    mixed = [
        {"arm": "aug", "labelled": 200, "curve": [[n, 0.8] for n in range(4)], "compute": c} for c in ("cpu, bf16", "cuda, fp32")
    ]
    assert "on cpu, bf16 and on cuda, fp32" in warnings({**_results(_entry(0.8, 0.3)), "cells": mixed})[0]
    assert "generated: given" in warnings({**_results(_entry(0.8, 0.3)), "faces": {"given": {"generated": 40}}})[0]


def test_nothing_is_nothing():
    assert told(None) == told({"value": None, "low": None, "high": None}) == ""
    assert told({"value": 1.0, "low": None, "high": None}) == "+1.00"


def test_the_table_has_a_row_for_each_arm():
    text = markdown(_results(_entry(0.8, 0.3)))
    assert "| aug+generated | 80.00 [79.00, 81.00] |" in text
    assert "| aug+generated | +0.80 [+0.50, +1.10] |" in text
