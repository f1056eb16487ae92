import csv
import os

import numpy as np
import pytest
from PIL import Image

from faceaug.errors import ConfigError, DatasetNotFound, NothingLeft
from faceaug.images import read_rgb, write_png
from faceaug.prepare import photos as module
from faceaug.prepare.align import TEMPLATE, warp_image
from faceaug.prepare.detect import Detection
from faceaug.prepare.landmark_files import LandmarkFiles
from faceaug.prepare.photos import FaceChoice, Record, check_any, find_photos, is_finished, prepare, summary


def _detection(left, top, side, confidence=0.99, points=TEMPLATE):
    return Detection((left, top, left + side, top + side), points / 256 * side + (left, top), confidence)


@pytest.fixture
def found(monkeypatch):
    """What the detector finds, by the photo's upper left pixel."""
    faces = {}
    calls = []

    def detect(image, *, min_size, min_confidence):
        calls.append(image.shape)
        return [one for one in faces.get(int(image[0, 0, 0]), []) if one.size >= min_size]

    monkeypatch.setattr(module, "detect", detect)
    faces["calls"] = calls
    return faces


@pytest.fixture
def folder(tmp_path, found):
    rng = np.random.default_rng(0)
    source = tmp_path / "photos"
    (source / "deep").mkdir(parents=True)
    for number, name in enumerate(["one.JPG", "two.png", "deep/one.jpeg", "none.webp"]):
        image = rng.integers(0, 256, (90, 120, 3), dtype=np.uint8)
        image[:8, :8] = number * 30
        Image.fromarray(image).save(source / name, format="PNG")
    found[0] = [_detection(10, 20, 60)]
    found[30] = [_detection(40, 5, 70), _detection(0, 50, 40), _detection(80, 50, 30, 0.5)]
    found[60] = [_detection(10, 10, 64)]
    (source / "broken.jpg").write_bytes(b"")
    (source / "notes.txt").write_text("no photo")
    (source / ".hidden.jpg").write_bytes(b"")
    return source


def _report(out):
    with open(out / "report.csv", newline="") as handle:
        return {(row["file"], row["face"]): row for row in csv.DictReader(handle)}


def test_a_folder_becomes_crops_landmarks_and_a_report(folder, tmp_path):
    out = tmp_path / "out"
    rows = prepare(find_photos([folder]), out, size=32, choice=FaceChoice("every", min_size=20))
    names = sorted(path.name for path in (out / "images").iterdir())
    assert names == ["one.png", "one_JPG.png", "two-2.png", "two.png"]
    report = _report(out)
    assert report["broken.jpg", ""]["reason"].startswith("no readable image (0 bytes)")
    assert report["none.webp", ""]["outcome"] == "skipped"
    assert report["none.webp", ""]["reason"] == "no face of 20 px and confidence 0.95 found"
    assert summary(rows) == ("4 faces from 5 photos; skipped: 1 no readable image, 1 no face of 20 px and confidence 0.95 found")
    for row in report.values():
        if row["outcome"] == "aligned":
            matrix = np.array([float(row[f"m{r}{c}"]) for r in range(2) for c in range(3)]).reshape(2, 3)
            crop = read_rgb(out / "images" / f"{row['name']}.png")
            assert (crop == warp_image(read_rgb(folder / row["file"]), matrix, 32)).all()
    with open(out / "landmarks.csv", newline="") as handle:
        points = {row[0]: np.array(row[1:], float).reshape(5, 2) for row in list(csv.reader(handle))[1:]}
    assert sorted(points) == [f"images/{name}" for name in names]
    assert all(np.abs(one - ((TEMPLATE + 0.5) / 8 - 0.5)).max() < 0.3 for one in points.values())
    assert read_rgb(out / "contact_sheet.png").shape[1] > 500


def test_the_largest_face_is_the_default_and_remarks_tell(folder, tmp_path, found):
    found[90] = [_detection(5, 5, 60, points=TEMPLATE[:, ::-1])]
    prepare(find_photos([folder]), tmp_path / "out", size=256)
    report = _report(tmp_path / "out")
    assert report["two.png", "1"]["reason"].startswith("the largest of 2 faces; enlarged 3.7 times")
    assert ("two.png", "2") not in report
    assert report["none.webp", ""]["reason"] == "landmarks are no upright face's"
    found[90] = [_detection(-40, 5, 60, 0.9)]
    os.utime(folder / "none.webp", (1, 1))
    prepare(find_photos([folder]), tmp_path / "out", size=256)
    assert _report(tmp_path / "out")["none.webp", ""]["reason"].endswith("found; the likeliest has confidence 0.90")
    found[90] = [_detection(-40, 5, 60)]
    os.utime(folder / "none.webp", (2, 2))
    prepare(find_photos([folder]), tmp_path / "out", size=32)
    assert _report(tmp_path / "out")["none.webp", "1"]["reason"].endswith("% of the crop outside of the photo")


def test_the_same_again_reads_no_photo_and_an_interrupted_one_goes_on(folder, tmp_path, found):
    photos, out = find_photos([folder]), tmp_path / "out"
    few = dict(list(photos.items())[:2])
    prepare(few, out, size=32)
    assert is_finished(out, few)
    assert not is_finished(out, photos)
    before = len(found["calls"])
    rows = prepare(photos, out, size=32)
    assert len(found["calls"]) == before + 3
    assert is_finished(out, photos)
    assert rows == Record(out, photos).rows() == prepare(photos, out, size=32)
    assert len(found["calls"]) == before + 3
    assert not list(out.rglob("*.part"))


def test_changed_photos_lose_their_crops_and_others_keep_theirs(folder, tmp_path, found):
    photos, out = find_photos([folder]), tmp_path / "out"
    before = prepare(photos, out, size=32)
    crops = len(list((out / "images").iterdir()))
    found[30] = []
    os.utime(folder / "two.png", (1, 1))
    (folder / "one.JPG").unlink()
    after = prepare(find_photos([folder]), out, size=32)
    assert len(list((out / "images").iterdir())) == crops - 1
    assert {file for file, _ in _report(out)} == set(photos)  # what is asked for elsewhere, or gone, is not this call's to delete
    assert [row["file"] for row in after] == [row["file"] for row in before if row["file"] != "one.JPG"]


def test_one_photo_after_another_into_one_folder(folder, tmp_path, found):
    out = tmp_path / "out"
    for name in ("one.JPG", "two.png"):
        assert [row["file"] for row in prepare(find_photos([folder / name]), out, size=32)] == [name]
    assert sorted(path.name for path in (out / "images").iterdir()) == ["one.png", "two.png"]
    assert {file for file, _ in _report(out)} == {"one.JPG", "two.png"}
    assert len((out / "landmarks.csv").read_text().splitlines()) == 3


def test_photos_are_turned_upright_but_not_with_landmark_files(tmp_path, found):
    source = tmp_path / "photos"
    source.mkdir()
    exif = Image.Exif()
    exif[0x0112] = 6
    image = np.random.default_rng(0).integers(0, 256, (40, 60, 3), dtype=np.uint8)
    Image.fromarray(image).save(source / "a.png", exif=exif)
    prepare(find_photos([source]), tmp_path / "one", size=32)
    assert found["calls"] == [(60, 40, 3)]
    points = (TEMPLATE + 0.5) * 40 / 256 - 0.5
    (tmp_path / "points.csv").write_text(f"a,{','.join(map(str, points.ravel()))}\n")
    rows = prepare(find_photos([source]), tmp_path / "two", size=40, landmarks=LandmarkFiles(tmp_path / "points.csv"))
    assert len(found["calls"]) == 1
    assert rows[0]["faces"][0]["box"] is None
    crop = read_rgb(tmp_path / "two" / "images" / "a.png")
    assert np.abs(crop.astype(int) - image[:, :40]).mean() < 12
    (tmp_path / "points.csv").write_text("")
    prepare(find_photos([source]), tmp_path / "three", landmarks=LandmarkFiles(tmp_path / "points.csv"))
    assert "has no landmarks in" in _report(tmp_path / "three")["a.png", ""]["reason"]


def test_photos_are_found_at_any_depth_but_not_where_results_go(folder):
    write_png(folder / "out" / "images" / "x.png", np.zeros((4, 4, 3), np.uint8))
    names = ["broken.jpg", "deep/one.jpeg", "none.webp", "one.JPG", "two.png"]
    assert list(find_photos([folder], but=folder / "out")) == names
    assert list(find_photos([folder / "two.png"])) == ["two.png"]
    several = find_photos([folder / "two.png", folder / "deep", folder / "two.png"])
    assert sorted(several.values()) == [folder / "deep" / "one.jpeg", folder / "two.png"]
    write_png(folder / "out" / "y.png", np.zeros((4, 4, 3), np.uint8))
    for among in ("out/images/x.png", "out/y.png"):  # a result might take its place
        with pytest.raises(ConfigError, match=rf"{among}: lies in --out .*out, where a result may take its place"):
            find_photos([folder / "two.png", folder / among], but=folder / "out")
    assert list(find_photos([folder / "out" / "y.png"], but=folder)) == ["y.png"]
    (folder / "empty").mkdir()
    for nothing in ("empty", "nowhere"):
        with pytest.raises(DatasetNotFound, match=nothing):
            find_photos([folder / nothing])


def test_results_share_no_name_and_some_outcomes_are_tried_again(folder, tmp_path):
    photos = {name: folder / "two.png" for name in ("a.jpg", "a.png", "a_steps.png", "faces.jpg")}
    record = Record(tmp_path / "out", photos, reserved=["faces"])
    names = {}
    for name in photos:
        stem = names[name] = record.fresh_name(name, "_steps")
        files = [f"{stem}.png", f"{stem}_steps.png"]
        for file in files:
            write_png(tmp_path / "out" / file, np.zeros((4, 4, 3), np.uint8))
        record.add(name, {"outcome": "edited" if name != "a.png" else "refused", "faces": [{"name": stem}]}, files)
    written = [file for stem in names.values() for file in (stem, f"{stem}_steps")]
    assert len(set(written)) == 8
    assert "faces" not in written
    assert names["a.jpg"] == "a"
    assert Record(tmp_path / "out", photos).left == []
    assert Record(tmp_path / "out", photos, again="refused").left == ["a.png"]


def test_no_usable_face_at_all_is_an_error_that_names_the_report(folder, tmp_path, found):
    for key in (0, 30, 60):
        found[key] = []
    rows = prepare(find_photos([folder]), tmp_path / "out", size=32)
    with pytest.raises(NothingLeft, match=r"report\.csv: none of 5 photos has a usable face \(4 no face of 32 px"):
        check_any(rows, tmp_path / "out" / "report.csv")
    assert (tmp_path / "out" / "contact_sheet.png").is_file()
