import threading
import time

import pytest

from faceaug.training.ahead import Ahead


def test_every_step_gets_its_own_batch_and_none_is_made_twice():
    made = []
    with Ahead(lambda step: made.append(step) or step, steps=5) as ahead:
        assert [ahead.get(step) for step in range(5)] == list(range(5))
    assert made == list(range(5))


def test_a_resumed_run_begins_anywhere():
    with Ahead(lambda step: step, steps=9) as ahead:
        assert [ahead.get(step) for step in (4, 5, 7)] == [4, 5, 7]


def test_the_next_batch_is_made_during_the_step():
    ready = threading.Event()
    with Ahead(lambda step: ready.set() if step == 1 else None, steps=3) as ahead:
        ahead.get(0)
        assert ready.wait(5)  # nobody has asked for it yet


def test_waiting_is_counted():
    with Ahead(lambda step: time.sleep(0.05), steps=1) as ahead:
        ahead.get(0)
    assert 0.04 < ahead.waited < 1


def test_an_error_is_raised_where_the_batch_is_wanted():
    def make(step):
        if step == 1:
            raise FileNotFoundError("gone")

    with Ahead(make, steps=3) as ahead:
        ahead.get(0)
        with pytest.raises(FileNotFoundError, match="gone"):
            ahead.get(1)
