import dataclasses
import os
import time

import numpy as np
import pytest
from blocks import labels_of, write, write_folder
from faceaug.datasets.celeba import CelebA
from faceaug.datasets.folder import Folder
from faceaug.datasets.helen import Helen

from faceaug.errors import DatasetDamaged, NothingLeft
from faceaug.labels import HELEN_11, LAPA_11, LEFT_BROW, LEFT_EYE, RIGHT_BROW, RIGHT_EYE
from faceaug.prepare.align import TEMPLATE, similarity, warp_image
from faceaug.prepare.faces import Photo, align, join


def test_eyes_end_up_where_the_template_says(faces):
    for label, x in ((LEFT_EYE, 97), (RIGHT_EYE, 157)):
        for labels in faces.labels:
            rows, columns = np.nonzero(labels == label)
            if len(rows):
                assert abs(columns.mean() - x / 4) < 4
                assert abs(rows.mean() - 117 / 4) < 4


def test_labels_and_landmarks_of_a_listed_photo_agree(drawn):
    photos = align(CelebA(drawn / "celeba"), size=64)
    assert photos.labels is None
    assert photos.size == 64
    assert set(photos.male) == {0, 1}
    assert (photos.identity >= 0).all()


def test_the_cache_gives_the_same_faces_without_reading_photos(drawn, tmp_path, monkeypatch):
    raw = Helen(drawn / "helen")
    first = align(raw, size=64, cache=tmp_path)
    monkeypatch.setattr(Helen, "photo", lambda *_: pytest.fail("read again"))
    again = align(raw, size=64, cache=tmp_path)
    assert (again.images == first.images).all()
    assert (again.labels == first.labels).all()
    assert again.names == first.names


def test_a_changed_photo_is_read_again(drawn, tmp_path):
    raw = Helen(drawn / "helen")
    align(raw, size=64, cache=tmp_path)
    path = drawn / "helen" / "images" / f"{raw.names[0]}.jpg"
    os.utime(path, (time.time(), time.time()))
    align(raw, size=64, cache=tmp_path)
    assert len(list(tmp_path.iterdir())) == 2


class _Blank:
    title, names, scheme = "blank", ("a", "b"), HELEN_11

    def photo(self, index):
        return Photo(np.zeros((16, 16, 3), np.uint8), np.zeros((16, 16), np.uint8))

    def traits(self):
        return {}

    def fingerprint(self):
        return 0


def test_photos_without_landmarks_are_counted_and_none_left_is_an_error(tmp_path):
    with pytest.raises(NothingLeft, match="blank: none of 2 photos"):
        align(_Blank(), size=64, cache=tmp_path)
    assert not list(tmp_path.iterdir())


class _Listed(_Blank):
    """Photos of noise with landmarks at the template's places, some of them with exchanged sides."""

    def __init__(self, count, exchanged=()):
        self.names = tuple(f"{number}" for number in range(count))
        self._exchanged = exchanged

    def photo(self, index):
        points = TEMPLATE / 4 + index / 10
        image = np.random.default_rng(index).integers(0, 256, (64, 64, 3), dtype=np.uint8)
        return Photo(image, None, points[[1, 0, 2, 4, 3]] if index in self._exchanged else points)


def test_many_photos_are_aligned_in_their_order_with_their_matrices(tmp_path):
    raw = _Listed(40)
    kept, read = align(raw, size=64), align(raw, size=64, cache=tmp_path)
    assert kept.names == read.names == raw.names
    assert (kept.images == read.images).all()
    for row in (0, 17, 39):
        matrix = similarity(TEMPLATE / 4 + row / 10, 64)
        assert read.matrices[row] == pytest.approx(matrix)
        assert (read.images[row] == warp_image(raw.photo(row).image, matrix, 64)).all()


def test_a_damaged_cache_is_made_anew(tmp_path):
    first = align(_Listed(5), size=64, cache=tmp_path)
    (folder,) = tmp_path.iterdir()
    wanted = np.array(first.images)
    for name in ("images.u8", "faces.json", "matrices.npy"):
        for length in (50, 0):
            (folder / name).write_bytes((folder / name).read_bytes()[:length])
            assert (align(_Listed(5), size=64, cache=tmp_path).images == wanted).all()


def test_a_cache_that_lost_its_label_maps_is_made_anew(drawn, tmp_path):
    raw = Helen(drawn / "helen", "tuning")
    wanted = np.array(align(raw, size=64, cache=tmp_path).labels)
    next(tmp_path.glob("*/labels.u8")).write_bytes(b"")
    assert (align(raw, size=64, cache=tmp_path).labels == wanted).all()


def test_exchanged_sides_are_left_out_and_told_where_they_are_many(tmp_path):
    some = align(_Listed(5, exchanged=(2,)), size=64)
    assert some.names == ("0", "1", "3", "4")
    assert some.dropped == {"landmarks are no upright face's": 1}
    with pytest.raises(DatasetDamaged, match="left is the viewer's left"):
        align(_Listed(5, exchanged=range(4)), size=64, cache=tmp_path)
    assert not list(tmp_path.iterdir())


def test_landmarks_outside_of_their_photos_are_left_out_and_told_where_they_are_many(tmp_path):
    class Elsewhere(_Listed):
        def photo(self, index):
            found = super().photo(index)
            return dataclasses.replace(found, landmarks=found.landmarks + 300) if index in self._exchanged else found

    some = align(Elsewhere(5, exchanged=(2,)), size=64)
    assert some.dropped == {"landmarks lie outside of the photo": 1}
    with pytest.raises(DatasetDamaged, match="4 of 5 photos lie outside of them; are they of photos of another size"):
        align(Elsewhere(5, exchanged=range(4)), size=64, cache=tmp_path)
    assert not list(tmp_path.iterdir())


def test_brows_that_are_exchanged_in_most_label_maps_are_told(tmp_path):
    root = write_folder(tmp_path / "faces")
    for number in (0, 3, 6):
        labels = labels_of()
        table = np.arange(256, dtype=np.uint8)
        table[[LEFT_BROW, RIGHT_BROW]] = RIGHT_BROW, LEFT_BROW
        write(root / "masks" / f"a{number}.png", table[labels])
        if number == 3:
            continue
        raw = Folder(root)
        if number == 0:
            assert len(align(raw, size=64)) == 3  # `faceaug check` names the one
        else:
            with pytest.raises(DatasetDamaged, match="right of the right one in 3 of 3 label maps; left is the viewer's left"):
                align(raw, size=64)


def test_a_joined_set_is_read_row_by_row(faces):
    both = join(faces.select(range(5)), faces.select([7, 6]))
    whole = np.concatenate([faces.images[:5], faces.images[[7, 6]]])
    assert (both.images[[6, 0, 5]] == whole[[6, 0, 5]]).all()
    assert (both.images[2:6] == whole[2:6]).all()
    assert (both.images[-1] == whole[-1]).all()
    assert (np.asarray(both.images) == whole).all()
    lazy = both.select([6, 1], lazily=True)
    assert (lazy.images[:] == whole[[6, 1]]).all()
    assert lazy.digest() == both.select([6, 1]).digest()
    again = join(lazy, faces.select([3])).select([2, 0], lazily=True)
    assert (again.images[1] == whole[6]).all()
    assert (again.labels[:] == np.stack([faces.labels[3], faces.labels[6]])).all()
    with pytest.raises(ValueError, match="label schemes differ"):
        join(faces, faces.with_labels(faces.labels, LAPA_11))


def test_a_joined_set_knows_which_label_maps_are_human(faces):
    predicted = faces.select([3, 4]).with_labels(faces.labels[[3, 4]])
    assert faces.human.all()
    assert not predicted.human.any()
    both = join(faces.select([0, 1]), predicted)
    assert both.human.tolist() == [True, True, False, False]
    assert both.select([3, 0]).human.tolist() == [False, True]


def test_join_keeps_people_apart(faces):
    known = faces.select(range(3))
    known = type(known)(**{**vars(known), "identity": np.array([0, 1, 1])})
    both = join(known, known)
    assert both.identity.tolist() == [0, 1, 1, 2, 3, 3]
    assert both.title == known.title
    assert len(both) == 6


def test_the_digest_follows_what_the_faces_contain(faces, tmp_path):
    assert faces.digest() == faces.select(range(len(faces))).digest()
    changed = [faces.images.copy(), faces.labels.copy()]
    changed[0][3, 5, 5, 0] ^= 1
    changed[1][3, 5, 5] = 0 if changed[1][3, 5, 5] else 1
    others = [
        dataclasses.replace(faces, images=changed[0]),
        dataclasses.replace(faces, labels=changed[1]),
        dataclasses.replace(faces, male=1 - faces.male),
        faces.with_labels(faces.labels),
    ]
    assert len({faces.digest(), *(other.digest() for other in others)}) == 5
    # What a parser predicted is told by the parser.
    assert faces.with_labels(changed[1]).digest() == others[3].digest()
    with_cache = align(_Listed(5), size=64, cache=tmp_path)
    assert with_cache.digest() == align(_Listed(5), size=64).digest() == with_cache.select(range(5)).digest()
    assert with_cache.select(range(4)).digest() != with_cache.digest()
    assert faces.about() == {"title": faces.title, "count": 12, "sha256": faces.digest()}
