import sys

import cv2
import numpy as np
import pytest
from faceaug.datasets.drawn.drawing import draw_face
from faceaug.datasets.drawn.layouts import HELEN_FRAME
from faceaug.datasets.drawn.traits import draw_person, draw_shot

from faceaug.errors import ConfigError
from faceaug.prepare import detect as module
from faceaug.prepare.detect import detect, detect_landmarks

# Only what lies between photo and detector: the detector itself is somebody else's.


class _Fake:
    """Finds bright squares, with landmarks at its corners and middle."""

    def __init__(self):
        self.seen = []

    def detect(self, image, min_face_size):
        self.seen.append((image.shape, min_face_size))
        count, _, stats, _ = cv2.connectedComponentsWithStats((image[..., 0] > 200).astype(np.uint8))
        if count == 1:
            raise ValueError("need at least one array to concatenate")
        boxes, points = [], []
        for x, y, width, height, _ in stats[1:]:
            left, top, right, bottom = x, y, x + width - 1, y + height - 1
            boxes.append((left, top, right, bottom, 0.9))
            points.append((left, right, (left + right) / 2, left, right, top, top, (top + bottom) / 2, bottom, bottom))
        return np.array(boxes, np.float64), np.array(points, np.float64)


@pytest.fixture
def fake(monkeypatch):
    one = _Fake()
    monkeypatch.setattr(module, "_detector", lambda: one)
    return one


@pytest.mark.parametrize("side", [60, 400, 3000])
def test_boxes_and_landmarks_are_in_pixels_of_the_photo_whatever_its_size(fake, side):
    image = np.zeros((side, side * 2, 3), np.uint8)
    low, high = side // 5, 3 * side // 5
    image[low:high, low:high] = 255
    (found,) = detect(image, min_size=1, min_confidence=0.5)
    blur = 3 * max(2 * side / 1024, 1)
    assert found.box == pytest.approx((low, low, high - 1, high - 1), abs=blur)
    corners = np.array([(low, low), (high, low), (side * 0.4, side * 0.4), (low, high), (high, high)])
    assert np.abs(found.landmarks - corners).max() <= blur
    ((shape, _),) = fake.seen
    assert 256 <= max(shape) <= 1024 * 1.5


def test_small_and_uncertain_faces_are_left_out_and_the_largest_comes_first(fake):
    image = np.zeros((300, 300, 3), np.uint8)
    image[10:50, 10:50] = image[100:200, 100:200] = image[250:260, 250:260] = 255
    assert [round(one.size, -1) for one in detect(image, min_size=1, min_confidence=0.5)] == [100, 40, 10]
    assert [round(one.size, -1) for one in detect(image, min_size=30, min_confidence=0.5)] == [100, 40]
    assert detect(image, min_size=30, min_confidence=0.95) == []
    assert fake.seen[-1][1] == 30


def test_photos_without_faces_have_none(fake):
    for shape in ((1, 1, 3), (300, 200, 3), (2, 3000, 3)):
        assert detect(np.zeros(shape, np.uint8)) == []
        assert detect_landmarks(np.zeros(shape, np.uint8)) is None


def test_without_the_extra_one_line_says_what_to_install(monkeypatch):
    module._detector.cache_clear()
    monkeypatch.setitem(sys.modules, "mtcnnruntime", None)
    with pytest.raises(ConfigError, match=r'pip install "faceaug\[photos\]"') as told:
        detect(np.zeros((64, 64, 3), np.uint8))
    assert "\n" not in str(told.value)


def test_drawn_faces_are_found_where_they_are():
    rng = np.random.default_rng([1, 0, 0])
    drawing = draw_face(draw_person(rng), draw_shot(rng), HELEN_FRAME)
    photo = np.full((400, 500, 3), 90, np.uint8)
    photo[60:236, 250:426] = drawing.image
    landmarks = detect_landmarks(photo)
    (left, right), eyes = landmarks[:2], np.add(HELEN_FRAME.eyes, (250, 60))
    assert left[0] < right[0]
    assert np.linalg.norm((left + right) / 2 - eyes) < 0.3 * HELEN_FRAME.unit
    assert landmarks[3:, 1].min() > landmarks[2, 1] > landmarks[:2, 1].max()
