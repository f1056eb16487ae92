import io
import struct
import time
import zlib

import numpy as np
import pytest
from PIL import Image

from faceaug.edit.upload import FORMATS, Limits, read_upload
from faceaug.errors import DatasetDamaged


def _file(image, form="PNG", **options):
    data = io.BytesIO()
    image.save(data, format=form, **options)
    return data.getvalue()


@pytest.fixture
def photo():
    return Image.fromarray(np.random.default_rng(0).integers(0, 256, (40, 60, 3), dtype=np.uint8))


@pytest.mark.parametrize("form", [*FORMATS, "MPO"])
def test_photos_of_these_formats_are_read(photo, form):
    assert read_upload(_file(photo, form), "photo", Limits()).pixels.shape == (40, 60, 3)


def test_what_a_photo_carries_is_kept(photo):
    exif = Image.Exif()
    exif[0x010F], exif[0x0112] = "a camera", 6
    photo.putalpha(77)
    picture = read_upload(_file(photo, exif=exif), "photo.png", Limits())
    assert picture.pixels.shape == (60, 40, 3)
    with Image.open(io.BytesIO(picture.png(picture.pixels))) as saved:
        assert saved.getexif()[0x010F] == "a camera"
        assert 0x0112 not in saved.getexif()
        assert (np.array(saved)[..., 3] == 77).all()
        assert saved.info["ai_edited"] == "true"


def test_long_files_large_pictures_and_animations_are_refused(photo):
    with pytest.raises(DatasetDamaged, match=r"a.png: 2 MB are more than 1 MB; make it smaller first"):
        read_upload(bytes(2 * 2**20), "a.png", Limits(megabytes=1))
    with pytest.raises(DatasetDamaged, match=r"a.png: 1001 x 1000 pixels are more than 1 megapixels"):
        read_upload(_file(Image.new("L", (1001, 1000))), "a.png", Limits(megapixels=1))
    assert read_upload(_file(Image.new("L", (1000, 1000))), "a.png", Limits(megapixels=1)).pixels.shape == (1000, 1000, 3)
    for form in ("PNG", "WEBP", "TIFF", "GIF"):
        frames = [Image.new("RGB", (20, 20), (50 * number, 0, 0)) for number in range(5)]
        data = [_file(frames[0], form, save_all=True, append_images=frames[1:count]) for count in (4, 5)]
        assert read_upload(data[0], "a", Limits(frames=4)).pixels.max() < 40  # the first frame
        with pytest.raises(DatasetDamaged, match=r"a: has more than 4 frames"):
            read_upload(data[1], "a", Limits(frames=4))


def test_bombs_are_refused_from_their_header_at_once():
    head = b"IHDR" + struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    small = _file(Image.new("RGB", (1, 1)))
    large = small[:12] + head + struct.pack(">I", zlib.crc32(head)) + small[33:]
    many = b"GIF89a\1\0\1\0\x80\0\0" + bytes(6) + (b"\x2c" + bytes(4) + b"\1\0\1\0\0\2\2\x44\1\0") * 1_000_000 + b"\x3b"
    began = time.monotonic()
    for data, told in ((large, "more than 40 megapixels"), (many, "more than 4 frames")):
        with pytest.raises(DatasetDamaged, match=told):
            read_upload(data, "bomb", Limits())
    assert time.monotonic() - began < 1


@pytest.mark.parametrize("data", [b"", b"nothing", b"<html>", b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n"], ids=str)
def test_what_is_no_photo_is_one_line(data):
    with pytest.raises(DatasetDamaged, match=r"^a.jpg: no readable image") as raised:
        read_upload(data, "a.jpg", Limits())
    assert "\n" not in str(raised.value)


def test_a_photo_cut_short_is_one_line(photo):
    with pytest.raises(DatasetDamaged, match=r"a.jpg: no readable image .*truncated"):
        read_upload(_file(photo, "JPEG")[:-800], "a.jpg", Limits())
