import io
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from faceaug.errors import ConfigError, DatasetDamaged
from faceaug.images import BEHIND, read_grey, read_rgb, write_jpeg, write_palette_png, write_png
from faceaug.labels import CELEBAMASK_19, IGNORE


@pytest.fixture
def picture():
    y, x = np.mgrid[:24, :40]
    return np.stack([x * 5, y * 9, x + y], axis=2).astype(np.uint8)


def _close(found, wanted, by=6):
    return found.shape == wanted.shape and np.abs(found.astype(int) - wanted).mean() <= by


def test_png_round_trip_keeps_colour_order(tmp_path):
    image = np.random.default_rng(0).integers(0, 256, (5, 7, 3), dtype=np.uint8)
    write_png(tmp_path / "a" / "b.png", image)
    assert (read_rgb(tmp_path / "a" / "b.png") == image).all()
    write_png(tmp_path / "grey.png", image[..., 0])
    assert (read_grey(tmp_path / "grey.png") == image[..., 0]).all()


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "BMP", "TIFF"])
def test_the_content_decides_what_a_file_is(tmp_path, picture, kind):
    Image.fromarray(picture).save(tmp_path / "photo.JPG", format=kind, quality=95)
    assert _close(read_rgb(tmp_path / "photo.JPG"), picture)


def test_grey_palette_cmyk_and_16_bit_become_rgb(tmp_path, picture):
    grey = picture[..., 0]
    Image.fromarray(grey).save(tmp_path / "grey.jpg", quality=95)
    Image.fromarray(grey.astype(np.uint16) * 257).save(tmp_path / "grey16.png")
    for name in ("grey.jpg", "grey16.png"):
        assert _close(read_rgb(tmp_path / name), np.repeat(grey[..., None], 3, 2), by=2)
    Image.fromarray(picture).convert("CMYK").save(tmp_path / "cmyk.jpg", quality=95)
    Image.fromarray(picture).convert("P").save(tmp_path / "palette.png")
    assert _close(read_rgb(tmp_path / "cmyk.jpg"), picture)
    assert _close(read_rgb(tmp_path / "palette.png"), picture, by=20)
    Image.fromarray(picture[..., 0].astype(np.float32)).save(tmp_path / "float.tif")
    with pytest.raises(DatasetDamaged, match=r"float\.tif: has 32 bits"):
        read_rgb(tmp_path / "float.tif")


def test_transparent_pixels_are_mid_grey_whatever_colour_lies_under_them(tmp_path, picture):
    alpha = np.zeros(picture.shape[:2], np.uint8)
    alpha[:, 20:] = 255
    Image.fromarray(np.dstack([picture, alpha])).save(tmp_path / "a.png")
    found = read_rgb(tmp_path / "a.png")
    assert (found[:, :20] == BEHIND).all()
    assert (found[:, 20:] == picture[:, 20:]).all()


@pytest.mark.parametrize("suffix", ["jpg", "png", "webp"])
def test_exif_turns_photos_only_when_asked(tmp_path, picture, suffix):
    turned = {2: picture[:, ::-1], 3: picture[::-1, ::-1], 6: np.rot90(picture, -1), 8: np.rot90(picture)}
    for orientation, wanted in turned.items():
        exif = Image.Exif()
        exif[0x0112] = orientation
        Image.fromarray(picture).save(tmp_path / f"a.{suffix}", exif=exif, quality=95)
        assert _close(read_rgb(tmp_path / f"a.{suffix}"), picture)
        assert _close(read_rgb(tmp_path / f"a.{suffix}", upright=True), wanted)


def test_bad_pictures_are_named_in_one_line_and_nothing_else_is_written(tmp_path, picture):
    contents = {"empty.jpg": b"", "page.jpg": b"<!DOCTYPE html>", "text.jpg": b"no picture"}
    for kind in ("JPEG", "PNG", "WEBP", "TIFF"):
        data = io.BytesIO()
        Image.fromarray(np.random.default_rng(0).integers(0, 256, (40, 40, 3), dtype=np.uint8)).save(data, format=kind)
        contents[f"cut-{kind}.jpg"] = data.getvalue()[: data.tell() // 2]
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
    code = (
        "import sys\nfrom pathlib import Path\nfrom faceaug.errors import DatasetDamaged\nfrom faceaug.images import read_rgb\n"
        "for file in [*sorted(Path(sys.argv[1]).iterdir()), Path('missing.jpg')]:\n"
        "    try:\n        read_rgb(file)\n    except DatasetDamaged as error:\n        print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=True)
    assert done.stderr == ""
    lines = done.stdout.splitlines()
    assert [line.split(": ")[0].split("/")[-1] for line in lines] == [*sorted(contents), "missing.jpg"]
    assert "HTML" in next(line for line in lines if "page.jpg" in line)


def test_label_maps_may_be_grey_palette_rgb_or_16_bit(tmp_path):
    labels = np.random.default_rng(0).integers(0, 11, (6, 9), dtype=np.uint8)
    palette = Image.fromarray(labels)
    palette.putpalette(np.random.default_rng(1).integers(0, 256, 768, dtype=np.uint8).tobytes())
    made = {
        "grey": Image.fromarray(labels),
        "palette": palette,
        "rgb": Image.fromarray(np.dstack([labels] * 3)),
        "rgba": Image.fromarray(np.dstack([labels] * 3 + [np.full_like(labels, 255)])),
        "16bit": Image.fromarray(labels.astype(np.uint16)),
    }
    for name, image in made.items():
        image.save(tmp_path / f"{name}.png")
        assert (read_grey(tmp_path / f"{name}.png") == labels).all()
    Image.fromarray(np.dstack([labels, labels, labels + 1])).save(tmp_path / "colours.png")
    Image.fromarray(labels.astype(np.uint16) * 257).save(tmp_path / "large.png")
    for name in ("colours", "large"):
        with pytest.raises(DatasetDamaged, match=f"{name}.png: a label map must be 8-bit with one channel"):
            read_grey(tmp_path / f"{name}.png")


def test_palette_pngs_hold_the_labels_and_show_the_colours(tmp_path):
    labels = np.random.default_rng(0).integers(0, 19, (16, 16), dtype=np.uint8)
    labels[0] = IGNORE
    write_palette_png(tmp_path / "a.png", labels, CELEBAMASK_19)
    assert (read_grey(tmp_path / "a.png") == labels).all()
    shown = np.array(Image.open(tmp_path / "a.png").convert("RGBA"))
    assert (shown[1:, :, :3] == CELEBAMASK_19.colour(labels)[1:]).all()
    assert (shown[0] == (255, 255, 255, 0)).all()
    assert (shown[1:, :, 3] == 255).all()
    with pytest.raises(ConfigError, match=r"b\.png: label 19"):
        write_palette_png(tmp_path / "b.png", np.full((2, 2), 19, np.uint8), CELEBAMASK_19)
    assert not (tmp_path / "b.png").exists()


def test_jpegs_look_like_what_was_written(tmp_path, picture):
    write_jpeg(tmp_path / "a.jpg", picture)
    assert _close(read_rgb(tmp_path / "a.jpg"), picture)


@pytest.mark.parametrize("compression", ["raw", "tiff_lzw"])
def test_tiff_pixels_are_those_that_are_stored_as_of_other_files(tmp_path, picture, compression):
    turned = {
        2: picture[:, ::-1], 3: picture[::-1, ::-1], 4: picture[::-1], 5: picture.swapaxes(0, 1), 6: np.rot90(picture, -1),
        7: picture[::-1, ::-1].swapaxes(0, 1), 8: np.rot90(picture),
    }  # fmt: skip
    for orientation, wanted in turned.items():
        exif = Image.Exif()
        exif[0x0112] = orientation
        for name, pixels in (("a", picture), ("mask", picture[..., 0])):
            Image.fromarray(pixels).save(tmp_path / f"{name}.tif", exif=exif, compression=compression)
        assert (read_rgb(tmp_path / "a.tif") == picture).all()
        assert (read_rgb(tmp_path / "a.tif", upright=True) == wanted).all(), orientation
        assert (read_grey(tmp_path / "mask.tif") == picture[..., 0]).all()
