import os
import signal
import subprocess
import sys
import threading

import pytest

from faceaug.errors import Interrupted
from faceaug.runs.interrupt import held_back


def test_a_signal_waits_for_the_step_and_a_second_one_does_not():
    before = signal.getsignal(signal.SIGTERM)
    with held_back() as held:
        held.release()
        os.kill(os.getpid(), signal.SIGTERM)
        assert held.number == signal.SIGTERM
        with pytest.raises(Interrupted):
            held.release()
        with pytest.raises(Interrupted):
            os.kill(os.getpid(), signal.SIGINT)
    assert signal.getsignal(signal.SIGTERM) is before


def test_other_threads_are_left_alone():
    found = []

    def work():
        with held_back() as held:
            held.release()
            found.append(held.number)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert found == [0]


def _command(drawn, run):
    given = ("train-parser", "--data-root", drawn, "--out", run, "--cache", run.parent / "cache")
    return (*map(str, given), "--encoder", "mobilenet_v2", "--images", "100000", "--batch", "2", "--device", "cpu")


def _train(drawn, run):
    command = [sys.executable, "-m", "faceaug", *_command(drawn, run)]
    return subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env={**os.environ, "OMP_NUM_THREADS": "1"})


def _until_it_trains(process):
    for line in process.stderr:
        if line.startswith("train-parser: ") and "images (" in line:
            return line
    raise AssertionError(process.poll())


def _stopped(process, sent):
    process.send_signal(sent)
    told = process.stderr.read()
    assert process.wait() == 128 + sent
    assert told.strip().splitlines()[-1] == "faceaug: stopped; the same command goes on from here"
    assert "Traceback" not in told


def test_a_stopped_run_goes_on_from_its_last_step(faceaug, drawn, tmp_path):
    run = tmp_path / "run"
    first = _train(drawn, run)
    _until_it_trains(first)
    second = faceaug(*_command(drawn, run))
    assert second.code == 2
    assert "another process trains there" in second.error
    _stopped(first, signal.SIGINT)
    checkpoint = run / "checkpoint.pt"
    assert oct(checkpoint.stat().st_mode & 0o777) == oct(0o666 & ~_umask())
    before = checkpoint.stat().st_mtime_ns
    again = _train(drawn, run)
    assert any("resuming at" in line for line in again.stderr)
    _until_it_trains(again)
    _stopped(again, signal.SIGTERM)
    assert checkpoint.stat().st_mtime_ns > before


def _umask():
    found = os.umask(0)
    os.umask(found)
    return found
