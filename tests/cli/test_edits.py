"""Editing photos on the command line, with faces that are drawn and really detected."""

import csv

import numpy as np
import pytest
from faceaug.datasets.drawn.drawing import draw_face
from faceaug.datasets.drawn.layouts import HELEN_FRAME
from faceaug.datasets.drawn.traits import draw_person, draw_shot
from PIL import Image

from faceaug.edit import face as finding
from faceaug.edit import mask as painting
from faceaug.images import read_rgb, write_palette_png
from faceaug.labels import HELEN_11


@pytest.fixture
def photos(tmp_path, faces, monkeypatch):
    """Two photos with a face and one without; the tiny parser is replaced by a true mask."""
    folder = tmp_path / "photos"
    folder.mkdir()
    for number in (0, 3):
        rng = np.random.default_rng([1, 0, number])
        photo = np.full((300, 400, 3), 90, np.uint8)
        photo[60:236, 150:326] = draw_face(draw_person(rng), draw_shot(rng), HELEN_FRAME).image
        Image.fromarray(photo).save(folder / f"photo{number}.png")
    Image.new("RGB", (200, 200), (90, 120, 40)).save(folder / "nobody.png")

    def predict(parser, images):
        times = images.shape[1] // 64
        return faces.labels[:1].repeat(times, 1).repeat(times, 2), np.array([0.9])

    for module in (finding, painting):
        monkeypatch.setattr(module, "predict", predict)
    return folder


def _rows(out):
    return list(csv.DictReader((out / "report.csv").open()))


def test_edit_transfer_swap_and_faces(faceaug, photos, trained, tmp_path):
    with_models = ("--generator", trained.gan, "--parser", trained.parser, "--device", "cpu")
    one = photos / "photo3.png"
    commands = {
        "edit": (photos, "--change", "mouth-open", "--change", "brows-up:1.5"),
        "transfer": (photos, "--from", one, "--component", "hair"),
        "swap": (photos, "--from", one, "--hair"),
    }
    for name, args in commands.items():
        out = tmp_path / name
        outcome = faceaug(name, *args, "--out", out, *with_models)
        assert outcome.code == 0, outcome.err
        assert "edited: 2 of 3 photos" in outcome.out
        assert "refused: nobody.png: no face of 32 px" in outcome.out
        assert (read_rgb(out / "photo0.png") != read_rgb(photos / "photo0.png")).any()
        assert (out / "photo0_steps.png").is_file()
        rows = {row["file"]: row for row in _rows(out)}
        changed = (read_rgb(out / "photo0.png") != read_rgb(photos / "photo0.png")).any(-1).sum()
        assert int(rows["photo0.png"]["pixels"]) == changed
        before = (out / "photo0.png").stat().st_mtime_ns
        assert faceaug(name, *args, "--out", out, *with_models).code == 0
        assert (out / "photo0.png").stat().st_mtime_ns == before
    outcome = faceaug("faces", one, "--sources", photos, "--out", tmp_path / "faces", *with_models)
    assert outcome.code == 0, outcome.err
    assert "faces: 2 of 3 sources" in outcome.out
    assert read_rgb(tmp_path / "faces" / "photo0.png").shape == (64, 64, 3)
    assert (tmp_path / "faces" / "faces.png").is_file()


def test_a_painted_mask_and_jpeg(faceaug, photos, faces, trained, tmp_path):
    mask = faces.labels[0].copy()
    mask[mask == 10] = 0
    write_palette_png(tmp_path / "mask.png", mask, HELEN_11)
    with_models = ("--generator", trained.gan, "--parser", trained.parser, "--device", "cpu")
    outcome = faceaug(
        "edit", photos / "photo0.png", "--mask", tmp_path / "mask.png", "--jpeg", "--out", tmp_path / "a", *with_models
    )
    assert outcome.code == 0, outcome.err
    assert (tmp_path / "a" / "photo0.jpg").is_file()
    outcome = faceaug("faces", tmp_path / "mask.png", "--sources", photos, "--out", tmp_path / "b", *with_models)
    assert outcome.code == 0, outcome.err


def test_what_was_refused_is_tried_again_and_other_inputs_are_another_run(faceaug, photos, trained, faces, tmp_path, monkeypatch):
    with_models = ("--generator", trained.gan, "--parser", trained.parser, "--device", "cpu", "--out", tmp_path / "out")
    mask = faces.labels[0].copy()
    mask[mask == 10] = 0
    path = tmp_path / "mask.png"
    edit = ("edit", photos / "photo0.png", photos / "photo3.png", "--mask", path)
    refused = faceaug(*edit, *with_models)
    assert "mask.png: no such file or folder" in refused.error
    write_palette_png(path, mask, HELEN_11)
    with monkeypatch.context() as patch:
        patch.setattr(finding, "SURE", 1.1)
        refused = faceaug(*edit, *with_models)
    assert refused.code == 2
    assert "add --force" in refused.out
    for args in (edit, (*edit, "--force")):  # the same command, and what the refusal says
        outcome = faceaug(*args, *with_models)
        assert outcome.code == 0, outcome.err
        assert "edited: 2 of 2" in outcome.out
    write_palette_png(path, np.where(mask == 1, 0, mask).astype(np.uint8), HELEN_11)
    assert "other settings (edit.mask)" in faceaug(*edit, *with_models).error


def test_photos_are_never_written_over(faceaug, photos, trained, tmp_path):
    with_models = ("--generator", trained.gan, "--parser", trained.parser, "--device", "cpu", "--out", photos)
    one, outside = photos / "photo0.png", tmp_path / "other.png"
    outside.write_bytes((photos / "photo3.png").read_bytes())
    before = {path: path.read_bytes() for path in photos.iterdir()}
    for args in (
        ("edit", one, "--change", "smile"),
        ("edit", outside, "--mask", one),
        ("transfer", outside, "--from", one, "--component", "hair"),
        ("swap", outside, "--from", one),
        ("faces", outside, "--sources", one),
        ("faces", one, "--sources", outside),
    ):
        refused = faceaug(*args, *with_models)
        assert refused.code == 2
        assert "photo0.png: lies in --out" in refused.error
    assert {path: path.read_bytes() for path in photos.iterdir()} == before


@pytest.mark.parametrize(
    ("args", "told"),
    [
        (("edit", "PHOTOS"), "--change, --mask: nothing to change"),
        (("edit", "PHOTOS", "--change", "grin"), "--change grin: unknown; use"),
        (("transfer", "PHOTOS", "--from", "PHOTOS/photo0.png", "--component", "nose"), "--component nose: unknown"),
        (("swap", "PHOTOS", "--from", "PHOTOS/nobody.png"), "nobody.png: no face of 32 px"),
        (("faces", "PHOTOS/nobody.png", "--sources", "PHOTOS"), "nobody.png: no face of 32 px"),
        (("edit", "PHOTOS/nobody.png", "--change", "smile"), "no photo could be edited"),
        (("edit", "PHOTOS", "--change", "smile", "--face", "0"), "--face 0: faces are counted from 1"),
    ],
)
def test_mistakes_are_one_line(faceaug, photos, trained, tmp_path, args, told):
    given = [str(arg).replace("PHOTOS", str(photos)) for arg in args]
    outcome = faceaug(
        *given, "--out", tmp_path / "out", "--generator", trained.gan, "--parser", trained.parser, "--device", "cpu"
    )
    assert outcome.code == 2
    assert told in outcome.error
    assert "Traceback" not in outcome.err
