import numpy as np

from faceaug.pictures import grid


def test_grid_size_and_cells():
    red = np.zeros((64, 64, 3), np.uint8)
    red[..., 0] = 255
    picture = grid([("a", [red, red]), ("b", [red])], cell=96)
    assert picture.shape[0] == 2 * 98 + 2
    assert picture[50, -50].tolist() == [255, 0, 0]  # second picture of the first row
    assert picture[150, -50].tolist() == [255, 255, 255]  # nothing there in the second
