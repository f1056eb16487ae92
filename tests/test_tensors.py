import numpy as np

from faceaug.tensors import to_bytes, to_float


def test_bytes_round_trip():
    images = np.arange(256, dtype=np.uint8).repeat(3).reshape(1, 16, 16, 3)
    assert (to_bytes(to_float(images)) == images).all()
    assert to_float(images).min() == -1
    assert to_float(images).max() == 1
