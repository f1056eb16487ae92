import torch

from faceaug.gan.shift import NUMBERS, draw_shift
from faceaug.labels import IGNORE


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


def test_what_comes_in_from_outside_is_filled():
    labels = torch.zeros(20, 1, 64, 64, dtype=torch.uint8)
    shift = _shift(20)
    moved = shift(labels, fill=IGNORE)
    assert moved.dtype == torch.uint8
    for row in range(20):
        inside = (64 - abs(int(shift.row[row]))) * (64 - abs(int(shift.column[row])))
        assert int((moved[row] == 0).sum()) == inside
        assert int((moved[row] == IGNORE).sum()) == 64 * 64 - inside


def test_a_row_does_not_depend_on_the_others():
    shift, photos = _shift(6), torch.rand(6, 3, 64, 64)
    one = type(shift)(shift.row[4:5], shift.column[4:5])
    assert torch.equal(one(photos[4:5]), shift(photos)[4:5])
