import cv2
import numpy as np
import pytest

from faceaug.errors import DatasetDamaged
from faceaug.images import read_grey, read_rgb, write_png


def test_png_round_trip_keeps_colour_order(tmp_path):
    image = np.random.default_rng(0).integers(0, 256, (5, 7, 3), dtype=np.uint8)
    write_png(tmp_path / "a" / "b.png", image)
    assert (read_rgb(tmp_path / "a" / "b.png") == image).all()
    write_png(tmp_path / "grey.png", image[..., 0])
    assert (read_grey(tmp_path / "grey.png") == image[..., 0]).all()


def test_bad_pictures_are_named(tmp_path):
    (tmp_path / "empty.jpg").write_bytes(b"")
    (tmp_path / "text.jpg").write_text("no picture")
    for name in ("empty.jpg", "text.jpg", "missing.jpg"):
        with pytest.raises(DatasetDamaged, match=name):
            read_rgb(tmp_path / name)
    cv2.imwrite(str(tmp_path / "rgb.png"), np.zeros((4, 4, 3), np.uint8))
    with pytest.raises(DatasetDamaged, match="one channel"):
        read_grey(tmp_path / "rgb.png")
