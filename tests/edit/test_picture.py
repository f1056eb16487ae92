import numpy as np
import pytest
from PIL import Image, ImageCms

from faceaug.edit.picture import read_picture
from faceaug.errors import ConfigError, DatasetDamaged
from faceaug.images import read_rgb

PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


@pytest.fixture
def pixels():
    return np.random.default_rng(0).integers(0, 256, (40, 60, 3), dtype=np.uint8)


def _exif(**tags):
    exif = Image.Exif()
    exif[0x010F] = "a camera"
    for tag, value in tags.items():
        exif[int(tag[1:], 16)] = value
    return exif


def test_exif_and_profile_survive_and_the_mark_is_there(tmp_path, pixels):
    path = tmp_path / "photo.jpg"
    Image.fromarray(pixels).save(path, quality=100, exif=_exif(), icc_profile=PROFILE)
    picture = read_picture(path)
    for name in ("result.png", "result.jpg"):
        picture.save(tmp_path / name, picture.pixels)
        data = (tmp_path / name).read_bytes()
        assert b"compositeWithTrainedAlgorithmicMedia" in data
        with Image.open(tmp_path / name) as saved:
            assert saved.getexif()[0x010F] == "a camera"
            assert saved.info["icc_profile"] == PROFILE
    assert (read_rgb(tmp_path / "result.png") == read_rgb(path)).all()


def test_turned_photos_are_edited_upright_and_not_turned_twice(tmp_path, pixels):
    path = tmp_path / "photo.png"
    Image.fromarray(pixels).save(path, exif=_exif(x0112=6))
    picture = read_picture(path)
    assert picture.pixels.shape == (60, 40, 3)
    assert (picture.pixels == np.rot90(pixels, -1)).all()
    picture.save(tmp_path / "result.png", picture.pixels)
    assert (read_rgb(tmp_path / "result.png", upright=True) == picture.pixels).all()


def test_alpha_survives_and_colours_under_it_do_too(tmp_path, pixels):
    layers = np.dstack([pixels, np.arange(2400, dtype=np.uint16).reshape(40, 60).astype(np.uint8)])
    Image.fromarray(layers).save(tmp_path / "photo.png")
    picture = read_picture(tmp_path / "photo.png")
    assert (picture.pixels == pixels).all()
    picture.save(tmp_path / "result.png", picture.pixels)
    with Image.open(tmp_path / "result.png") as saved:
        assert (np.array(saved) == layers).all()
    with pytest.raises(ConfigError, match=r"result.jpg: the photo is transparent and JPEG has no alpha"):
        picture.save(tmp_path / "result.jpg", picture.pixels)
    assert not (tmp_path / "result.jpg").exists()


@pytest.mark.parametrize("mode", ["L", "P", "1", "CMYK", "I;16", "LA"])
def test_all_kinds_of_photos_become_rgb(tmp_path, pixels, mode):
    path = tmp_path / ("photo.tif" if mode == "CMYK" else "photo.png")
    image = Image.fromarray(pixels[..., 0].astype(np.uint16) * 257) if mode == "I;16" else Image.fromarray(pixels).convert(mode)
    image.save(path)
    picture = read_picture(path)
    assert picture.pixels.shape == (40, 60, 3)
    assert (picture.alpha is not None) == (mode == "LA")


def test_a_transparent_16_bit_photo(tmp_path):
    values = np.arange(2400, dtype=np.uint16).reshape(40, 60) * 27
    Image.fromarray(values).save(tmp_path / "photo.png", transparency=270)
    picture = read_picture(tmp_path / "photo.png")
    Image.fromarray(values).save(tmp_path / "opaque.png")
    assert (picture.pixels == read_rgb(tmp_path / "opaque.png")).all()
    assert (picture.alpha == np.where(values == 270, 0, 255)).all()


def test_exif_that_cannot_be_written_is_left_out_or_named(tmp_path, pixels, monkeypatch):
    Image.fromarray(pixels).save(tmp_path / "photo.jpg", exif=_exif())
    with monkeypatch.context() as patch:
        patch.setattr(Image.Exif, "tobytes", lambda self: abs("72"))  # what Pillow does with a resolution that is a text
        picture = read_picture(tmp_path / "photo.jpg")
    assert (picture.exif, picture.remark) == (b"", "damaged EXIF left out (TypeError)")
    Image.fromarray(pixels).save(tmp_path / "large.png", exif=_exif(x010E="x" * 70_000))
    picture = read_picture(tmp_path / "large.png")
    with pytest.raises(ConfigError, match=r"a.jpg: 70,\d+ bytes of EXIF are more than JPEG holds \(65,533\); write a PNG"):
        picture.save(tmp_path / "a.jpg", picture.pixels)
    picture.save(tmp_path / "a.png", picture.pixels)


def test_a_profile_of_other_channels_is_left_out(tmp_path, pixels):
    Image.fromarray(pixels).convert("CMYK").save(tmp_path / "photo.tif", icc_profile=PROFILE)
    assert read_picture(tmp_path / "photo.tif").profile is None


def test_what_is_no_photo_and_no_name_is_refused(tmp_path, pixels):
    (tmp_path / "a.jpg").write_bytes(b"nothing")
    with pytest.raises(DatasetDamaged, match=r"a.jpg: no readable image"):
        read_picture(tmp_path / "a.jpg")
    Image.fromarray(pixels).save(tmp_path / "b.png")
    with pytest.raises(ConfigError, match=r"c.webp: results are PNG or JPEG files"):
        read_picture(tmp_path / "b.png").save(tmp_path / "c.webp", pixels)
