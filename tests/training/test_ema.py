import pytest
import torch

from faceaug.training.ema import Ema


def _follow(batch, steps, half_life):
    module = torch.nn.Linear(1, 1, bias=False)
    torch.nn.init.zeros_(module.weight)
    ema = Ema(module, half_life=half_life, ramp=1e9)
    torch.nn.init.ones_(module.weight)
    for step in range(steps):
        ema.update(module, batch=batch, images_seen=(step + 1) * batch)
    return float(ema.module.weight)


def test_half_after_the_half_life_whatever_the_batch():
    assert _follow(4, 25, 100) == pytest.approx(0.5, abs=1e-5)
    assert _follow(20, 5, 100) == pytest.approx(0.5, abs=1e-5)


def test_early_averages_are_short():
    module = torch.nn.Linear(1, 1)
    ema = Ema(module, half_life=1e6, ramp=0.1)
    with torch.no_grad():
        module.weight.fill_(7.0)
    for step in range(200):
        ema.update(module, batch=8, images_seen=8 * (step + 1))
    assert float(ema.module.weight) == pytest.approx(7.0, abs=1e-2)
