import os
import time

import pytest
import torch

from faceaug.compute import threads
from faceaug.compute.device import choose_compute
from faceaug.compute.threads import FreeCores, Times, free_cores


class Machine:
    """A machine whose other processes and whose own one take some cores, a second a look."""

    def __init__(self):
        self.now = Times(-10.0, 100.0, 3.0)

    def goes_on(self, others, own, seconds=1.0):
        clock, busy, spent = self.now.clock + seconds, self.now.busy + seconds * (others + own), self.now.own + seconds * own
        self.now = Times(clock, busy, spent)


@pytest.fixture
def chosen(monkeypatch):
    """What torch was told, on four cores of which all are taken at first."""
    told = [4]
    monkeypatch.setattr(torch, "get_num_threads", lambda: told[-1])
    monkeypatch.setattr(torch, "set_num_threads", told.append)
    monkeypatch.setattr(threads, "cores", lambda: 4)
    return told


def test_cores_that_others_take_are_left_to_them_and_taken_back(chosen):
    machine = Machine()
    free = FreeCores(lambda: machine.now)
    for others, own, wanted in ((0.1, 4, 4), (0.7, 3.3, 3), (1, 3, 3), (2.9, 1, 1), (9, 0.2, 1), (0.3, 1, 4), (0, 4, 4)):
        machine.goes_on(others, own, seconds=1.5)
        free.adapt()
        assert chosen[-1] == wanted, others
    assert chosen == [4, 3, 1, 4]


def test_between_two_looks_nothing_is_read(chosen, monkeypatch):
    reads = []

    def read():
        reads.append(1)
        return Times(time.monotonic(), 0.0, 0.0)

    free = FreeCores(read)
    for _ in range(5):
        free.adapt()
    assert len(reads) == 1


def test_a_users_own_choice_stands(chosen):
    assert free_cores([]) is not None or not threads._STAT.is_file()
    for name in ("OMP_NUM_THREADS", "OMP_WAIT_POLICY", "GOMP_SPINCOUNT", "KMP_BLOCKTIME", "MKL_NUM_THREADS"):
        assert free_cores([name]) is None
    chosen.append(1)
    assert free_cores([]) is None


def test_it_is_asked_whenever_a_network_runs(monkeypatch):
    asked = []
    monkeypatch.setattr("faceaug.compute.device.free_cores", lambda: type("Asked", (), {"adapt": lambda _: asked.append(1)})())
    compute = choose_compute("cpu", "fp32")
    with compute.autocast():
        pass
    assert asked == [1]


@pytest.mark.skipif(not threads._STAT.is_file(), reason="Linux's counters")
def test_the_counters_are_those_of_this_process_and_its_cores():
    before = threads._times()
    while time.monotonic() < before.clock + 0.3:
        pass
    now = threads._times()
    assert now.own - before.own == pytest.approx(0.3, abs=0.25)
    assert 0.0 < now.busy - before.busy <= len(os.sched_getaffinity(0)) * (now.clock - before.clock) + 0.1
