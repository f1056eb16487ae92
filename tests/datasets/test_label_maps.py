import cv2
import numpy as np
import pytest
from blocks import labels_of, write
from faceaug.datasets.label_maps import LabelOutOfRange, SizesDiffer, fit_labels, read_labels
from PIL import Image

from faceaug.errors import DatasetDamaged
from faceaug.labels import FASSEG_6, HELEN_11, Scheme

LABELS = labels_of()
LABELS[0, 0] = 255


def _palette(path, labels, colours):
    picture = Image.fromarray(labels)
    picture.putpalette(np.ravel(colours).astype(np.uint8).tobytes())
    picture.save(path)


@pytest.mark.parametrize("suffix", [".png", ".PNG", ".bmp", ".tif", ".webp"])
def test_grey_and_equal_channels_in_any_lossless_format(tmp_path, suffix):
    if suffix != ".webp":
        assert (read_labels(write(tmp_path / f"grey{suffix}", LABELS), HELEN_11) == LABELS).all()
    path = tmp_path / f"equal{suffix}"
    cv2.imwrite(str(path), np.repeat(LABELS[..., None], 3, axis=2), [cv2.IMWRITE_WEBP_QUALITY, 101])
    assert (read_labels(path, HELEN_11) == LABELS).all()


def test_sixteen_bits_and_opaque_alpha(tmp_path):
    for name, pixels in (
        ("deep", LABELS.astype(np.uint16)),
        ("deep_equal", np.repeat(LABELS[..., None].astype(np.uint16), 3, axis=2)),
        ("alpha", np.dstack([LABELS, LABELS, LABELS, np.full_like(LABELS, 255)])),
    ):
        cv2.imwrite(str(tmp_path / f"{name}.png"), pixels)
        assert (read_labels(tmp_path / f"{name}.png", HELEN_11) == LABELS).all(), name


def test_palettes_give_their_indices(tmp_path):
    rng = np.random.default_rng(0)
    for name, colours in (("own", HELEN_11.colour(np.arange(256, dtype=np.uint8))), ("any", rng.integers(0, 256, (256, 3)))):
        _palette(tmp_path / f"{name}.png", LABELS, colours)
        assert (read_labels(tmp_path / f"{name}.png", HELEN_11) == LABELS).all(), name


def test_a_palette_of_the_classes_in_another_order_is_read_by_colour(tmp_path):
    labels = labels_of()
    order = np.random.default_rng(1).permutation(11)
    _palette(tmp_path / "a.png", np.argsort(order).astype(np.uint8)[labels], np.array(HELEN_11.colours)[order])
    assert (read_labels(tmp_path / "a.png", HELEN_11) == labels).all()


def test_colours_with_soft_borders_take_the_nearest(tmp_path):
    labels = labels_of(FASSEG_6, 256)
    coded = FASSEG_6.colour(labels)
    assert (read_labels(write(tmp_path / "sharp.png", coded), FASSEG_6) == labels).all()
    soft = cv2.GaussianBlur(coded, (3, 3), 0.6)
    assert len(np.unique(soft.reshape(-1, 3), axis=0)) > 30
    assert (read_labels(write(tmp_path / "soft.png", soft), FASSEG_6) == labels).mean() > 0.97


def test_white_is_unlabelled_and_other_colours_are_refused(tmp_path):
    coded = FASSEG_6.colour(np.where(np.eye(32, dtype=bool), 255, labels_of(FASSEG_6)).astype(np.uint8))
    assert (read_labels(write(tmp_path / "a.png", coded), FASSEG_6)[np.eye(32, dtype=bool)] == 255).all()
    with pytest.raises(LabelOutOfRange, match=r"a\.png: its colours, .* are not those of helen-11"):
        read_labels(tmp_path / "a.png", HELEN_11)


def test_grey_colours_of_a_scheme_are_colours(tmp_path):
    scheme = Scheme("two", ("out", "face"), ((0, 0, 0), (128, 128, 128)), ("kept", "skin"), (0, 1))
    labels = np.eye(8, dtype=np.uint8)
    assert (read_labels(write(tmp_path / "a.png", scheme.colour(labels)), scheme) == labels).all()
    Image.fromarray(labels.astype(bool)).save(tmp_path / "bits.png")
    assert (read_labels(tmp_path / "bits.png", scheme) == labels).all()


def test_bad_label_maps_are_named(tmp_path):
    with pytest.raises(LabelOutOfRange, match=r"a\.png: label 17 is out of range; helen-11 has 0\.\.10"):
        read_labels(write(tmp_path / "a.png", np.full((4, 4), 17, np.uint8)), HELEN_11)
    with pytest.raises(DatasetDamaged, match=r"a\.jpg: JPEG changes the numbers"):
        read_labels(write(tmp_path / "a.jpg", labels_of()), HELEN_11)
    with pytest.raises(DatasetDamaged, match=r"none\.png: cannot be read"):
        read_labels(tmp_path / "none.png", HELEN_11)
    (tmp_path / "a.png").write_bytes(b"half")
    with pytest.raises(DatasetDamaged, match=r"a\.png: no readable image"):
        read_labels(tmp_path / "a.png", HELEN_11)


@pytest.mark.parametrize("factor", [2, 3, 4])
def test_whole_factors_are_resized_and_nothing_else(factor):
    large = LABELS.repeat(factor, 0).repeat(factor, 1)
    assert (fit_labels(LABELS, large.shape, "a") == large).all()
    assert (fit_labels(large, LABELS.shape, "a") == LABELS).all()
    assert fit_labels(LABELS, LABELS.shape, "a") is LABELS
    with pytest.raises(SizesDiffer, match=r"a: labels are 32x32 but the photo is 64x32; copy"):
        fit_labels(LABELS, (32, 64), "a")
    with pytest.raises(SizesDiffer, match=r"labels are 16x32 but the photo is 32x16: .*EXIF"):
        fit_labels(LABELS[:, :16], (16, 32), "a")
