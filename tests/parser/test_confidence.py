import numpy as np
import pytest
import torch

from faceaug.labels import HELEN_11
from faceaug.parser.confidence import expected_f1
from faceaug.parser.metrics import confusion, scores


def _likely(count=4, classes=11, size=24, sharpness=3.0, seed=0):
    return (sharpness * torch.randn(count, classes, size, size, generator=torch.Generator().manual_seed(seed))).softmax(1)


def test_it_is_the_mean_f1_of_masks_drawn_from_the_probabilities():
    likely = _likely(count=2)
    labels = likely.argmax(1).numpy()
    rng = np.random.default_rng(0)
    found = []
    for _ in range(200):
        drawn = (likely.cumsum(1) < torch.from_numpy(rng.random((2, 1, 24, 24)))).sum(1).clamp(max=10).numpy()
        matrices = [
            confusion(a[None].astype(np.uint8), b[None].astype(np.uint8), classes=11) for a, b in zip(labels, drawn, strict=False)
        ]
        found.append([scores(matrix, HELEN_11)["mean_f1"] for matrix in matrices])
    assert expected_f1(likely).numpy() == pytest.approx(np.mean(found, 0), abs=0.01)


def test_certain_maps_have_one_and_maps_of_background_have_none():
    labels = torch.randint(0, 11, (3, 16, 16), generator=torch.Generator().manual_seed(1))
    certain = torch.nn.functional.one_hot(labels, 11).permute(0, 3, 1, 2).float()
    assert torch.equal(expected_f1(certain), torch.ones(3))
    certain[0] = 0
    certain[0, 0] = 1
    assert expected_f1(certain).tolist() == [0, 1, 1]


def test_background_does_not_count_and_faces_do_not_see_each_other():
    likely = _likely()
    assert torch.equal(expected_f1(likely), torch.cat([expected_f1(one[None]) for one in likely]))
    surer = likely.clone()
    where = likely.argmax(1) == 0
    surer[:, 0][where] = 1.0
    for label in range(1, 11):
        surer[:, label][where] = 0.0
    wider = expected_f1(torch.nn.functional.pad(surer, (0, 24)) + torch.nn.functional.pad(torch.zeros_like(surer), (0, 24)))
    assert torch.allclose(wider, expected_f1(surer))  # empty columns add nothing to any class
