import numpy as np
import pytest

from faceaug.edit.face import PhotoFace
from faceaug.edit.mask import fit_mask, is_mask, read_mask
from faceaug.edit.picture import Picture
from faceaug.errors import ConfigError
from faceaug.images import write_palette_png, write_png
from faceaug.labels import HELEN_11, IGNORE
from faceaug.prepare.paste import uncrop_labels
from faceaug.prepare.photos import Face


@pytest.fixture
def face(faces):
    matrix = np.array([[0.5, 0.0, -10.0], [0.0, 0.5, -5.0]])
    photo = np.zeros((200, 220, 3), dtype=np.uint8)
    return PhotoFace("a", Picture(photo), Face(np.zeros((5, 2)), matrix, None, None), faces.images[0], faces.labels[0],
                     faces.scheme, 0.9)  # fmt: skip


def test_a_mask_comes_in_the_photos_size_or_as_a_square_of_any(face, tmp_path):
    write_palette_png(tmp_path / "crop.png", face.labels, HELEN_11)
    assert (read_mask(tmp_path / "crop.png", face) == face.labels).all()
    write_palette_png(tmp_path / "large.png", face.labels.repeat(4, 0).repeat(4, 1), HELEN_11)
    assert (read_mask(tmp_path / "large.png", face) == face.labels).all()
    whole = uncrop_labels(face.labels, face.place.matrix, (200, 220))
    write_palette_png(tmp_path / "photo.png", whole, HELEN_11)
    assert (read_mask(tmp_path / "photo.png", face) != face.labels).mean() < 0.06  # borders, there and back


def test_unknown_pixels_keep_the_faces_own_label(face, tmp_path):
    mask = np.full((64, 64), IGNORE, dtype=np.uint8)
    mask[:8] = 10
    write_png(tmp_path / "mask.png", mask)
    found = read_mask(tmp_path / "mask.png", face)
    assert (found[:8] == 10).all()
    assert (found[8:] == face.labels[8:]).all()


def test_what_fits_neither_scheme_nor_size_is_refused(face, tmp_path):
    write_png(tmp_path / "a.png", np.full((64, 64), 11, dtype=np.uint8))
    with pytest.raises(ConfigError, match=r"a.png: label 11 is out of range; helen-11 has 0..10"):
        read_mask(tmp_path / "a.png", face)
    write_png(tmp_path / "b.png", np.zeros((64, 60), dtype=np.uint8))
    with pytest.raises(ConfigError, match=r"b.png: is 60x64; a mask of an aligned face is square"):
        read_mask(tmp_path / "b.png", face)
    assert not is_mask(tmp_path / "a.png", HELEN_11)
    assert is_mask(tmp_path / "b.png", HELEN_11)
    write_png(tmp_path / "c.png", face.image)
    assert not is_mask(tmp_path / "c.png", HELEN_11)


def test_a_square_becomes_smaller_by_majority():
    labels = np.zeros((128, 128), dtype=np.uint8)
    labels[:, 63:] = 1  # one column of 63 covers half of its smaller pixel
    found = fit_mask(labels, HELEN_11, 64, "x")
    assert found.shape == (64, 64)
    assert (found[:, 32:] == 1).all()
    assert (found[:, :31] == 0).all()
