import os
import signal
import subprocess
import sys

import pytest

from faceaug.errors import OutputError, ShardDamaged
from faceaug.files import atomic_file, atomic_folder, ensure_folder, read_json, short_hash, write_json


def test_a_failed_write_leaves_the_old_file(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("old")
    with pytest.raises(RuntimeError), atomic_file(path) as part:
        part.write_text("half")
        raise RuntimeError
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["a.txt"]


def test_a_killed_write_leaves_the_old_file(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("old")
    code = (
        "import pathlib, sys, time\nfrom faceaug.files import atomic_file\n"
        "with atomic_file(pathlib.Path(sys.argv[1])) as part:\n"
        "    part.write_text('half'); print('ready', flush=True); time.sleep(60)\n"
    )
    process = subprocess.Popen([sys.executable, "-c", code, str(path)], stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "ready\n"
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()
    assert path.read_text() == "old"


def test_a_folder_appears_whole_or_not_at_all(tmp_path):
    with pytest.raises(RuntimeError), atomic_folder(tmp_path / "set") as part:
        (part / "one").write_text("1")
        raise RuntimeError
    assert not list(tmp_path.iterdir())
    with atomic_folder(tmp_path / "set") as part:
        (part / "one").write_text("1")
    assert [path.name for path in tmp_path.iterdir()] == ["set"]


def test_unwritable_places_are_one_line_errors(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match=r"file/below.*cannot be written"):
        write_json(tmp_path / "file" / "below", {})
    with pytest.raises(OutputError, match="--out"):
        ensure_folder(tmp_path / "file" / "below")


def test_a_full_disk_is_an_output_error_and_leaves_nothing(tmp_path):
    with pytest.raises(OutputError, match="No space left"), atomic_file(tmp_path / "a"), open("/dev/full", "w") as full:
        full.write("x" * 100_000)
    assert not list(tmp_path.iterdir())


def test_hashes_depend_on_the_value_only():
    assert short_hash({"a": 1, "b": [2]}) == short_hash({"b": [2], "a": 1}) == "ae8a9a50"
    assert short_hash({"a": 1}) != short_hash({"a": 2})


def test_a_full_disk_is_told_also_of_writers_that_do_not_ask_the_system(tmp_path, monkeypatch):
    class Usage:
        free = 1000

    monkeypatch.setattr("shutil.disk_usage", lambda _: Usage)
    with pytest.raises(OutputError, match=r"a: cannot be written \(No space left on device\)"), atomic_file(tmp_path / "a"):
        raise OSError("12 requested and 0 written")
    Usage.free = 10**9
    with pytest.raises(OutputError, match=r"a: cannot be written \(12 requested and 0 written\)"), atomic_file(tmp_path / "a"):
        raise OSError("12 requested\nand 0 written")


@pytest.mark.parametrize("content", [b"", b"{", b"\xff", b"[]", b"null", b'{"b": 1}'])
def test_damaged_json_is_one_line(tmp_path, content):
    path = tmp_path / "complete.json"
    path.write_bytes(content)
    with pytest.raises(ShardDamaged, match=r"complete\.json: damaged \(.+\); copy it again$") as caught:
        read_json(path, "a", advice="copy it again", error=ShardDamaged)
    assert "\n" not in str(caught.value)
    write_json(path, {"a": 1, "c": 2})
    assert read_json(path, "a", advice="") == {"a": 1, "c": 2}


def test_the_option_that_says_where_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    below = tmp_path / "file" / "below"
    for write in (
        lambda: ensure_folder(below, option="--cache"),
        lambda: atomic_file(below, option="--cache").__enter__(),
        lambda: atomic_folder(below, option="--cache").__enter__(),
        lambda: write_json(below, {}, option="--cache"),
    ):
        with pytest.raises(OutputError, match=r"below: cannot be written .*; .*choose another place with --cache$"):
            write()
