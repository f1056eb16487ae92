import sys
from types import SimpleNamespace

import numpy as np
import pytest
from blocks import labels_of, photo_of, write, write_folder
from faceaug.datasets.folder import Folder, PhotoFolder
from PIL import Image
from torchvision import tv_tensors

from faceaug.errors import ConfigError, DatasetDamaged, DatasetNotFound
from faceaug.labels import CELEBAMASK_19, HELEN_11
from faceaug.prepare.faces import align

SPLITS = ("train", "tuning", "testing")
TOML = """
name = "mine"
[[classes]]
name = "background"
colour = [0, 0, 0]
part = "kept"
[[classes]]
name = "face"
colour = [200, 100, 50]
part = "skin"
"""


@pytest.fixture
def root(tmp_path):
    return write_folder(tmp_path / "faces")


def _unlist(root):
    for split in SPLITS:
        (root / f"{split}.txt").unlink()
    return root


def test_the_scheme_in_its_four_places(root):
    assert Folder(root).scheme == Folder(root, scheme="helen-11").scheme == Folder(root, scheme=HELEN_11).scheme == HELEN_11
    assert Folder(root, scheme="celebamask-19").scheme == CELEBAMASK_19
    (root / "scheme.toml").write_text(TOML)
    assert Folder(root).scheme.name == "mine"
    (root / "scheme.toml").rename(root / "other.toml")
    assert Folder(root, scheme=root / "other.toml").scheme.name == "mine"
    (root / "scheme.txt").unlink()
    with pytest.raises(ConfigError, match=r"which label scheme\? .*@celebamask-19, or put a scheme\.toml"):
        Folder(root)


def test_files_pair_by_stem_in_any_format(root):
    for name, photo, mask in (("a0", "JPG", "BMP"), ("a3", "jpeg", "PNG"), ("a6", "webp", "tif")):
        (root / "images" / f"{name}.png").unlink()
        (root / "masks" / f"{name}.png").unlink()
        write(root / "images" / f"{name}.{photo}", photo_of(1))
        write(root / "masks" / f"{name}.{mask}", labels_of())
    (root / "masks").rename(root / "labels")
    faces = Folder(root)
    assert faces.names == ("a0", "a3", "a6")
    assert all((faces.photo(index).labels == labels_of()).all() for index in range(3))
    (root / "labels" / "a0.BMP").rename(root / "labels" / "A0.BMP")
    with pytest.raises(DatasetDamaged, match=r"a0\.png: no labels for 1 of 3 listed faces \(A0\.BMP is there\)"):
        Folder(root)


@pytest.mark.parametrize("names", [("val", "test"), ("valid", "testing"), ("validation", "test")])
def test_other_names_of_lists(root, names):
    before = [Folder(root, split).names for split in SPLITS]
    (root / "tuning.txt").rename(root / f"{names[0]}.txt")
    (root / "testing.txt").rename(root / f"{names[1]}.txt")
    assert [Folder(root, split).names for split in SPLITS] == before
    (root / f"{names[0]}.txt").unlink()
    with pytest.raises(DatasetNotFound, match=r"has no tuning\.txt or val\.txt"):
        Folder(root, "tuning")


def test_splits_by_hash_keep_people_together(root):
    _unlist(root)
    splits = [set(Folder(root, split).names) for split in SPLITS]
    assert all(splits)
    assert set.union(*splits) == {f"a{number}" for number in range(9)}
    assert sum(map(len, splits)) == 9
    (root / "identity.csv").write_text("name,identity\n" + "".join(f"a{n}.png,p{n % 3}\n" for n in range(9)))
    people = [{int(name[1:]) % 3 for name in Folder(root, split).names} for split in SPLITS]
    assert [len(one) for one in people] == [1, 1, 1]
    assert set.union(*people) == {0, 1, 2}
    assert len(set(Folder(root).traits()["identity"].tolist())) == 1


def test_traits_and_landmarks(root):
    assert Folder(root).traits() == {}
    assert Folder(root).photo(0).landmarks is None
    (root / "traits.csv").write_text("name,glasses,male\na0,1,1\na3.png,0,female\n")
    (root / "landmarks.csv").write_text("name,x1,y1,x2,y2,x3,y3,x4,y4,x5,y5\na0.png,1,2,3,4,5,6,7,8,9,10\n")
    faces = Folder(root)
    assert faces.traits()["male"].tolist() == [1, 0, -1]
    assert faces.photo(0).landmarks.tolist() == [[1, 2], [3, 4], [5, 6], [7, 8], [9, 10]]
    assert np.isnan(faces.photo(1).landmarks).all()
    (root / "traits.csv").write_text("a0,1\na0,1\n")
    assert Folder(root).traits()["male"].tolist() == [1, -1, -1]
    assert "identity" not in Folder(root).traits()  # a list without a header has no column but its own
    (root / "traits.csv").write_text("name,male\na0,-1\na3,1\n")  # as CelebA writes it
    assert Folder(root).traits()["male"].tolist() == [0, 1, -1]
    (root / "traits.csv").write_text("a0,1\na3\n")
    with pytest.raises(DatasetDamaged, match=r"traits\.csv: line 2 has no male"):
        Folder(root)


def test_titles(root):
    assert Folder(root).title == "faces"


@pytest.fixture
def photos(tmp_path):
    write(tmp_path / "photos" / "b.JPG", photo_of(1))
    write(tmp_path / "photos" / "inner" / "a.png", photo_of(2))
    (tmp_path / "photos" / "note.txt").touch()
    return tmp_path / "photos"


def test_photos_of_all_depths(photos):
    found = PhotoFolder(photos)
    assert found.names == ("b.JPG", "inner/a.png")
    assert isinstance(found[1], tv_tensors.Image)
    assert (found[1].permute(1, 2, 0).numpy() == photo_of(2)).all()
    assert found.title == "photos"
    for path in photos.rglob("*.*"):
        path.unlink()
    with pytest.raises(DatasetDamaged, match="has no all faces"):
        PhotoFolder(photos)


def test_a_detector_stands_in_for_landmarks(photos, monkeypatch):
    points = np.array([(12, 12.5), (19, 12.5), (15.5, 17), (12, 22), (19, 22)])
    detect = SimpleNamespace(detect_landmarks=lambda image: points if (image == photo_of(2)).all() else None)
    monkeypatch.setitem(sys.modules, "faceaug.prepare.detect", detect)
    found = PhotoFolder(photos)
    assert found.photo(0).landmarks is None
    assert (found.photo(1).landmarks == points).all()
    faces = align(found, size=64)
    assert faces.names == ("inner/a.png",)
    assert sum(faces.dropped.values()) == 1
    before = found.fingerprint()
    row = ",".join(map(str, np.arange(10)))
    (photos / "landmarks.csv").write_text(f"b,{row}\n")
    listed = PhotoFolder(photos)
    assert listed.fingerprint() != before
    assert (listed.photo(0).landmarks == np.arange(10).reshape(5, 2)).all()
    assert listed.names == ("b.JPG",)


def test_photos_are_upright_unless_landmarks_are_listed(photos):
    exif = Image.Exif()
    exif[0x0112] = 6
    path = photos / "inner" / "a.png"
    Image.fromarray(photo_of(2)).save(path, exif=exif)
    assert (PhotoFolder(photos).pixels(1)[0] == np.rot90(photo_of(2), -1)).all()
    (photos / "landmarks.csv").write_text("inner/a.png" + ",1" * 10 + "\n")
    assert (PhotoFolder(photos).pixels(0)[0] == photo_of(2)).all()


def test_links_that_lead_back_give_no_photo_twice(photos):
    before = PhotoFolder(photos).names
    (photos / "again").symlink_to(photos)
    (photos / "above").symlink_to(photos.parent)
    (photos / "also").symlink_to(photos / "inner")
    (photos / "inner" / "up").symlink_to("..")
    assert PhotoFolder(photos).names == before
    write(photos.parent / "elsewhere" / "c.png", photo_of(3))
    (photos.parent / "elsewhere" / "round").symlink_to(".")
    (photos / "link").symlink_to("../elsewhere")
    (photos / "above").unlink()
    assert PhotoFolder(photos).names == ("b.JPG", "inner/a.png", "link/c.png")
