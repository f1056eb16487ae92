import shutil

import cv2
import numpy as np
import pytest
from blocks import labels_of, photo_of, write, write_folder
from faceaug.datasets import check as module
from faceaug.datasets.check import check

from faceaug.errors import DatasetNotFound
from faceaug.labels import CELEBAMASK_19, FASSEG_6, HELEN_11, SCHEMES


@pytest.fixture
def root(tmp_path):
    return write_folder(tmp_path / "faces")


def _found(root, kind, **options):
    """Names of the faces with findings of a kind; no other kind may have been found."""
    report = check(f"folder:{root}", root=root, **options)
    assert set(report.counts()) <= {kind}, report.findings
    return [finding.name for finding in report.findings]


@pytest.mark.parametrize("scheme", SCHEMES.values(), ids=list(SCHEMES))
def test_a_good_set(tmp_path, scheme):
    report = check(f"folder:{write_folder(tmp_path / 'faces', scheme=scheme)}", root=tmp_path)
    assert report.findings == ()
    assert report.summary() == f"faces in {scheme.name}: 3 train, 3 tuning, 3 testing; nothing is wrong"


def test_files(root):
    (root / "images" / "a1.png").unlink()
    (root / "masks" / "a2.png").unlink()
    assert _found(root, module.MISSING) == ["a1", "a2"]


def test_broken_files_and_sizes(tmp_path):
    root = write_folder(tmp_path / "faces", 12)
    (root / "images" / "a0.png").write_bytes(b"half")
    (root / "masks" / "a1.png").write_bytes((root / "masks" / "a1.png").read_bytes()[:60])
    write(root / "images" / "a2.png", photo_of(2, 33))
    write(root / "masks" / "a3.png", np.full((32, 32), 11, np.uint8))
    report = check(f"folder:{root}", root=root)
    assert report.counts() == {module.BROKEN: 2, module.SIZES: 1, module.RANGE: 1}
    assert sorted(finding.name for finding in report.findings) == ["a0", "a1", "a2", "a3"]
    assert all(finding.name in finding.file for finding in report.findings)


def test_lists_that_cannot_be_used_do_not_end_the_check(root):
    (root / "tuning.txt").write_bytes(b"Zo\xeb\n")
    (root / "masks" / "a2.png").unlink()
    report = check(f"folder:{root}", root=root)
    assert report.counts() == {module.MISSING: 1, module.BROKEN: 1}
    assert [finding.split for finding in report.findings] == ["testing", "tuning"]
    assert "tuning" not in report.faces


def test_classes_and_skin(root):
    hair, skin = HELEN_11.classes.index("hair"), HELEN_11.classes.index("skin")
    for path in (root / "masks").iterdir():
        labels = labels_of()
        write(path, np.where(labels == hair, 0, labels).astype(np.uint8))
    report = check(f"folder:{root}", root=root)
    assert [finding.text for finding in report.findings] == ["no face has hair (10 of helen-11)"]
    labels = labels_of()
    write(root / "masks" / "a4.png", np.where(labels == skin, 0, labels).astype(np.uint8))
    assert _found(root, module.SKINLESS) == ["a4"]


@pytest.mark.parametrize("scheme", [HELEN_11, CELEBAMASK_19], ids=lambda scheme: scheme.name)
@pytest.mark.parametrize("part", ["eye", "brow"])
def test_sides(tmp_path, scheme, part):
    root = write_folder(tmp_path / "faces", scheme=scheme)
    labels = labels_of(scheme)
    table = np.arange(256, dtype=np.uint8)
    (left,), (right,) = scheme.where(f"left_{part}"), scheme.where(f"right_{part}")
    table[[left, right]] = right, left
    write(root / "masks" / "a5.png", table[labels])
    one_eyed = np.where(labels == left, 1, labels).astype(np.uint8)
    write(root / "masks" / "a6.png", one_eyed)
    assert _found(root, module.SIDES) == ["a5"]


def test_one_class_for_both_sides_has_none_to_exchange(tmp_path):
    root = write_folder(tmp_path / "faces", scheme=FASSEG_6)
    for path in (root / "masks").iterdir():
        write(path, FASSEG_6.colour(labels_of(FASSEG_6)[:, ::-1]))
    assert check(f"folder:{root}", root=root).findings == ()


def test_sides_of_landmarks(root):
    right = [12, 12, 19, 12, 15, 17, 12, 22, 19, 22]
    wrong = [19, 12, 12, 12, 15, 17, 12, 22, 19, 22]
    rows = [f"a{number}," + ",".join(map(str, wrong if number == 7 else right)) for number in range(8)]
    (root / "landmarks.csv").write_text("\n".join(rows) + "\n")
    assert _found(root, module.SIDES) == ["a7"]


def test_photos_that_are_there_twice(root):
    shutil.copy(root / "images" / "a0.png", root / "images" / "a3.png")  # both train
    assert _found(root, module.DUPLICATE) == ["a3"]
    shutil.copy(root / "images" / "a1.png", root / "images" / "a3.png")
    assert _found(root, module.SHARED_PHOTO) == ["a1"]


def test_photos_that_look_alike(root):
    smooth = cv2.GaussianBlur(photo_of(0), (0, 0), 3)
    write(root / "images" / "a0.png", smooth)
    (root / "images" / "a6.png").unlink()
    cv2.imwrite(str(root / "images" / "a6.jpg"), smooth[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 95])
    assert _found(root, module.SIMILAR) == []
    assert _found(root, module.SIMILAR, similar=True) == ["a6"]


def test_people_in_two_splits(root):
    (root / "identity.csv").write_text("".join(f"a{number},{number % 4}\n" for number in range(8)))
    report = check(f"folder:{root}", root=root)
    assert set(report.counts()) == {module.SHARED_PERSON}
    assert {int(finding.name[1:]) % 4 for finding in report.findings} == {0, 1, 2, 3}
    (root / "identity.csv").write_text("".join(f"a{number},{number % 3}\n" for number in range(9)))
    assert check(f"folder:{root}", root=root).findings == ()


def test_against_another_set(root, tmp_path):
    sources = tmp_path / "photos"
    for number in range(20, 24):
        write(sources / f"{number}.png", photo_of(number))
    assert _found(root, module.SHARED_PHOTO, against=f"photos:{sources}") == []
    shutil.copy(root / "images" / "a4.png", sources / "inner.png")
    assert _found(root, module.SHARED_PHOTO, against=f"photos:{sources}") == ["a4"]
    (root / "identity.csv").write_text("a0,Ann\na3,Bea\n")
    (sources / "traits.csv").write_text("name,identity\n20,Cleo\n21,Ann\n")
    (sources / "inner.png").unlink()
    assert _found(root, module.SHARED_PERSON, against=f"photos:{sources}") == ["a0"]


def test_a_folder_that_is_not_there(tmp_path):
    with pytest.raises(DatasetNotFound, match="none: no such folder"):
        check(f"helen:{tmp_path / 'none'}", root=tmp_path)


def test_the_report_as_json(root):
    (root / "masks" / "a2.png").unlink()
    found = check(f"folder:{root}", root=root).as_dict()
    assert found["counts"] == {"missing": 1}
    assert found["faces"] == {"train": 3, "tuning": 3, "testing": 3}
    assert found["findings"][0]["name"] == "a2"


def test_landmarks_of_another_size(root):
    rows = [f"a{number},{','.join(['900'] * 10)}" for number in range(9)]
    (root / "landmarks.csv").write_text("\n".join(rows) + "\n")
    found = [one for one in check(f"folder:{root}", root=root).findings if "landmarks" in one.text]
    assert len(found) == 9
    assert found[0].text == "its landmarks lie outside of the photo of 32x32"
