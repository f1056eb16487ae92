import numpy as np
import pytest

from faceaug.evaluate.distances import KernelDistance, bootstrap, frechet_distance, moments


def test_frechet_distance_of_a_set_to_itself_is_nothing():
    values = np.random.default_rng(0).normal(size=(200, 8))
    assert frechet_distance(moments(values), values) == pytest.approx(0.0, abs=1e-9)


def test_frechet_distance_of_a_shift_and_of_a_scale_by_hand():
    values = np.random.default_rng(0).normal(size=(500, 4))
    assert frechet_distance(moments(values), values + 3.0) == pytest.approx(4 * 9.0, rel=1e-6)
    # Commuting covariances C and 4 C: tr(C + 4 C - 2 * 2 C) = tr C.
    centred = values - values.mean(axis=0)
    assert frechet_distance(moments(centred), 2 * centred) == pytest.approx(np.trace(np.cov(centred, rowvar=False)), rel=1e-6)


def test_frechet_distance_is_that_of_the_matrix_root():
    scipy_linalg = pytest.importorskip("scipy.linalg")
    rng = np.random.default_rng(1)
    a, b = rng.normal(size=(300, 6)) @ rng.normal(size=(6, 6)), rng.normal(size=(300, 6)) @ rng.normal(size=(6, 6)) + 1
    c1, c2 = np.cov(a, rowvar=False), np.cov(b, rowvar=False)
    shift = a.mean(0) - b.mean(0)
    wanted = shift @ shift + np.trace(c1 + c2 - 2 * scipy_linalg.sqrtm(c1 @ c2).real)
    assert frechet_distance(moments(a), b) == pytest.approx(wanted, rel=1e-8)


def test_kernel_distance_is_unbiased_and_sees_a_shift():
    rng = np.random.default_rng(2)
    same = [KernelDistance(rng.normal(size=(60, 5)), rng.normal(size=(60, 5)))() for _ in range(40)]
    assert abs(np.mean(same)) < 3 * np.std(same) / np.sqrt(40)
    assert KernelDistance(rng.normal(size=(60, 5)), rng.normal(size=(60, 5)) + 1)() > 10 * np.std(same)


def test_kernel_distance_of_every_row_once_is_that_of_all():
    rng = np.random.default_rng(3)
    distance = KernelDistance(rng.normal(size=(30, 5)), rng.normal(size=(20, 5)))
    assert distance(np.arange(20)) == pytest.approx(distance())
    assert distance(np.array([0, 0, 1])) == pytest.approx(distance._within_real + distance._generated[0, 1]
                                                         - 2 * distance._between[[0, 0, 1]].mean())  # fmt: skip


def test_bootstrap_resamples_whole_groups():
    groups = np.repeat(np.arange(5), 4)
    seen = []
    bootstrap(lambda rows: seen.append(rows) or 0.0, groups, value=0.0, rounds=20, seed=0)
    for rows in seen:
        counts = np.bincount(rows, minlength=20).reshape(5, 4)
        assert (counts == counts[:, :1]).all()
        assert counts.sum() == 20


def test_bootstrap_interval_covers_the_truth_about_as_often_as_it_says():
    hits = 0
    for seed in range(100):
        values = np.random.default_rng(seed).normal(size=80)
        found = bootstrap(lambda rows, v=values: float(v[rows].mean()), np.arange(80), value=float(values.mean()), rounds=100,
                          seed=seed)  # fmt: skip
        assert found["low"] <= found["value"] <= found["high"]
        hits += found["low"] <= 0.0 <= found["high"]
    assert 85 <= hits <= 99


def test_an_interval_holds_its_value_though_resampling_shifts_the_statistic():
    values = np.random.default_rng(0).normal(size=(60, 30))
    reference = moments(np.random.default_rng(1).normal(size=(400, 30)))
    whole = frechet_distance(reference, values)
    found = bootstrap(lambda rows: frechet_distance(reference, values[rows]), np.arange(60), value=whole, rounds=50, seed=0)
    assert found["low"] < whole < found["high"]
