import numpy as np

from faceaug.pictures import grid, sheet


def test_grid_size_and_cells():
    red = np.zeros((64, 64, 3), np.uint8)
    red[..., 0] = 255
    picture = grid([("a", [red, red]), ("b", [red])], cell=96)
    assert picture.shape[0] == 2 * 98 + 2
    assert picture[50, -50].tolist() == [255, 0, 0]  # second picture of the first row
    assert picture[150, -50].tolist() == [255, 255, 255]  # nothing there in the second


def test_sheets_keep_the_shape_of_pictures_and_take_none():
    wide = np.zeros((20, 40, 3), np.uint8)
    picture = sheet([("wide", wide), ("a name that is much too long for its cell", None), ("ö", wide)], columns=2, cell=80)
    assert picture[4:40, 4:70].max() == 0
    assert picture[60, 40].tolist() == [255, 255, 255]
    assert picture[40, 130].tolist() == [225, 225, 225]
    assert picture.shape[0] > 2 * 98
    assert sheet([]).ndim == 3
