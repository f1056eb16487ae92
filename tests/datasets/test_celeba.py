import shutil

import cv2
import numpy as np
import pytest
import torch
from faceaug.datasets.celeba import CelebA
from torchvision import tv_tensors

from faceaug.errors import DatasetDamaged, DatasetNotFound


@pytest.fixture
def copy(drawn, tmp_path):
    return shutil.copytree(drawn / "celeba", tmp_path / "celeba")


def test_samples_splits_and_attributes(drawn):
    photos = CelebA(drawn / "celeba")
    image, attributes = photos[0]
    assert isinstance(image, tv_tensors.Image)
    assert image.shape == (3, 218, 178)
    assert attributes.shape == (len(photos.attributes),)
    assert set(attributes.tolist()) <= {0, 1}
    sizes = [len(CelebA(drawn / "celeba", split)) for split in ("train", "valid", "test")]
    assert sizes == [49, 5, 6]
    assert sum(sizes) == len(photos)
    people = [set(CelebA(drawn / "celeba", split).traits()["identity"]) for split in ("train", "valid", "test")]
    assert sum(map(len, people)) == len(set.union(*people))  # nobody is in two
    assert torch.equal(CelebA(drawn / "celeba", transforms=lambda image: image * 0)[0][0], image * 0)


def test_traits(drawn):
    traits = CelebA(drawn / "celeba").traits()
    assert set(traits["male"]) == {0, 1}
    people = traits["identity"]
    for person in np.unique(people):  # one gender a person
        assert len(set(traits["male"][people == person])) == 1


def test_a_photo_without_landmarks_has_none(copy):
    path = copy / "list_landmarks_align_celeba.txt"
    lines = path.read_text().splitlines()
    path.write_text("\n".join(lines[:2] + lines[3:]) + "\n")
    assert np.isnan(CelebA(copy).photo(0).landmarks).all()


def test_bad_lists_and_missing_photos_are_named(copy, tmp_path):
    with pytest.raises(DatasetNotFound, match="no such folder"):
        CelebA(tmp_path / "none")
    path = copy / "list_attr_celeba.txt"
    whole = path.read_text()
    path.write_text(whole.replace("Male", "Female"))
    with pytest.raises(DatasetDamaged, match="no attribute Male"):
        CelebA(copy)
    path.write_text(whole[:-20])
    with pytest.raises(DatasetDamaged, match=r"list_attr_celeba\.txt: line 62"):
        CelebA(copy)
    path.write_text(whole)
    (copy / "img_align_celeba" / "000007.jpg").unlink()
    with pytest.raises(DatasetDamaged, match=r"000007\.jpg: no photo for 1 of 60 listed faces; .*@partial"):
        CelebA(copy)
    assert len(CelebA(copy, partial=True)) == 59
    (copy / "list_eval_partition.txt").unlink()
    with pytest.raises(DatasetNotFound, match=r"list_eval_partition\.txt"):
        CelebA(copy)


def _as_csv(copy, name, header):
    path = copy / f"{name}.txt"
    lines = path.read_text().splitlines()
    if lines[0].isdigit():
        header, lines = lines[1], lines[2:]
    rows = [",".join(line.split()) for line in (f"image_id {header}", *lines)]
    (copy / f"{name}.csv").write_text("\n".join(rows) + "\n")
    path.unlink()


def _same(one, other):
    assert one.names == other.names
    assert one.attributes == other.attributes
    for name, values in one.traits().items():
        assert (other.traits()[name] == values).all()
    for index in (0, len(one) // 2, len(one) - 1):
        assert (one.photo(index).image == other.photo(index).image).all()
        assert (one.photo(index).landmarks == other.photo(index).landmarks).all()
        assert torch.equal(one[index][1], other[index][1])


def test_as_kaggle_has_it(drawn, copy):
    for name, header in (
        ("list_attr_celeba", ""), ("list_landmarks_align_celeba", ""), ("list_eval_partition", "partition"),
    ):  # fmt: skip
        _as_csv(copy, name, header)
    (copy / "img_align_celeba").rename(copy / "inner")
    (copy / "img_align_celeba").mkdir()
    (copy / "inner").rename(copy / "img_align_celeba" / "img_align_celeba")
    for split in ("train", "valid", "all"):
        _same(CelebA(drawn / "celeba", split), CelebA(copy, split))


def test_in_the_official_folders(drawn, copy):
    for folder, names in (("Img", ["img_align_celeba"]), ("Eval", ["list_eval_partition.txt"]), ("Anno", None)):
        (copy / folder).mkdir()
        for name in names or [path.name for path in copy.glob("*.txt")]:
            (copy / name).rename(copy / folder / name)
    _same(CelebA(drawn / "celeba"), CelebA(copy))


def test_png_photos(drawn, copy):
    for path in (copy / "img_align_celeba").iterdir():
        assert cv2.imwrite(str(path.with_suffix(".png")), cv2.imread(str(path)))
        path.unlink()
    (copy / "img_align_celeba").rename(copy / "img_align_celeba_png")
    _same(CelebA(drawn / "celeba"), CelebA(copy))


def test_lists_without_header_lines(drawn, copy):
    path = copy / "list_landmarks_align_celeba.txt"
    path.write_text("\n".join(path.read_text().splitlines()[2:]) + "\n")
    _same(CelebA(drawn / "celeba"), CelebA(copy))


def test_without_attributes_genders_are_unknown(copy):
    (copy / "list_attr_celeba.txt").unlink()
    photos = CelebA(copy)
    assert photos.attributes == ()
    assert "male" not in photos.traits()
    assert len(photos[0][1]) == 0


def test_a_photo_that_is_listed_twice_counts_once_and_one_of_no_split_is_named(copy):
    path = copy / "list_eval_partition.txt"
    whole = path.read_text()
    path.write_text(whole + whole.splitlines()[0] + "\n")
    assert len(CelebA(copy)) == 60
    path.write_text(whole.replace(" 0\n", " 3\n", 1))
    with pytest.raises(DatasetDamaged, match=r"list_eval_partition\.txt: 000001\.jpg is in split 3, there are 0 \(train\)"):
        CelebA(copy)
