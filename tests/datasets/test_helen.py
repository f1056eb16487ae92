import shutil

import cv2
import numpy as np
import pytest
import torch
from faceaug.datasets.helen import Helen
from torchvision import tv_tensors
from torchvision.transforms import v2

from faceaug.errors import ConfigError, DatasetDamaged, DatasetNotFound


@pytest.fixture
def copy(drawn, tmp_path):
    return shutil.copytree(drawn / "helen", tmp_path / "helen")


def test_splits_names_and_samples(drawn):
    faces = Helen(drawn / "helen", "tuning")
    assert len(faces) == 4
    image, mask = faces[0]
    assert isinstance(image, tv_tensors.Image)
    assert isinstance(mask, tv_tensors.Mask)
    assert image.shape[1:] == mask.shape
    assert image.dtype == mask.dtype == torch.uint8
    assert int(mask.max()) <= 10


def test_transforms_move_image_and_mask_together(drawn):
    plain = Helen(drawn / "helen")[0]
    flipped = Helen(drawn / "helen", transforms=v2.RandomHorizontalFlip(p=1.0))[0]
    assert torch.equal(flipped[0], plain[0].flip(-1))
    assert torch.equal(flipped[1], plain[1].flip(-1))


def test_the_largest_soft_map_wins_and_ties_go_down(copy):
    name = Helen(copy).names[0]
    for label in range(11):
        cv2.imwrite(
            str(copy / "labels" / name / f"{name}_lbl{label:02d}.png"), np.full((4, 4), 100 if label in (3, 7) else 9, np.uint8)
        )
    cv2.imwrite(str(copy / "images" / f"{name}.jpg"), np.zeros((4, 4, 3), np.uint8))
    assert (Helen(copy).photo(0).labels == 3).all()


def test_one_label_map_a_face_is_read_too(copy):
    faces = Helen(copy)
    labels = [faces.photo(index).labels for index in range(len(faces))]
    shutil.rmtree(copy / "labels")
    (copy / "labels").mkdir()
    for name, one in zip(faces.names, labels, strict=True):
        cv2.imwrite(str(copy / "labels" / f"{name}.png"), one)
    again = Helen(copy)
    assert all((again.photo(index).labels == one).all() for index, one in enumerate(labels))
    one = labels[0].copy()
    one[0, 0] = 17
    cv2.imwrite(str(copy / "labels" / f"{faces.names[0]}.png"), one)
    with pytest.raises(DatasetDamaged, match="label 17 is out of range"):
        again.photo(0)


def test_missing_things_are_named(copy, tmp_path):
    with pytest.raises(DatasetNotFound, match=r"none: no such folder.*faceaug draw"):
        Helen(tmp_path / "none")
    with pytest.raises(ConfigError, match="split 'valid'"):
        Helen(copy, "valid")
    with pytest.raises(ConfigError, match=r"--labelled 13: .* lists 12 train faces"):
        Helen(copy, limit=13)
    (copy / "tuning.txt").unlink()
    with pytest.raises(DatasetNotFound, match=r"tuning\.txt"):
        Helen(copy, "tuning")
    (copy / "exemplars.txt").write_text("\n")
    with pytest.raises(DatasetDamaged, match=r"exemplars\.txt: lists no faces"):
        Helen(copy)


def test_half_copied_sets_fail_at_once(copy):
    names = Helen(copy).names
    shutil.rmtree(copy / "labels" / names[3])
    with pytest.raises(DatasetDamaged, match=rf"{names[3]}: no labels for 1 of 12"):
        Helen(copy)
    (copy / "images" / f"{names[1]}.jpg").unlink()
    with pytest.raises(DatasetDamaged, match=rf"{names[1]}\.jpg: no photo for 1 of 12"):
        Helen(copy)


def test_bad_files_are_named(copy):
    faces = Helen(copy)
    name = faces.names[0]
    (copy / "labels" / name / f"{name}_lbl04.png").unlink()
    with pytest.raises(DatasetDamaged, match=rf"{name}_lbl04\.png"):
        faces.photo(0)
    (copy / "images" / f"{faces.names[1]}.jpg").write_bytes(b"half")
    with pytest.raises(DatasetDamaged, match="no readable image"):
        faces.photo(1)
    cv2.imwrite(str(copy / "images" / f"{faces.names[2]}.jpg"), np.zeros((9, 8, 3), np.uint8))
    with pytest.raises(DatasetDamaged, match="but the photo is 8x9"):
        faces.photo(2)


def test_a_title_of_its_own(copy):
    assert Helen(copy).title == "drawn faces"
    (copy / "faceaug.json").unlink()
    assert Helen(copy).title == "Helen"
    (copy / "faceaug.json").write_text("[]")
    with pytest.raises(DatasetDamaged, match=r"faceaug\.json"):
        Helen(copy)
