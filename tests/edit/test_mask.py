import dataclasses
import io
from pathlib import Path

import numpy as np
import pytest
from faceaug.datasets.drawn.crops import drawn_faces
from PIL import Image

from faceaug.edit.face import PhotoFace
from faceaug.edit.mask import PaintedMasks, fit_mask, is_mask, load_mask, read_painted
from faceaug.edit.picture import Picture
from faceaug.errors import ConfigError, DatasetDamaged, DatasetNotFound
from faceaug.images import write_palette_png, write_png
from faceaug.labels import HELEN_11, IGNORE
from faceaug.parser.photos import predict
from faceaug.parser.predict import load_parser
from faceaug.prepare.align import warp_image
from faceaug.prepare.paste import uncrop_labels
from faceaug.prepare.photos import Face


@pytest.fixture
def face(faces):
    matrix = np.array([[0.5, 0.0, -10.0], [0.0, 0.5, -5.0]])
    photo = np.zeros((200, 220, 3), dtype=np.uint8)
    return PhotoFace("a", Picture(photo), Face(np.zeros((5, 2)), matrix, None, None), faces.images[0], faces.labels[0],
                     faces.scheme, 0.9)  # fmt: skip


@pytest.fixture(scope="module")
def parser(trained, compute):
    return load_parser(trained.parser, compute)


def _read(path, face, parser):
    return PaintedMasks(path, face.scheme).of(face, parser)


def test_a_mask_comes_in_the_photos_size_or_as_a_square_of_any(face, parser, tmp_path):
    whole = uncrop_labels(face.labels, face.place.matrix, (200, 220))
    sizes = {"crop": face.labels, "large": face.labels.repeat(4, 0).repeat(4, 1), "photo": whole}
    for name, labels in sizes.items():
        write_palette_png(tmp_path / f"{name}.png", labels, HELEN_11)
        assert (_read(tmp_path / f"{name}.png", face, parser) == face.labels).all()  # unchanged
        side = len(labels) // 4
        painted = labels.copy()
        painted[:side] = np.where(painted[:side] == IGNORE, IGNORE, 10)
        write_palette_png(tmp_path / f"{name}.png", painted, HELEN_11)
        found = _read(tmp_path / f"{name}.png", face, parser)
        changed = found != face.labels
        assert changed.any()
        assert (found[changed] == 10).all()
        write_png(tmp_path / f"{name}.png", HELEN_11.colour(painted))
        assert (_read(tmp_path / f"{name}.png", face, parser) == found).all()  # the scheme's colours will do


def test_what_parse_writes_is_the_faces_own_mask_whatever_its_resolution(face, compute, tmp_path):
    parser = load_parser(Path("drawn"), compute)
    photo = np.pad(drawn_faces(1, size=160, seed=5).images[0], ((20, 20), (20, 40), (0, 0)), mode="edge")
    place = Face(np.zeros((5, 2)), np.array([[0.4, 0.0, -8.3], [0.0, 0.4, -8.3]]), None, None)
    image = warp_image(photo, place.matrix, 64)
    own = dataclasses.replace(
        face,
        picture=Picture(photo),
        place=place,
        image=image,
        labels=predict(parser, image[None])[0][0],
        scheme=parser.config.scheme,
    )
    finer = place.matrix * 4
    finer[:, 2] += 1.5
    fine = predict(parser, warp_image(photo, finer, 256)[None])[0][0]
    assert (fine[2::4, 2::4] != own.labels).mean() > 0.01
    written = {"photo": uncrop_labels(fine, finer, photo.shape[:2]), "crop": fine}
    for name, labels in written.items():
        write_palette_png(tmp_path / f"{name}.png", labels, own.scheme)
        assert (_read(tmp_path / f"{name}.png", own, parser) == own.labels).all()


def test_a_folder_has_a_mask_for_each_photo(face, parser, tmp_path):
    masks = tmp_path / "masks"
    masks.mkdir()
    with pytest.raises(DatasetNotFound, match="masks: no PNG there"):
        PaintedMasks(masks, HELEN_11)
    write_png(masks / "a.png", np.full((64, 64), 10, dtype=np.uint8))
    first = PaintedMasks(masks, HELEN_11)
    assert (first.of(face, parser) == 10).all()
    other = dataclasses.replace(face, picture=dataclasses.replace(face.picture, path=tmp_path / "b.jpg"))
    with pytest.raises(ConfigError, match=r"--mask .*masks: has no b.png for this photo"):
        first.of(other, parser)
    write_png(masks / "a.png", np.full((64, 64), 9, dtype=np.uint8))
    assert PaintedMasks(masks, HELEN_11).hash != first.hash
    with pytest.raises(DatasetNotFound, match=r"--mask .*none: no such file or folder"):
        PaintedMasks(tmp_path / "none", HELEN_11)


def test_unknown_pixels_keep_the_faces_own_label(face, parser, tmp_path):
    mask = np.full((64, 64), IGNORE, dtype=np.uint8)
    mask[:8] = 10
    write_png(tmp_path / "mask.png", mask)
    found = _read(tmp_path / "mask.png", face, parser)
    assert (found[:8] == 10).all()
    assert (found[8:] == face.labels[8:]).all()


def test_what_fits_neither_scheme_nor_size_is_refused(face, parser, tmp_path):
    write_png(tmp_path / "a.png", np.full((64, 64), 11, dtype=np.uint8))
    with pytest.raises(ConfigError, match=r"a.png: label 11 is out of range; helen-11 has 0..10"):
        PaintedMasks(tmp_path / "a.png", HELEN_11)
    write_png(tmp_path / "b.png", np.zeros((64, 60), dtype=np.uint8))
    with pytest.raises(ConfigError, match=r"b.png: is 60x64; a mask has the photo's size, 220x200, or is square"):
        _read(tmp_path / "b.png", face, parser)
    with pytest.raises(ConfigError, match=r"b.png: is 60x64; a mask of an aligned face is square"):
        fit_mask(load_mask(tmp_path / "b.png", HELEN_11), HELEN_11, 64, "b.png")
    assert is_mask(tmp_path / "a.png")  # meant as one
    write_png(tmp_path / "c.png", face.image)
    assert not is_mask(tmp_path / "c.png")
    with pytest.raises(ConfigError, match=r"c.png: \d+% of its pixels have none of the colours"):
        PaintedMasks(tmp_path / "c.png", HELEN_11)


def test_a_square_becomes_smaller_by_majority():
    labels = np.zeros((128, 128), dtype=np.uint8)
    labels[:, 63:] = 1  # one column of 63 covers half of its smaller pixel
    found = fit_mask(labels, HELEN_11, 64, "x")
    assert found.shape == (64, 64)
    assert (found[:, 32:] == 1).all()
    assert (found[:, :31] == 0).all()


def _png(picture):
    data = io.BytesIO()
    Image.fromarray(picture).save(data, format="PNG")
    return data.getvalue()


def test_a_mask_painted_on_the_crop_comes_back_exactly(face):
    painted = face.labels.copy()
    painted[:8], painted[40:44] = 10, 1
    assert (read_painted(_png(HELEN_11.colour(painted)), face) == painted).all()
    opaque = np.full((64, 64, 1), 255, np.uint8)
    opaque[:8] = 0  # of what is transparent or white, nothing was painted
    found = read_painted(_png(np.concatenate([HELEN_11.colour(painted), opaque], axis=2)), face)
    assert (found[:8] == face.labels[:8]).all()
    assert (found[8:] == painted[8:]).all()
    painted[50:] = IGNORE
    assert (read_painted(_png(HELEN_11.colour(painted)), face)[50:] == face.labels[50:]).all()


def test_other_pictures_are_no_painted_masks(face):
    with pytest.raises(ConfigError, match="mask: is 32 x 64 pixels; the aligned face is 64 x 64"):
        read_painted(_png(np.zeros((64, 32, 3), np.uint8)), face)
    with pytest.raises(DatasetDamaged, match="mask: no readable image"):
        read_painted(b"nothing", face)
    with pytest.raises(ConfigError, match="none of the colours of helen-11"):
        read_painted(_png(np.full((64, 64, 3), (1, 200, 255), np.uint8)), face)
