"""Every labelled layout: the same faces come out, whatever way they lie on disk."""

import os
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
import torch
from blocks import labels_of, photo_of, write, write_folder
from faceaug.datasets import names
from faceaug.datasets.names import LABELLED, open_labelled, open_photos, open_reader
from torchvision import tv_tensors
from torchvision.transforms import v2

from faceaug.errors import DatasetDamaged, DatasetNotFound
from faceaug.labels import CELEBAMASK_19, FACESYNTHETICS_19, FASSEG_6, HELEN_11, LAPA_11

POINTS = np.array([(12, 12.5), (19, 12.5), (15.5, 17), (12, 22), (19, 22)])


def _helen(root):
    for number in range(12):
        write(root / "images" / f"f{number}.jpg", photo_of(number))
        for label in range(11):
            write(root / "labels" / f"f{number}" / f"f{number}_lbl{label:02d}.png", np.uint8(255) * (labels_of() == label))
    for at, listing in enumerate(("exemplars", "tuning", "testing")):
        (root / f"{listing}.txt").write_text("".join(f"{n} , f{n}\n" for n in range(at, 12, 3)))


def _helenstar(root):
    for folder, count in (("train", 12), ("test", 3), ("test_resize", 3)):
        for number in range(count):
            write(root / folder / f"{number}_1_image.jpg", photo_of(number))
            write(root / folder / f"{number}_1_label.png", labels_of())
            write(root / folder / f"{number}_1_viz.jpg", photo_of(99))


def _lapa(root):
    for folder in ("train", "val", "test"):
        for number in range(3):
            write(root / "LaPa" / folder / "images" / f"{number}_0.jpg", photo_of(number))
            write(root / "LaPa" / folder / "labels" / f"{number}_0.png", labels_of(LAPA_11))
            points = np.zeros((106, 2))
            points[[104, 105, 54, 84, 90]] = POINTS
            path = root / "LaPa" / folder / "landmarks" / f"{number}_0.txt"
            path.parent.mkdir(exist_ok=True)
            path.write_text("106\n" + "".join(f"{x} {y}\n" for x, y in points))


def _celebamask(root):
    labels = labels_of(CELEBAMASK_19)
    for number in (0, 1, 2, 2000, 2001, 2002):
        write(root / "CelebA-HQ-img" / f"{number}.jpg", photo_of(number, 64))
        for label, part in enumerate(CELEBAMASK_19.classes[1:], 1):
            path = root / "CelebAMask-HQ-mask-anno" / str(number // 2000) / f"{number:05d}_{part}.png"
            # Skin lies under everything but the background: later parts are generated over it.
            mask = labels > 0 if part == "skin" else labels == label
            write(path, np.repeat(np.uint8(255) * mask[..., None], 3, axis=2))
    rows = [(0, "000005"), (1, "000004"), (2, "000003"), (2000, "000002"), (2001, "000001"), (2002, "000006")]
    header = "idx    orig_idx    orig_file    proc_md5    final_md5\n"
    text = header + "".join(f"{k}  {int(f) - 1}  {f}.jpg  aa  bb\n" for k, f in rows)
    (root / "CelebA-HQ-to-CelebA-mapping.txt").write_text(text)
    (root / "list_eval_partition.txt").write_text("".join(f"00000{k}.jpg {k // 3}\n" for k in range(1, 7)))


def _facesynthetics(root):
    for number in range(12):
        write(root / f"{number:06d}.png", photo_of(number))
        write(root / f"{number:06d}_seg.png", labels_of(FACESYNTHETICS_19))
        points = np.zeros((70, 2))
        points[36:42], points[42:48], points[[30, 48, 54]] = POINTS[0], POINTS[1], POINTS[2:]
        (root / f"{number:06d}_ldmks.txt").write_text("".join(f"{x} {y}\n" for x, y in points))


def _fasseg(root):
    for part, count in (("Train", 10), ("Test", 3)):
        for number in range(1, count + 1):
            write(root / f"{part}_RGB" / f"{number}.jpg", photo_of(number))
            write(root / f"{part}_Labels" / f"{number}.png", FASSEG_6.colour(labels_of(FASSEG_6)))


LAYOUTS = {
    "helen": SimpleNamespace(write=_helen, scheme=HELEN_11, counts=(4, 4, 4)),
    "helenstar": SimpleNamespace(write=_helenstar, scheme=HELEN_11, counts=None),
    "lapa": SimpleNamespace(write=_lapa, scheme=LAPA_11, counts=(3, 3, 3)),
    "celebamask": SimpleNamespace(write=_celebamask, scheme=CELEBAMASK_19, counts=(2, 3, 1)),
    "facesynthetics": SimpleNamespace(write=_facesynthetics, scheme=FACESYNTHETICS_19, counts=None),
    "fasseg": SimpleNamespace(write=_fasseg, scheme=FASSEG_6, counts=(8, 2, 3)),
    "folder": SimpleNamespace(write=write_folder, scheme=HELEN_11, counts=(3, 3, 3)),
}


@pytest.fixture(params=LAYOUTS)
def layout(request, tmp_path):
    found = LAYOUTS[request.param]
    root = tmp_path / "data" / request.param
    root.mkdir(parents=True)
    found.write(root)
    return SimpleNamespace(name=request.param, root=tmp_path / "data", folder=root, **vars(found))


def _open(layout, split="train", **options):
    return open_reader(layout.name, split, root=layout.root, **options)


def test_every_reader_is_tried_here():
    assert set(LAYOUTS) == set(LABELLED)


def test_faces_labels_and_splits(layout):
    splits = {split: _open(layout, split) for split in ("train", "tuning", "testing")}
    if layout.counts:
        assert tuple(len(reader) for reader in splits.values()) == layout.counts
    sets = [set(reader.names) for split, reader in splits.items() if layout.name not in ("lapa", "fasseg") or split == "train"]
    if layout.name != "helenstar":  # its test faces are numbered anew here
        assert sum(map(len, sets)) == len(set.union(*sets))
    for reader in splits.values():
        assert reader.scheme == layout.scheme
        for index in range(len(reader)):
            photo = reader.photo(index)
            expected = labels_of(layout.scheme, photo.image.shape[0] if layout.name != "celebamask" else 32)
            if layout.name == "celebamask":
                expected = expected.repeat(2, 0).repeat(2, 1)
            assert (photo.labels == expected).all()


def test_samples_are_tv_tensors(layout):
    faces = _open(layout)
    image, mask = faces[0]
    assert isinstance(image, tv_tensors.Image)
    assert isinstance(mask, tv_tensors.Mask)
    assert image.shape[1:] == mask.shape
    again = _open(layout)
    again.transforms = v2.RandomHorizontalFlip(p=1.0)
    assert torch.equal(again[0][1], mask.flip(-1))
    assert len(list(faces)) == len(faces)


def test_alignment_and_labelled_sets_as_sources(layout):
    faces = open_labelled(layout.name, "train", size=64, root=layout.root, cache=None)
    assert len(faces) == len(_open(layout))
    assert faces.scheme == layout.scheme
    sources = open_photos(layout.name, size=64, root=layout.root, cache=None)
    assert (sources.labels == faces.labels).all()
    assert sources.names == faces.names


def test_every_file_that_is_read_is_in_the_fingerprint(layout):
    faces = _open(layout)
    before = faces.fingerprint()
    assert _open(layout).fingerprint() == before
    name = faces.names[0]
    files = [faces.photo_file(name), *faces.label_files(name), *faces.other_files(name), *faces._lists]
    assert len(files) >= 2 + (layout.name == "helen") * 11
    for file in files:
        os.utime(file, ns=(1, 1))
        after = _open(layout).fingerprint()
        assert after != before, file
        before = after


def test_missing_files_are_named_at_once(layout):
    faces = _open(layout)
    name = faces.names[1]
    for file in faces.label_files(name):
        file.unlink()
    if layout.name == "helen":
        (layout.folder / "labels" / name).rmdir()
    with pytest.raises(DatasetDamaged, match=rf"no labels for 1 of {len(faces)} listed faces"):
        _open(layout)
    assert _open(layout, whole=False).lacks(name) == ["labels"]


def test_missing_folders(layout, tmp_path):
    with pytest.raises(DatasetNotFound, match=rf"none: no such folder; .* {layout.name}:DIR"):
        open_reader(f"{layout.name}:{tmp_path / 'none'}", "train", root=tmp_path)
    (tmp_path / "empty").mkdir()
    with pytest.raises((DatasetNotFound, DatasetDamaged, names.ConfigError), match="empty"):
        open_reader(f"{layout.name}:{tmp_path / 'empty'}", "train", root=tmp_path)


@pytest.mark.parametrize("turn", [2, 3, 6, 8])
def test_photos_and_labels_are_read_as_stored(tmp_path, turn):
    root = write_folder(tmp_path / "faces")
    from PIL import Image

    exif = Image.Exif()
    exif[0x0112] = turn
    path = root / "images" / "a0.png"
    Image.open(path).convert("RGB").save(path, exif=exif)
    photo = open_reader(f"folder:{root}", "train", root=tmp_path).photo(0)
    assert (photo.image == photo_of(0)).all()


def test_landmarks_stand_in_for_classes_that_a_face_lacks(tmp_path):
    root = tmp_path / "lapa"
    _lapa(root)
    faces = open_reader("lapa", "train", root=tmp_path)
    whole = faces.photo(0).landmarks
    labels = labels_of(LAPA_11)
    labels[labels == LAPA_11.classes.index("left_eye")] = 1
    write(faces.label_files(faces.names[0])[0], labels)
    points = faces.photo(0).landmarks
    assert points[0].tolist() == POINTS[0].tolist()
    assert (points[1:] == whole[1:]).all()


def test_rendered_landmarks(tmp_path):
    _facesynthetics(tmp_path / "facesynthetics")
    assert (open_reader("facesynthetics", "train", root=tmp_path).photo(0).landmarks == POINTS).all()


def test_official_splits_join_on_file_names(tmp_path):
    root = tmp_path / "celebamask"
    _celebamask(root)
    names = {split: open_reader("celebamask", split, root=tmp_path).names for split in ("train", "tuning", "testing")}
    assert names == {"train": ("2000", "2001"), "tuning": ("0", "1", "2"), "testing": ("2002",)}
    (root / "identity_CelebA.txt").write_text("000001.jpg 7\n000002.jpg 9\n")
    (root / "CelebAMask-HQ-attribute-anno.txt").write_text("2\nMale Young\n2000.jpg 1 -1\n2001.jpg -1 1\n")
    traits = open_reader("celebamask", "train", root=tmp_path).traits()
    assert traits["male"].tolist() == [1, 0]
    assert traits["identity"].tolist() == [9, 7]
    (root / "list_eval_partition.txt").unlink()
    with pytest.raises(DatasetNotFound, match=r"list_eval_partition\.txt: no such list"):
        open_reader("celebamask", "train", root=tmp_path)
    (root / "CelebA-HQ-to-CelebA-mapping.txt").unlink()
    assert sum(len(open_reader("celebamask", split, root=tmp_path)) for split in ("train", "tuning", "testing")) == 6


def test_parts_that_differ_in_size_are_named(tmp_path):
    _celebamask(tmp_path / "celebamask")
    write(tmp_path / "celebamask" / "CelebAMask-HQ-mask-anno" / "1" / "02000_nose.png", np.zeros((16, 16), np.uint8))
    with pytest.raises(DatasetDamaged, match=r"02000_nose\.png: is 16x16"):
        open_reader("celebamask", "train", root=tmp_path).photo(0)


def test_a_photo_of_another_size(tmp_path):
    root = write_folder(tmp_path / "faces")
    cv2.imwrite(str(root / "images" / "a0.png"), np.zeros((33, 32, 3), np.uint8))
    with pytest.raises(DatasetDamaged, match=r"a0\.png: labels are 32x32 but the photo is 32x33"):
        open_reader(f"folder:{root}", "train", root=tmp_path).photo(0)
