import numpy as np
import pytest

from faceaug.evaluate.fidelity import crops, diversity, has, mean_colours
from faceaug.gan.components import COMPONENTS

EYE, _, MOUTH, SKIN, HAIR = COMPONENTS


def _face(skin, hair):
    image = np.zeros((64, 64, 3), np.uint8)
    labels = np.zeros((64, 64), np.uint8)
    labels[:20], labels[20:50] = 10, 1
    image[labels == 10], image[labels == 1] = hair, skin
    return image, labels


def test_colours_are_of_the_component_alone():
    image, labels = _face((200, 150, 120), (255, 0, 0))
    lab = mean_colours(image[None], labels[None], HAIR)[0]
    assert lab == pytest.approx([53.24, 80.09, 67.20], abs=0.3)  # sRGB red
    assert np.isnan(mean_colours(image[None], labels[None], MOUTH)).all()
    assert not has(labels[None], MOUTH).any()
    assert has(labels[None], SKIN).all()


def test_a_crop_shows_its_component_on_grey():
    image, labels = _face((200, 150, 120), (255, 0, 0))
    shown = crops(image[None], labels[None], HAIR)[0]
    assert shown.shape == (64, 64, 3)
    assert (shown[labels == 10] == (255, 0, 0)).all()
    assert (shown[labels != 10] == 128).all()
    labels[30:34, 20:28] = 4
    assert crops(image[None], labels[None], EYE).shape == (1, 8, 12, 3)


def test_diversity_compares_faces_of_one_mask():
    features = np.array([[0.0, 0.0], [3.0, 4.0], [100.0, 0.0], [7.0, 7.0], [7.0, 7.0], [7.0, 7.0]], np.float32)
    found = diversity(features, np.array([0, 0, 1, 2, 2, 2]))
    assert found[:2] == pytest.approx([5.0, 5.0])
    assert np.isnan(found[2])
    assert found[3:].tolist() == [0.0, 0.0, 0.0]
