import numpy as np
import torch

from faceaug.gan.shift import NUMBERS, draw_shift


def _shift(count):
    return draw_shift(torch.rand(count, NUMBERS, generator=torch.Generator().manual_seed(0)), 64)


def test_shifts_are_by_whole_pixels_to_all_sides():
    shift = _shift(500)
    assert set(shift.row.tolist()) == set(shift.column.tolist()) == set(range(-8, 9))
    photo = torch.zeros(500, 1, 64, 64)
    photo[:, :, 32, 32] = 1
    moved = shift(photo)[:, 0]
    for row in range(500):
        assert moved[row].nonzero().tolist() == [[32 + int(shift.row[row]), 32 + int(shift.column[row])]]


def test_what_comes_in_over_a_border_is_a_reflection():
    shift = _shift(20)
    labels = torch.randint(0, 11, (20, 1, 64, 64), generator=torch.Generator().manual_seed(1), dtype=torch.uint8)
    moved = shift(labels)
    assert moved.dtype == torch.uint8
    for row in range(20):
        down, right = int(shift.row[row]), int(shift.column[row])
        padded = np.pad(labels[row, 0].numpy(), 8, mode="reflect")
        assert (moved[row, 0].numpy() == padded[8 - down : 72 - down, 8 - right : 72 - right]).all()


def test_a_row_does_not_depend_on_the_others():
    shift, photos = _shift(6), torch.rand(6, 3, 64, 64)
    one = type(shift)(shift.row[4:5], shift.column[4:5])
    assert torch.equal(one(photos[4:5]), shift(photos)[4:5])
