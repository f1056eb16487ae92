import numpy as np
import pytest

from faceaug.labels import HELEN_11
from faceaug.prepare.likeness import Likeness, shape_vectors


def test_every_face_is_most_like_itself(faces):
    vectors = shape_vectors(faces.labels)
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1.0, abs=1e-5)
    assert ((vectors @ vectors.T).argmax(axis=1) == np.arange(len(faces))).all()


def test_mirrored_vectors_are_those_of_mirrored_maps(noise):
    faces = noise(5)
    labels = faces.labels
    shapes = Likeness(faces)
    rows, mirrored = np.array([3, 0, 4]), np.array([True, False, True])
    found = shapes.of(rows, mirrored)
    maps = [HELEN_11.flip(labels[row]) if turned else labels[row] for row, turned in zip(rows, mirrored, strict=True)]
    assert found == pytest.approx(shape_vectors(np.stack(maps)), abs=1e-3)
    assert len(shapes) == 5
