import dataclasses
import json

import numpy as np
import pytest
from faceaug.benchmarks import editing as module
from faceaug.benchmarks.editing import EditingConfig, bench_editing, table

from faceaug.edit.editor import TRANSFERABLE, Editor
from faceaug.errors import ConfigError, NothingLeft
from faceaug.gan.inference import load_generator
from faceaug.imagenet import ImageFeatures
from faceaug.parser.predict import load_parser

CONFIG = EditingConfig(faces=3, rounds=20)


@pytest.fixture(scope="module")
def ready(trained, compute):
    parser = load_parser(trained.parser, compute)
    return Editor(load_generator(trained.gan, compute), parser), parser


def _true_masks(faces):
    """Stands in for a trained parser."""
    known = {image.tobytes(): labels for image, labels in zip(faces.images[:], faces.labels[:], strict=True)}
    return lambda parser, images: (np.stack([known[image.tobytes()] for image in images]), np.full(len(images), 0.9))


def test_every_operation_and_transfer_is_measured(ready, faces, compute, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "predict", _true_masks(faces))
    editor, judge = ready
    results = bench_editing(tmp_path, editor, judge, faces, ImageFeatures(compute), CONFIG, record={"weights": "w"})
    assert results == json.loads((tmp_path / "editing.json").read_text())
    assert {"smile", "mouth-open", "brows-up", "hair-longer"} <= set(results["operations"])
    assert sum(entry["faces"] for entry in results["operations"].values()) > 20
    for name, entry in results["operations"].items():
        if not entry["faces"]:  # no room for it in any: that is told
            assert f"| {name} | 0 | |" in table(results)
            continue
        assert 1 <= entry["faces"] <= 3
        assert entry["before"]["low"] <= entry["before"]["value"] <= entry["before"]["high"]
        assert entry["outside"] == 0
    assert results["operations"]["brows-up"]["classes"] == ["skin", "left_brow", "right_brow"]
    assert set(results["transfers"]) <= set(TRANSFERABLE)
    hair = results["transfers"]["hair"]
    assert set(hair["hair"]["colour"]) == {"before", "after", "change"}
    assert hair["outside"] == 0
    for name in ("eyes", "mouth"):  # they are not in the region that a hair transfer replaces
        assert hair[name]["colour"]["moved"]["value"] == 0
        assert hair[name]["features"]["moved"]["value"] == pytest.approx(0, abs=1e-4)
    assert "| hair | 3 | hair, to the source's |" in table(results)
    assert (tmp_path / "editing.md").read_text() == table(results)
    assert (tmp_path / "editing.png").is_file()


def test_a_judge_that_finds_the_new_masks_shows_a_gain(ready, faces, compute, monkeypatch):
    editor, judge = ready
    monkeypatch.setattr(module, "predict", _true_masks(faces))
    people, left_out = module._people(editor, faces, 3)
    assert left_out == 0
    edits = [editor.edit(face, "brows-up") for face in people]
    answers = iter([np.stack([one.face.labels for one in edits]), np.stack([one.labels for one in edits])])
    monkeypatch.setattr(module, "predict_labels", lambda *a, **k: next(answers))
    found = module._judged(judge, edits, CONFIG)
    assert found["after"]["value"] == 100
    assert found["own mask, unedited"]["value"] == 100
    assert found["before"]["value"] < 95
    assert found["gain"]["low"] > 0


def test_faces_that_cannot_be_parsed_are_left_out(ready, faces, monkeypatch):
    masks = _true_masks(faces)
    first = faces.images[0].tobytes()
    monkeypatch.setattr(
        module, "predict", lambda p, images: (masks(p, images)[0], np.array([0.4 if images[0].tobytes() == first else 0.9]))
    )
    people, left_out = module._people(ready[0], faces, 3)
    assert left_out == 1
    assert people[0].name == faces.names[1]
    monkeypatch.setattr(module, "predict", lambda p, images: (masks(p, images)[0], np.array([0.4])))
    with pytest.raises(NothingLeft, match="0 of 12 faces can be parsed reliably"):
        module._people(ready[0], faces, 3)


def test_what_does_not_fit_is_refused(ready, noise, compute, tmp_path):
    editor, judge = ready
    with pytest.raises(ConfigError, match="128 px, the generator 64 px"):
        bench_editing(tmp_path, editor, judge, noise(4, 128), ImageFeatures(compute), CONFIG, record={})
    with pytest.raises(ConfigError, match=r"--count 1: must be 2.*--rounds 1"):
        dataclasses.replace(CONFIG, faces=1, rounds=1)
