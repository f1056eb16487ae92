import filecmp

import cv2
import numpy as np
import pytest
from faceaug.datasets.celeba import CelebA
from faceaug.datasets.drawn.layouts import preview, write_celeba, write_helen
from faceaug.datasets.helen import Helen

from faceaug.errors import ConfigError
from faceaug.labels import HAIR, SKIN


def _files(folder):
    return sorted(path.relative_to(folder) for path in folder.rglob("*") if path.is_file())


def test_same_seed_same_files_other_seed_others(drawn, tmp_path):
    write_helen(tmp_path / "same", train=2, tuning=1, testing=1, seed=1)
    write_helen(tmp_path / "again", train=2, tuning=1, testing=1, seed=1)
    assert _files(tmp_path / "same") == _files(tmp_path / "again")
    for file in _files(tmp_path / "same"):
        assert filecmp.cmp(tmp_path / "same" / file, tmp_path / "again" / file, shallow=False)
    write_helen(tmp_path / "other", train=2, tuning=1, testing=1, seed=2)
    first = "images/drawn_00001.jpg"
    assert not filecmp.cmp(tmp_path / "same" / first, tmp_path / "other" / first, shallow=False)
    assert filecmp.cmp(tmp_path / "same" / first, drawn / "helen" / first, shallow=False)  # a longer set begins alike


def test_soft_maps_are_shares_of_a_pixel(drawn):
    faces = Helen(drawn / "helen")
    name = faces.names[0]
    maps = [
        cv2.imread(str(drawn / f"helen/labels/{name}/{name}_lbl{label:02d}.png"), cv2.IMREAD_UNCHANGED) for label in range(11)
    ]
    total = np.stack(maps).astype(int).sum(0)
    assert abs(total - 255).max() <= 6  # rounding of eleven bytes
    assert ((np.stack(maps) > 0).sum(0) > 1).any()  # soft at the borders


def test_every_face_has_skin_and_the_set_every_class(drawn):
    faces = Helen(drawn / "helen")
    labels = [faces.photo(index).labels for index in range(len(faces))]
    assert all((one == SKIN).any() for one in labels)
    assert set(np.unique(labels)) == set(range(11))
    assert any((one == HAIR).any() for one in labels)


def test_landmarks_lie_in_the_photo_and_in_order(drawn):
    photos = CelebA(drawn / "celeba")
    for index in range(10):
        photo = photos.photo(index)
        points = photo.landmarks
        assert ((points >= 0) & (points < [178, 218])).all()
        assert points[0, 0] < points[1, 0]
        assert points[3, 0] < points[4, 0]
        assert points[:2, 1].max() < points[2, 1] < points[3:, 1].max()


def test_traits_correlate_with_gender(drawn):
    photos = CelebA(drawn / "celeba")
    male = photos.traits()["male"]
    names = photos.attributes
    rows = np.array([photos[index][1].tolist() for index in range(len(photos))])
    correlations = [
        abs(np.corrcoef(rows[:, i], male)[0, 1]) for i, name in enumerate(names) if name != "Male" and rows[:, i].std()
    ]
    assert max(correlations) > 0.3
    assert 0.25 < male.mean() < 0.75


def test_what_is_there_is_kept_or_refused(tmp_path):
    write_celeba(tmp_path / "celeba", photos=3, seed=0)
    before = (tmp_path / "celeba" / "img_align_celeba" / "000001.jpg").stat().st_mtime_ns
    write_celeba(tmp_path / "celeba", photos=3, seed=0)
    assert (tmp_path / "celeba" / "img_align_celeba" / "000001.jpg").stat().st_mtime_ns == before
    with pytest.raises(ConfigError, match="exists and is not this drawing"):
        write_celeba(tmp_path / "celeba", photos=4, seed=0)
    with pytest.raises(ConfigError, match="--train 0"):
        write_helen(tmp_path / "helen", train=0, tuning=1, testing=1, seed=0)


def test_preview(drawn):
    picture = preview(drawn / "helen", drawn / "celeba", count=4)
    assert picture.shape[0] == 3 * 122 + 2


@pytest.mark.parametrize("content", [b"", b"{", b"\xff"])
def test_a_damaged_record_is_not_this_drawing(tmp_path, content):
    (tmp_path / "helen").mkdir()
    (tmp_path / "helen" / "faceaug.json").write_bytes(content)
    with pytest.raises(ConfigError, match="exists and is not this drawing"):
        write_helen(tmp_path / "helen", train=1, tuning=1, testing=1, seed=0)
