"""What a user gets wrong: one line that says what, where and what to do, exit code 2, nothing half-written."""

import os
import shutil
import subprocess
import sys

import cv2
import numpy as np
import pytest

from faceaug.errors import NothingLeft


@pytest.fixture
def copy(drawn, tmp_path):
    return shutil.copytree(drawn, tmp_path / "data")


def _refused(outcome, *told):
    assert outcome.code == 2, outcome
    assert "Traceback" not in outcome.err + outcome.out
    assert outcome.error.startswith("faceaug: ")
    for part in told:
        assert part in outcome.error


def test_an_empty_folder(faceaug, tmp_path):
    _refused(faceaug("train-parser"), "data/helen: no such folder", "faceaug draw")
    _refused(faceaug("generate"), "runs/gan", "run `faceaug train-gan` first")
    _refused(faceaug("bench-parsing"), "data/helen: no such folder", "faceaug draw")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("args", "told"),
    [
        (("train-parser", "--faces", "portraits"), "dataset 'portraits': unknown"),
        (("train-parser", "--faces", "celeba"), "has no label maps"),
        (("train-gan", "--preset", "huge"), "--preset huge: unknown; choose from demo, tiny, small, paper"),
        (("train-parser", "--encoder", "vgg"), "--encoder vgg: unknown"),
        (("train-parser", "--size", "70"), "--size 70: must be a multiple of 32 from 32 to 1024"),
        (("train-parser", "--device", "cuda:9"), "--device cuda:9: not usable here"),
        (("train-parser", "--precision", "fp8"), "--precision fp8: unknown"),
        (("generate", "--gender", "same"), "--gender same: unknown"),
        (("generate", "--min-agreement", "2"), "--min-agreement 2.0: must be within 0..1"),
        (("train-parser", "--size", "100000"), "--size 100000: must be a multiple of 32 from 32 to 1024"),
        (("train-parser", "--learning-rate", "nan"), "--learning-rate nan: must be a finite number"),
        (("train-parser", "--seed", "-1"), "--seed -1: must be within 0..4294967295"),
        (("draw", "--seed", "-1"), "--seed -1: must be within"),
        (("generate", "--seed", str(10**22)), "must be within 0..4294967295"),
        (("generate", "--set", "max_doubt=nan"), "--set max_doubt nan: must be a finite number"),
        (("generate", "--batch", "0"), "--batch 0: must be 1 or more"),
        (("train-gan", "--accumulate", "0"), "--accumulate 0: must be 1 or more"),
        (("train-gan", "--checkpoint-every", "0"), "--checkpoint-every 0: must be positive"),
        (("train-gan", "--lambda-fm", "-1"), "lambda_fm -1.0: must not be negative"),
        (("train-gan", "--set", "betas=2,3"), "betas (2.0, 3.0): must be at least 0 and below 1"),
        (("train-gan", "--parser", "nowhere"), "nowhere"),
        (("bench-parsing", "--labelled", "8", "--gan-images", "0"), "--gan-images 0: must be 1 or more"),
        (("bench-parsing", "--labelled", "8", "--size", "0"), "size 0: must be 64, 128, 256 or 512"),
        (("bench-parsing", "--labelled", "8,x"), "--labelled 8,x: must be numbers"),
        (("bench-parsing", "--labelled", "8", "--arms", "nosuch"), "arm 'nosuch': 'nosuch' is unknown"),
        (("bench-parsing", "--labelled", "8", "--parsers", "vgg"), "--parsers vgg: unknown; use unet, unet-scratch, fpn"),
        (("train-gan", "--images", "0"), "--images 0: must be positive"),
        (("train-gan", "--size", "100"), "size 100: must be 64, 128, 256 or 512"),
    ],
)
def test_options(faceaug, args, told, tmp_path):
    _refused(faceaug(*args), told)
    assert not list(tmp_path.iterdir())


def _name(copy):
    return (copy / "helen" / "exemplars.txt").read_text().splitlines()[0].split(",")[1].strip()


def test_bad_photos_and_labels(faceaug, copy, tmp_path):
    name = _name(copy)
    image, labels = copy / "helen" / "images" / f"{name}.jpg", copy / "helen" / "labels" / name
    whole = image.read_bytes()
    image.write_bytes(whole[:10])
    _refused(faceaug("train-parser"), f"{name}.jpg: no readable image")
    cv2.imwrite(str(image), np.zeros((10, 12, 3), np.uint8))
    _refused(faceaug("train-parser"), f"labels/{name}: labels are", "but the photo is 12x10")
    image.write_bytes(whole)
    shape = cv2.imread(str(labels / f"{name}_lbl00.png"), cv2.IMREAD_UNCHANGED).shape
    shutil.rmtree(labels)
    _refused(faceaug("train-parser"), f"labels/{name}: no labels for 1 of 12")
    cv2.imwrite(str(labels.with_suffix(".png")), np.full(shape, 11, np.uint8))
    _refused(faceaug("train-parser"), f"{name}.png: label 11 is out of range")
    image.unlink()
    _refused(faceaug("train-parser"), f"{name}.jpg: no photo for 1 of 12")
    assert not (tmp_path / "runs" / "parser").exists()


def test_half_copied_celeba(faceaug, copy, trained):
    next((copy / "celeba" / "img_align_celeba").glob("*.jpg")).unlink()
    _refused(faceaug("generate", "--generator", trained.gan), "no photo for 1 of 60 listed faces")


def test_places_that_cannot_be_written(faceaug, copy, tmp_path):
    (tmp_path / "file").write_text("")
    _refused(faceaug("draw", "--train", 1, "--tuning", 1, "--testing", 1, "--photos", 1, "--out", tmp_path / "file" / "x"),
             "cannot be written")  # fmt: skip
    _refused(faceaug("train-parser", "--out", tmp_path / "file" / "run", "--images", 4), "cannot be written")
    _refused(faceaug("draw"), "exists and is not this drawing")


@pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("mount"), reason="needs to mount a small file system")
def test_a_full_disk(faceaug, copy, tmp_path):
    small = tmp_path / "small"
    small.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(small)], check=False, capture_output=True)
    if mounted.returncode:
        pytest.skip("may not mount")
    try:
        _refused(faceaug("draw", "--photos", 30, "--out", small / "d"), "cannot be written (No space left on device)")
        assert not list(small.rglob("*.jpg"))
    finally:
        subprocess.run(["umount", str(small)], check=False)


def test_the_option_that_is_at_fault_is_named(faceaug, copy, trained, tmp_path):
    (tmp_path / "file").write_text("")
    _refused(faceaug("train-parser", "--cache", tmp_path / "file" / "x"), "cannot be written", "with --cache")
    _refused(faceaug("check", "helen", "--json", tmp_path / "file" / "x"), "cannot be written", "with --json")
    run = shutil.copytree(trained.parser.parent, tmp_path / "run")
    (run / "curves.png").unlink()
    (run / "curves.png").mkdir()
    _refused(faceaug("plot", run), "curves.png: cannot be written", "; copy the run's folder")


def test_a_benchmark_of_more_faces_than_there_are_takes_those(faceaug, copy, monkeypatch):
    taken = []

    def stop(out, faces, *_, **__):
        taken.append(len(faces))
        raise NothingLeft("enough")

    monkeypatch.setattr("faceaug.benchmarks.train_throughput.train_throughput", stop)
    _refused(faceaug("bench-training", "--preset", "demo", "--batch", 2, "--device", "cpu"), "enough")
    assert taken == [12]


def _as_a_process(folder, before, *args):
    code = f"import sys\n{before}\nfrom faceaug.__main__ import run\nsys.argv = ['faceaug', *sys.argv[1:]]\nrun()"
    return subprocess.run([sys.executable, "-c", code, *map(str, args)], cwd=folder, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("library", ["libGL.so.1", "libgthread-2.0.so.0"])
def test_a_container_without_the_libraries_of_opencv(tmp_path, library):
    lacks = (
        "import importlib.abc\nclass Lacks(importlib.abc.MetaPathFinder):\n    def find_spec(self, name, *_):\n"
        f"        if name == 'cv2': raise ImportError('{library}: cannot open shared object file')\n"
        "sys.meta_path.insert(0, Lacks())"
    )
    done = _as_a_process(tmp_path, lacks, "draw")
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "libgl1 and libglib2.0-0, or opencv-python-headless" in done.stderr


def test_ctrl_c_while_modules_are_loaded(tmp_path):
    interrupts = (
        "import importlib.abc, os, signal\nclass Interrupts(importlib.abc.MetaPathFinder):\n    def find_spec(self, name, *_):\n"
        "        if name == 'typer': os.kill(os.getpid(), signal.SIGINT)\n"
        "sys.meta_path.insert(0, Interrupts())"
    )
    done = _as_a_process(tmp_path, interrupts, "draw")
    assert (done.returncode, done.stderr) == (130, "faceaug: stopped before anything was done\n")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_full_disk_under_standard_output(drawn, tmp_path, monkeypatch, unbuffered):
    monkeypatch.setenv("PYTHONUNBUFFERED", unbuffered)
    full = "import os\nos.dup2(os.open('/dev/full', os.O_WRONLY), 1)"
    done = _as_a_process(tmp_path, full, "check", "helen", "--data-root", drawn)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert "faceaug: output cannot be written (No space left on device)" in done.stderr


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_reader_that_has_seen_enough(drawn, tmp_path, monkeypatch, unbuffered):
    monkeypatch.setenv("PYTHONUNBUFFERED", unbuffered)
    closed = "import os\nreader, writer = os.pipe()\nos.close(reader)\nos.dup2(writer, 1)"
    done = _as_a_process(tmp_path, closed, "check", "helen", "--data-root", drawn)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr


def test_a_notebooks_backend_is_none_of_ours(trained, tmp_path):
    backend = "import os\nos.environ['MPLBACKEND'] = 'module://no_such_package.backend'"
    done = _as_a_process(tmp_path, backend, "plot", trained.gan.parent)
    assert done.returncode == 0, done.stderr
