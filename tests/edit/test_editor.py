import dataclasses

import cv2
import numpy as np
import pytest
from faceaug.datasets.drawn.drawing import draw_face
from faceaug.datasets.drawn.layouts import HELEN_FRAME
from faceaug.datasets.drawn.traits import draw_person, draw_shot
from PIL import Image

import faceaug
from faceaug.edit import face as finding
from faceaug.edit.editor import Editor
from faceaug.edit.face import PhotoFace
from faceaug.edit.picture import Picture
from faceaug.errors import CheckpointMismatch, ConfigError, NothingLeft
from faceaug.gan.inference import load_generator
from faceaug.images import read_rgb
from faceaug.labels import FASSEG_6, HAIR, SKIN
from faceaug.parser.predict import load_parser
from faceaug.prepare.align import warp_image
from faceaug.prepare.photos import Face


@pytest.fixture(scope="module")
def editor(trained, compute):
    return Editor(load_generator(trained.gan, compute), load_parser(trained.parser, compute))


def _on_photo(faces, row):
    """A face at its place in a photo of 300 x 400, with its true mask."""
    matrix = np.array([[0.4, 0.02, -50.0], [-0.02, 0.4, -20.0]])
    photo = np.full((300, 400, 3), 90, np.uint8)
    photo[60:236, 130:306] = np.asarray(Image.fromarray(faces.images[row]).resize((176, 176)))
    return PhotoFace(f"face {row}", Picture(photo), Face(np.zeros((5, 2)), matrix, None, None), warp_image(photo, matrix, 64),
                     faces.labels[row], faces.scheme, 0.95)  # fmt: skip


@pytest.fixture(scope="module")
def pair(faces):
    return _on_photo(faces, 0), _on_photo(faces, 3)


def _touched(edited):
    """Which pixels of the crop the changed pixels of the photo lie in."""
    changed = (edited.pixels != edited.face.picture.pixels).any(-1)
    rows, columns = np.nonzero(changed)
    points = np.stack([columns, rows, np.ones(len(rows))], -1) @ edited.face.place.matrix.T
    return np.rint(points).astype(int)


def test_outside_of_the_region_no_pixel_differs(editor, pair):
    for edited in (editor.edit(pair[0], "mouth-open"), editor.transfer(*pair, "hair"), editor.swap(*pair, hair=True)):
        touched = _touched(edited)
        assert len(touched)
        near = cv2.dilate(edited.region.astype(np.uint8), np.ones((3, 3), np.uint8))  # pixels of the photo lie between the crop's
        assert near[touched[:, 1].clip(0, 63), touched[:, 0].clip(0, 63)].all()
        assert edited.pixels.shape == (300, 400, 3)
        assert edited.pixels is not edited.face.picture.pixels


def test_an_edit_is_generated_on_the_new_mask_and_changes_nothing_far_from_it(editor, pair):
    edited = editor.edit(pair[0], ["mouth-open", "brows-up:1.5"])
    changed = edited.labels != pair[0].labels
    assert changed.any()
    assert edited.region[changed].all()
    assert edited.region.mean() < 0.4
    assert edited.other is None


def test_a_transfer_stays_within_its_component(editor, pair):
    anatomy = pair[0].scheme.anatomy(pair[0].labels)
    hair = editor.transfer(*pair, "hair")
    assert (hair.region == (anatomy == HAIR)).all()
    skin = editor.swap(*pair)
    assert not skin.region[anatomy == HAIR].any()
    assert skin.region[anatomy == SKIN].all()
    assert editor.swap(*pair, hair=True).region[anatomy == HAIR].all()
    both = editor.transfer(*pair, ["mouth", "eyes"])
    assert both.region.sum() < skin.region.sum()
    assert (both.labels == pair[0].labels).all()


def test_the_look_of_oneself_transferred_is_ones_reconstruction(editor, pair):
    own = editor.people(pair[0].image, pair[0].labels, [pair[0]])[0]
    assert (editor.swap(pair[0], pair[0], hair=True).generated == own).all()
    many = editor.people(pair[0].image, pair[0].labels, pair)
    assert (many[0] == own).all()
    assert (many[1] != own).any()


def test_a_face_is_encoded_once(editor, pair, monkeypatch):
    fresh, calls = Editor(editor.generator, editor.parser), []
    encode = type(editor.generator).encode
    monkeypatch.setattr(type(editor.generator), "encode", lambda self, *a: calls.append(1) or encode(self, *a))
    for _ in range(2):
        fresh.edit(pair[0], "mouth-open")
        fresh.transfer(*pair, "hair")
    assert len(calls) == 2


def test_a_second_edit_generates_once_and_a_forgotten_face_anew(editor, pair, monkeypatch):
    fresh, calls = Editor(editor.generator, editor.parser), []
    kind = type(editor.generator)
    for name in ("encode", "generate"):
        real = getattr(kind, name)
        monkeypatch.setattr(kind, name, lambda self, *a, name=name, real=real: calls.append(name) or real(self, *a))
    first = fresh.edit(pair[0], "mouth-open").pixels
    assert sorted(calls) == ["encode", "generate", "generate"]
    assert (fresh.edit(pair[0], "mouth-open").pixels == first).all()
    assert calls[3:] == ["generate"]
    fresh.forget(pair[0])
    assert (fresh.edit(pair[0], "mouth-open").pixels == first).all()
    assert sorted(calls[4:]) == ["encode", "generate", "generate"]
    fresh.forget(pair[1])  # never seen


def test_a_painted_mask_comes_before_the_changes(editor, pair):
    bald = np.where(pair[0].labels == HAIR, 0, pair[0].labels).astype(np.uint8)
    edited = editor.edit(pair[0], "mouth-open", mask=bald)
    assert not (edited.face.scheme.anatomy(edited.labels) == HAIR).any()
    assert (edited.labels != bald).any()
    unknown = np.where(bald == pair[0].labels, 255, bald)
    assert (editor.edit(pair[0], mask=unknown).labels == bald).all()


def test_mistakes_are_told(editor, pair, trained, compute):
    with pytest.raises(ConfigError, match="nothing to change"):
        editor.edit(pair[0])
    with pytest.raises(ConfigError, match="--component nose: unknown; use eyes, mouth, skin, hair"):
        editor.transfer(*pair, "nose")
    bald = dataclasses.replace(pair[1], labels=np.where(pair[1].labels == HAIR, 0, pair[1].labels).astype(np.uint8))
    with pytest.raises(ConfigError, match="face 3: its mask has no hair"):
        editor.transfer(pair[0], bald, "hair")
    with pytest.raises(ConfigError, match="transfer: no component is named"):
        editor.transfer(*pair, [])
    with pytest.raises(ConfigError, match="face 0: the mask is its own; nothing to change"):
        editor.edit(pair[0], mask=pair[0].labels)
    for mask in (np.zeros((10, 10), np.uint8), pair[0].labels.astype(float), np.full((64, 64), -1)):
        with pytest.raises(ConfigError, match=r"mask: "):
            editor.edit(pair[0], mask=mask)
    with pytest.raises(ConfigError, match="mask: label 77 is out of range"):
        editor.edit(pair[0], mask=np.full((64, 64), 77))
    with pytest.raises(ConfigError, match="people: nobody's look is given"):
        editor.people(pair[0].image, pair[0].labels, [])
    with pytest.raises(ConfigError, match=r"people: the photo is uint8 of shape \(32, 64, 3\)"):
        editor.people(pair[0].image[:32], pair[0].labels, pair)
    parser = load_parser(trained.parser, compute)
    other = dataclasses.replace(parser, config=dataclasses.replace(parser.config, scheme=FASSEG_6))
    with pytest.raises(CheckpointMismatch, match="editor: label schemes differ"):
        Editor(load_generator(trained.gan, compute), other)


@pytest.fixture
def photo(tmp_path):
    rng = np.random.default_rng([1, 0, 3])
    pixels = np.full((300, 400, 3), 90, np.uint8)
    pixels[60:236, 150:326] = draw_face(draw_person(rng), draw_shot(rng), HELEN_FRAME).image
    Image.fromarray(pixels).save(tmp_path / "photo.png")
    return tmp_path / "photo.png"


def test_three_lines_of_python(photo, faces, trained, monkeypatch, tmp_path):
    monkeypatch.setattr(finding, "predict", lambda parser, images: (faces.labels[:1], np.array([0.9])))
    editor = faceaug.Editor(trained.gan, trained.parser, device="cpu")
    face = editor.face(photo)
    editor.edit(face, "mouth-open").save(tmp_path / "open.png")
    assert (read_rgb(tmp_path / "open.png") != read_rgb(photo)).any()
    sheet = editor.swap(face, face).sheet()
    assert sheet.shape[1] > 600


def test_a_mask_that_is_not_relied_on_is_refused_unless_it_is_forced(photo, faces, editor, monkeypatch):
    monkeypatch.setattr(finding, "predict", lambda parser, images: (faces.labels[:1], np.array([0.4])))
    with pytest.raises(NothingLeft, match=r"photo.png: the face cannot be parsed reliably \(its mask has .* 0.40\)"):
        editor.face(photo)
    assert "expected F1" in editor.face(photo, force=True).remark
    monkeypatch.setattr(finding, "predict", lambda parser, images: (faces.labels[:1, ::-1], np.array([0.9])))
    with pytest.raises(NothingLeft, match="cannot be parsed reliably"):
        editor.face(photo)
    with pytest.raises(ConfigError, match=r"--face 2: .*photo.png has 1; the largest is 1"):
        editor.face(photo, number=2)
