"""From photos to aligned faces and label maps on the command line, with faces that are drawn and really detected."""

import numpy as np
import pytest
from faceaug.datasets.drawn.drawing import draw_face
from faceaug.datasets.drawn.layouts import HELEN_FRAME
from faceaug.datasets.drawn.traits import draw_person, draw_shot
from PIL import Image

from faceaug.images import read_grey


@pytest.fixture
def photos(tmp_path):
    folder = tmp_path / "photos"
    folder.mkdir()
    for number in (0, 3):
        rng = np.random.default_rng([1, 0, number])
        photo = np.full((300, 400, 3), 90, np.uint8)
        photo[60:236, 150:326] = draw_face(draw_person(rng), draw_shot(rng), HELEN_FRAME).image
        Image.fromarray(photo).save(folder / f"photo{number}.PNG")
    Image.new("RGB", (200, 200)).save(folder / "nobody.jpg")
    return folder


def test_prepare_and_parse(faceaug, photos, trained, tmp_path):
    prepare = ("prepare", photos, "--out", tmp_path / "faces", "--size", 64)
    outcome = faceaug(*prepare)
    assert outcome.code == 0, outcome.err
    assert "2 faces from 3 photos; skipped: 1 no face of 32 px" in outcome.out
    again = faceaug(*prepare)
    assert "already finished" in again.out
    assert "2 faces from 3 photos" in again.out
    other = faceaug(*prepare[:-1], 128)
    assert other.code == 2
    assert "made with other settings (prepare.size)" in other.error

    parse = ("parse", "--parser", trained.parser.parent, "--device", "cpu")
    outcome = faceaug(*parse, photos, "--out", tmp_path / "labels")
    assert outcome.code == 0, outcome.err
    assert read_grey(tmp_path / "labels" / "photo0.png").shape == (300, 400)
    assert "already finished" in faceaug(*parse, photos, "--out", tmp_path / "labels").out
    outcome = faceaug(*parse, tmp_path / "faces" / "images", "--aligned", "--crops", "--out", tmp_path / "crops")
    assert outcome.code == 0, outcome.err
    assert sorted(path.name for path in (tmp_path / "crops" / "masks").iterdir()) == ["photo0.png", "photo3.png"]


@pytest.mark.parametrize(
    ("args", "told"),
    [
        (("--size", 5), "--size 5: must be within"),
        (("--faces", "all"), "--faces all: unknown; choose from largest, every"),
        (("--min-confidence", 2), "--min-confidence 2.0: must be within 0..1"),
        (("--min-size", 0), "--min-size 0: must be"),
        (("--landmarks", "none.csv"), "none.csv: no such landmarks file"),
    ],
)
def test_options_are_checked_before_anything_is_written(faceaug, photos, tmp_path, args, told):
    outcome = faceaug("prepare", photos, "--out", tmp_path / "out", *args)
    assert outcome.code == 2
    assert told in outcome.error
    assert not (tmp_path / "out").exists()


def test_landmarks_that_were_given_are_not_written_over(faceaug, photos, tmp_path):
    given = tmp_path / "out" / "landmarks.csv"
    given.parent.mkdir()
    given.write_text("photo0,1,1,9,1,5,5,2,8,8,8\n")
    refused = faceaug("prepare", photos, "--landmarks", given, "--out", given.parent)
    assert refused.code == 2
    assert "landmarks.csv: lies in --out" in refused.error
    assert [path.name for path in given.parent.iterdir()] == ["landmarks.csv"]


def test_missing_photos_and_parsers(faceaug, photos, tmp_path):
    assert "nowhere: no such file or folder" in faceaug("prepare", "nowhere", "--out", "out").error
    assert "weights.safetensors: no such weights file" in faceaug("parse", photos, "--parser", tmp_path, "--out", "out").error
    for name in ("photo0.PNG", "photo3.PNG"):
        (photos / name).unlink()
    outcome = faceaug("prepare", photos, "--out", "out")
    assert outcome.code == 2
    assert "out/report.csv: none of 1 photos has a usable face" in outcome.error


def test_opencv_without_its_system_library_is_one_line(faceaug, monkeypatch):
    import faceaug.cli.main as main

    def broken():
        raise ImportError("libGL.so.1: cannot open shared object file: No such file or directory")

    monkeypatch.setattr(main, "app", broken)
    outcome = faceaug("draw")
    assert outcome.code == 2
    assert outcome.error.startswith("faceaug: OpenCV cannot be loaded (libGL.so.1")
    assert "libgl1" in outcome.error
    assert "opencv-python-headless" in outcome.error
