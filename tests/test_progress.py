import pytest

from faceaug import progress as module
from faceaug.progress import Progress, clock


@pytest.fixture
def seconds(monkeypatch):
    """A clock that is set by hand."""
    now = [1000.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: now[0])

    def wait(some):
        now[0] += some

    return wait


def test_the_first_line_comes_soon_the_others_now_and_then_and_the_last_always(seconds, capsys):
    with Progress("painting", 100) as progress:
        for count in range(1, 101):
            seconds(1.0)
            progress.update(count)
    lines = capsys.readouterr().err.splitlines()
    assert [line.split()[1] for line in lines] == ["5/100", "35/100", "65/100", "95/100", "100/100"]
    assert lines[0] == "painting: 5/100 images (5 %), 1.0/s, 1 min 35 s left"


def test_a_resumed_run_counts_its_own_rate(seconds, capsys):
    with Progress("painting", 100, start=50) as progress:
        seconds(10.0)
        progress.update(60, "loss 1")
    assert capsys.readouterr().err == "painting: 60/100 images (60 %), 1.0/s, 40 s left  loss 1\n"


def test_clock():
    assert [clock(s) for s in (3.4, 200, 3900, float("inf"))] == ["3 s", "3 min 20 s", "1 h 05 min", "?"]
