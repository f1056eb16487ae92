import fcntl
import threading
import time

import pytest

from faceaug.errors import CheckpointMismatch
from faceaug.files import write_json
from faceaug.runs.jobs import DONE, Cell, compute_cells


@pytest.fixture
def cells(tmp_path):
    computed = []

    def cell(name):
        def compute():
            computed.append(name)
            return {"name": name}

        return Cell(tmp_path / name, compute, str)

    return [cell(name) for name in "abc"], computed


@pytest.fixture
def elsewhere(tmp_path):
    """Another process that is at cell b."""
    (tmp_path / "b").mkdir()
    with open(tmp_path / "b" / ".lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield lock


def test_results_come_in_order_and_are_computed_once(cells):
    every, computed = cells
    assert compute_cells(every) == [{"name": name} for name in "abc"]
    assert compute_cells(every) == [{"name": name} for name in "abc"]
    assert computed == list("abc")


def _in_the_background(every, computed):
    found = []
    thread = threading.Thread(target=lambda: found.extend(compute_cells(every)))
    thread.start()
    deadline = time.monotonic() + 20
    while computed != ["a", "c"] and time.monotonic() < deadline:
        time.sleep(0.01)
    assert computed == ["a", "c"]  # what the other process is at is left out
    time.sleep(0.1)
    assert thread.is_alive()
    return thread, found


def test_a_cell_of_another_process_is_waited_for(cells, elsewhere, tmp_path):
    every, computed = cells
    thread, found = _in_the_background(every, computed)
    write_json(tmp_path / "b" / DONE, {"name": "theirs"})
    elsewhere.close()
    thread.join(20)
    assert [result["name"] for result in found] == ["a", "theirs", "c"]
    assert computed == ["a", "c"]


def test_a_cell_whose_process_died_is_taken_over(cells, elsewhere):
    every, computed = cells
    thread, found = _in_the_background(every, computed)
    elsewhere.close()
    thread.join(20)
    assert [result["name"] for result in found] == ["a", "b", "c"]
    assert computed == ["a", "c", "b"]


def test_a_damaged_result_is_named(cells):
    every, _ = cells
    compute_cells(every)
    (every[1].folder / DONE).write_text("")
    with pytest.raises(CheckpointMismatch, match=r"b/cell\.json: damaged .*; delete it to compute this cell again"):
        compute_cells(every)


def test_a_cell_comes_after_those_it_needs_wherever_it_stands(tmp_path):
    order = []

    def cell(name, *needs):
        return Cell(tmp_path / name, lambda: order.append(name) or {"name": name}, str, needs=needs)

    first = cell("first")
    second = cell("second", first)
    assert [found["name"] for found in compute_cells([second, first, cell("third")])] == ["second", "first", "third"]
    assert order == ["first", "third", "second"]


def test_something_is_called_after_each_cell_that_was_computed(cells):
    every, computed = cells
    seen = []
    compute_cells(every[:1])
    compute_cells(every, after=lambda: seen.append(list(computed)))
    assert seen == [["a", "b"], ["a", "b", "c"]]
