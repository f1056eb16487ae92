import csv

import numpy as np
import pytest
from PIL import Image

from faceaug.images import read_grey, read_rgb, write_png
from faceaug.labels import IGNORE
from faceaug.parser.photos import join_labels, overlay, parse
from faceaug.parser.predict import load_parser
from faceaug.prepare import photos as found_in
from faceaug.prepare.align import TEMPLATE
from faceaug.prepare.detect import Detection
from faceaug.prepare.photos import FaceChoice, find_photos, is_finished


@pytest.fixture(scope="module")
def parser(trained, compute):
    return load_parser(trained.parser, compute)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    rng = np.random.default_rng(0)
    for name in ("a.jpg", "b.png"):
        Image.fromarray(rng.integers(0, 256, (100, 180, 3), dtype=np.uint8)).save((tmp_path / name), format="PNG")
    boxes = [(0, 10, 80), (100, 20, 70)]
    faces = [Detection((x, y, x + s, y + s), TEMPLATE / 256 * s + (x, y), 0.99) for x, y, s in boxes]
    monkeypatch.setattr(found_in, "detect", lambda image, **_: faces)
    return tmp_path


def _report(out):
    with open(out / "report.csv", newline="") as handle:
        return list(csv.DictReader(handle))


def test_label_maps_have_the_photos_size_and_lie_where_the_faces_are(folder, parser):
    photos, out = find_photos([folder]), folder / "out"
    parse(parser, photos, out, choice=FaceChoice("every"), size=64)
    labels = read_grey(out / "a.png")
    assert labels.shape == (100, 180)
    assert (labels[15:85, 3:77] != IGNORE).all()
    assert (labels[25:85, 105:165] != IGNORE).all()
    assert (labels[:, 84:96] == IGNORE).all()
    assert read_rgb(out / "a_overlay.jpg").shape == (100, 180, 3)
    rows = _report(out)
    assert [(row["file"], row["face"]) for row in rows] == [("a.jpg", "1"), ("a.jpg", "2"), ("b.png", "1"), ("b.png", "2")]
    assert all(0 <= float(row["expected_f1"]) <= 1 for row in rows)
    assert is_finished(out, photos)


def test_crops_come_with_label_maps_that_equal_those_of_the_same_crops_read_back(folder, parser):
    photos = find_photos([folder])
    parse(parser, photos, folder / "crops", size=64, crops=True)
    assert sorted(path.name for path in (folder / "crops" / "masks").iterdir()) == ["a.png", "b.png"]
    again = find_photos([folder / "crops" / "images"])
    parse(parser, again, folder / "again", aligned=True)
    for name in ("a.png", "b.png"):
        assert (read_grey(folder / "again" / name) == read_grey(folder / "crops" / "masks" / name)).all()
    assert is_finished(folder / "again", again)


def test_aligned_photos_must_be_square_and_readable(folder, parser):
    (folder / "a.jpg").write_bytes(b"<html>")
    write_png(folder / "c.png", np.zeros((48, 48, 3), np.uint8))
    parse(parser, find_photos([folder]), folder / "out", aligned=True)
    reasons = {row["file"]: row["reason"] for row in _report(folder / "out")}
    assert "no readable image (6 bytes, HTML or XML)" in reasons["a.jpg"]
    assert reasons["b.png"] == "is 180x100: aligned faces are square"
    assert read_grey(folder / "out" / "c.png").shape == (48, 48)


def test_several_label_maps_become_one():
    first = np.array([[IGNORE, 0, 3, 3, 0]], np.uint8)
    second = np.array([[2, 4, 5, IGNORE, IGNORE]], np.uint8)
    assert join_labels([first, second]).tolist() == [[2, 4, 3, 3, 0]]
    assert join_labels([first]).tolist() == first.tolist()


def test_overlays_leave_background_and_unlabelled_pixels_alone(parser):
    photo = np.full((1, 3, 3), 100, np.uint8)
    scheme = parser.config.scheme
    shown = overlay(photo, np.array([[0, IGNORE, 1]], np.uint8), scheme)
    assert (shown[0, :2] == 100).all()
    assert np.abs(shown[0, 2].astype(int) - (100 + np.array(scheme.colours[1])) // 2).max() <= 1
