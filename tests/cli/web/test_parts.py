"""The page's parts by themselves."""

import os
import stat
import time

import numpy as np
import pytest
from faceaug.cli.web.app import address_of, listen
from faceaug.cli.web.desks import SOURCES, Desks
from faceaug.cli.web.editing import SLIDERS, whole
from faceaug.cli.web.guard import is_loopback
from faceaug.cli.web.markup import figure, status
from faceaug.cli.web.private import private_folder, sweep, take

from faceaug.edit.editor import Edited
from faceaug.edit.face import PhotoFace
from faceaug.edit.operations import OPERATIONS
from faceaug.edit.picture import Picture
from faceaug.errors import ConfigError, DatasetDamaged
from faceaug.labels import HELEN_11
from faceaug.prepare.photos import Face


def _face(name):
    picture = Picture(np.zeros((4, 4, 3), np.uint8))
    place = Face(np.zeros((5, 2)), np.eye(2, 3), None, None)
    return PhotoFace(name, picture, place, picture.pixels, np.zeros((4, 4), np.uint8), HELEN_11, 0.9)


def test_every_operation_has_its_side_of_a_slider():
    assert sorted(name for names in SLIDERS.values() for name in names if name) == sorted(OPERATIONS)


def test_what_is_on_a_desk_is_forgotten_with_it():
    forgotten = []
    desks = Desks(lambda face: forgotten.append(face.name), most=2)
    desk = desks.of("a")
    for name in ("t0", "t1"):
        desk.put_target(_face(name), (name, Picture(np.zeros((4, 4, 3), np.uint8))))
    assert forgotten == ["t0"]
    for number in range(SOURCES + 1):
        desk.add_source(_face(f"s{number}"))
    desk.add_source(_face("s3"))
    assert forgotten == ["t0", "s0", "s3"]
    assert len(desk.sources) == SOURCES
    desks.of("b")
    desks.of("a")
    desks.of("c")  # the third: b, which was used longest ago, goes
    assert desks.of("a") is desk
    desks.end("a")
    assert desk.target is None
    assert len(forgotten) == 3 + SOURCES + 1
    assert desks.of("a") is not desk
    desks.end("nobody")


def test_a_result_is_its_tokens_owners_alone():
    desks = Desks(lambda face: None)
    face = _face("a/b.JPG")
    desks.of("a").put_result(Edited(face, face.labels, face.image, face.labels > 0, face.image, "drawn faces"))
    token = desks.of("a").token
    assert desks.result(token)[0] == "b_edited.png"
    assert desks.result("") is None
    assert desks.result(token + "x") is None
    assert desks.result("é\ud800") is None
    desks.of("a").put_target(face, ("a", face.picture))
    assert desks.result(token) is None
    assert desks.of(None) is not desks.of(None)


def test_the_folder_is_private_and_empties():
    before = os.environ.get("GRADIO_TEMP_DIR")
    with private_folder() as folder:
        assert os.environ["GRADIO_TEMP_DIR"] == str(folder)
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        (folder / "hash").mkdir()
        (folder / "hash" / "a.png").write_bytes(b"data")
        assert take(folder / "hash" / "a.png", folder) == b"data"
        assert list(folder.iterdir()) == []
        assert take(folder / "hash" / "a.png", folder) == b"data"  # another session sent the same file at the same moment
        sweep(folder, age=0)
        with pytest.raises(DatasetDamaged, match=r"a.png: the upload is no longer there; drop it again"):
            take(folder / "hash" / "a.png", folder)
        (folder / "b.png").write_bytes(b"")
        for outside in (folder / "b.png", folder / "hash" / ".." / "b.png", folder.parent / "b.png"):
            with pytest.raises(DatasetDamaged, match=r"b.png: no upload"):
                take(outside, folder)
        (folder / "hash").mkdir()
        (folder / "hash" / "new.png").write_bytes(b"")
        old = time.time() - 100
        os.utime(folder / "b.png", (old, old))
        sweep(folder)
        assert [path.name for path in folder.rglob("*")] == ["hash", "new.png"]
    assert not folder.exists()
    assert os.environ.get("GRADIO_TEMP_DIR") == before


def test_ports_and_addresses():
    with listen("127.0.0.1", 0) as first:
        port = first.getsockname()[1]
        assert address_of(first) == f"http://127.0.0.1:{port}/"
        with pytest.raises(ConfigError, match=rf"--host 127.0.0.1 --port {port}: cannot listen there .*; choose another"):
            listen("127.0.0.1", port)
    with pytest.raises(ConfigError, match="cannot listen there"):
        listen("192.0.2.1", 0)
    assert [is_loopback(host) for host in ("127.0.0.1", "localhost", "::1", "127.9.9.9", "0.0.0.0", "a.example", "")] == [
        True, True, True, True, False, False, False,
    ]  # fmt: skip


def test_numbers_from_the_page_are_whole():
    assert [whole(number, "row") for number in (3, 3.0)] == [3, 3]
    for wrong in (None, "x", [1], 2.5, float("inf"), float("nan")):
        with pytest.raises(ConfigError, match=r"row .*: must be a whole number"):
            whole(wrong, "row")


def test_texts_of_the_page_are_escaped():
    assert "<script" not in status("a<script>\nb") + figure("data:", "<script>")
    assert status("a\nb", wrong=True) == '<p role="alert" class="told wrong">a b</p>'
