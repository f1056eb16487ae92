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


def test_statistics_of_batch_norm_are_averaged_too():
    module = torch.nn.BatchNorm2d(1)
    ema = Ema(module, half_life=8, ramp=1e9)
    module.running_mean.fill_(4.0)
    module.num_batches_tracked.fill_(3)
    ema.update(module, batch=8, images_seen=8)
    assert float(ema.module.running_mean) == pytest.approx(2.0)
    assert int(ema.module.num_batches_tracked) == 3


def test_a_half_life_that_grows_with_the_run_forgets_the_same_share_at_any_length():
    def weight_of_the_first_half(steps):
        module = torch.nn.Linear(1, 1, bias=False)
        torch.nn.init.zeros_(module.weight)
        ema = Ema(module, half_life=float("inf"), ramp=0.1)
        for step in range(steps):
            torch.nn.init.constant_(module.weight, float(step < steps // 2))
            ema.update(module, batch=1, images_seen=step + 1)
        return float(ema.module.weight)

    assert weight_of_the_first_half(2_000) == pytest.approx(weight_of_the_first_half(500), rel=0.05)
    assert weight_of_the_first_half(500) == pytest.approx(0.5 ** (10 * 0.6931), rel=0.1)  # integral of dt / (0.1 t)
