import shutil

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
    assert sizes == [48, 6, 6]
    assert sum(sizes) == len(photos)
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
    with pytest.raises(DatasetDamaged, match=r"000007\.jpg: 1 of 60 listed photos are missing"):
        CelebA(copy)
    (copy / "list_eval_partition.txt").unlink()
    with pytest.raises(DatasetNotFound, match=r"list_eval_partition\.txt"):
        CelebA(copy)
