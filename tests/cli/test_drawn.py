"""Commands with the models inside the package: nothing is trained."""

import json
import re

from PIL import Image

from faceaug.images import read_rgb


def test_a_demo_in_seconds(faceaug, tmp_path):
    outcome = faceaug("demo", "--quick", "--out", tmp_path / "demo", "--device", "cpu")
    assert outcome.code == 0, outcome.err
    page = (tmp_path / "demo" / "quick.html").read_text()
    assert "GAN of drawn faces" in page
    assert read_rgb(tmp_path / "demo" / "faces.png").shape[1] > 700
    assert not (tmp_path / "demo" / "runs").exists()


def test_every_command_takes_them_and_pictures_say_so(faceaug, drawn, tmp_path):
    where = ("--data-root", drawn, "--runs", tmp_path / "runs", "--device", "cpu")
    outcome = faceaug("generate", "--generator", "drawn", "--per-mask", 1, "--out", tmp_path / "set", *where)
    assert outcome.code == 0, outcome.err
    assert json.loads((tmp_path / "set" / "complete.json").read_text())["trained_on"] == "drawn faces"
    assert "a GAN of drawn faces" in (tmp_path / "set" / "report.html").read_text()
    assert "trained on drawn faces" in (tmp_path / "set" / "README.md").read_text()
    outcome = faceaug("shards", "replay", tmp_path / "set", 1, "--out", tmp_path / "again.png", *where)
    assert outcome.code == 0, outcome.err
    assert "the same bit for bit" in outcome.out
    photo = next((drawn / "helen").rglob("*.jpg"))
    outcome = faceaug("faces", photo, "--sources", photo, "--generator", "drawn", "--out", tmp_path / "faces", *where[2:])
    assert outcome.code == 0, outcome.err
    with Image.open(next(path for path in (tmp_path / "faces").glob("*.png") if path.name != "faces.png")) as face:
        assert face.text["Software"] == "faceaug, a model of drawn faces"
    outcome = faceaug("parse", photo, "--parser", "drawn", "--out", tmp_path / "labels", "--device", "cpu")
    assert outcome.code == 0, outcome.err


def test_a_command_without_a_run_says_that_there_are_some(faceaug, drawn, tmp_path):
    outcome = faceaug("generate", "--data-root", drawn, "--runs", tmp_path / "none", "--device", "cpu")
    assert outcome.code == 2
    assert re.search(
        r"run `faceaug train-gan` first, or name its file, or drawn, the small one that comes with faceaug", outcome.err
    )
