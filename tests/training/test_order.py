import numpy as np

from faceaug.training.order import Shuffled


def test_numbers_come_once_an_epoch_from_any_place():
    numbers = Shuffled(np.arange(5), seed=0, stream=1)
    whole = numbers.get(0, 15)
    assert [sorted(part) for part in np.split(whole, 3)] == [list(range(5))] * 3
    for start in (12, 0, 3, 7):
        assert (Shuffled(np.arange(5), seed=0, stream=1).get(start, 3) == whole[start : start + 3]).all()
    assert numbers.get(4, 0).tolist() == []
