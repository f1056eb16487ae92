"""The page over HTTP, as a browser uses it: photos, results, what is refused, and who sees what."""

import base64
import contextlib
import hashlib
import io
import re
import time

import httpx
import numpy as np
import pytest
from faceaug.cli.web.private import sweep
from faceaug.datasets.drawn.drawing import draw_face
from faceaug.datasets.drawn.layouts import HELEN_FRAME
from faceaug.datasets.drawn.traits import draw_person, draw_shot
from faceaug.datasets.synthetic import SyntheticFaces
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError
from PIL import Image, ImageCms

from faceaug.labels import HAIR, HELEN_11

SLIDERS = [0.0] * 8
PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


@contextlib.contextmanager
def _visit(page):
    client = Client(page.url, verbose=False, analytics_enabled=False)
    yield client
    client.close()


@pytest.fixture(scope="module")
def client(page):
    """A session that many tests share; each sends the photos that it needs."""
    with _visit(page) as client:
        yield client


@pytest.fixture
def newcomer(page):
    """A session that has sent nothing yet."""
    with _visit(page) as client:
        yield client


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    """Two photos with faces: one with all that a file can carry, and one without."""
    folder = tmp_path_factory.mktemp("photos")
    exif = Image.Exif()
    exif[0x010F] = "a camera"
    for number in (0, 3):
        rng = np.random.default_rng([1, 0, number])
        photo = np.full((300, 400, 4), 90, np.uint8)
        photo[60:236, 150:326, :3] = draw_face(draw_person(rng), draw_shot(rng), HELEN_FRAME).image
        if number:
            photo[..., 3] = 255
            Image.fromarray(photo[..., :3]).save(folder / "plain.png")
        else:
            photo[..., 3] = np.arange(400, dtype=np.uint16)[None].astype(np.uint8)
            Image.fromarray(photo).save(folder / "rich.png", exif=exif, icc_profile=PROFILE)
    Image.new("RGB", (200, 200), (90, 120, 40)).save(folder / "nobody.png")
    (folder / "broken.png").write_bytes(b"\x89PNG nothing")
    Image.new("L", (1100, 1000)).save(folder / "bomb.png")
    return folder


def _send(client, path, kind="target"):
    """Upload a photo as the page does: read it, then look for its face."""
    line, _ = client.predict(handle_file(path), api_name=f"/read_{kind}")
    return line, client.predict(api_name=f"/find_{kind}")


def _painted(painter, labels):
    data = io.BytesIO()
    Image.fromarray(HELEN_11.colour(labels)).save(data, format="PNG")
    return {"face": painter["face"], "mask": f"data:image/png;base64,{base64.b64encode(data.getvalue()).decode()}"}


def _labels(painter):
    return np.frombuffer(base64.b64decode(painter["labels"]), np.uint8).reshape(64, 64).copy()


def _download(page, result):
    answer = httpx.get(page.url + re.search(r'href="(result/[^"]+)"', result).group(1))
    return answer, Image.open(io.BytesIO(answer.content))


def test_a_mask_is_painted_and_the_result_keeps_all_that_the_photo_had(page, client, photos):
    line, (found, painter, number, result) = _send(client, photos / "rich.png")
    assert "rich.png: looking for a face" in line
    assert "rich.png, 400 x 300: face found" in found
    assert (number, result) == (1, "")
    assert [one["name"] for one in painter["classes"]] == list(HELEN_11.classes)
    labels = _labels(painter)
    labels[:6] = HAIR
    line, result = client.predict(_painted(painter, labels), *SLIDERS, api_name="/edit")
    assert re.search(r"Done in [\d.]+ seconds", line)
    answer, saved = _download(page, result)
    assert answer.headers["content-disposition"] == "attachment; filename*=UTF-8''rich_edited.png"
    with saved, Image.open(photos / "rich.png") as before:
        assert (saved.size, saved.mode) == (before.size, "RGBA")
        assert saved.getexif()[0x010F] == "a camera"
        assert saved.info["icc_profile"] == PROFILE
        assert saved.info["ai_edited"] == "true"
        new, old = np.array(saved), np.array(before)
        assert (new[..., 3] == old[..., 3]).all()
        changed = (new != old).any(-1)
        assert 0 < changed.mean() < 0.2
        assert not changed[200:].any()  # far below the hair that was painted


def test_operations_and_an_unchanged_mask(client, photos):
    _, (_, painter, *_) = _send(client, photos / "plain.png")
    line, result = client.predict(painter, *SLIDERS, api_name="/edit")
    assert "edit: nothing to change; paint on the mask, or move a slider" in line
    assert "update" in str(result)  # what is shown stays
    line, _ = client.predict(_painted(painter, _labels(painter)), *SLIDERS, api_name="/edit")
    assert "nothing to change" in line
    line, result = client.predict(painter, 0, 0, 0, 1.5, 0, 0, 1.5, 0, api_name="/edit")
    assert "Done" in line
    assert "download" in result
    line, _ = client.predict(painter, 0, 0, 0, 0, 0, 0, 0, -0.1, api_name="/edit")
    assert ">change brows-thinner:0.1: changes nothing at 64 px" in line


def test_components_and_faces_of_another_person(page, newcomer, photos):
    _send(newcomer, photos / "rich.png")
    line, result = newcomer.predict(None, False, api_name="/swap")
    assert "source: none is chosen" in line
    _, (line, who, people) = _send(newcomer, photos / "plain.png", "source")
    assert "plain.png: a source now" in line
    assert who["value"] == "plain.png"
    assert people.count("<figure") == 1
    line, result = newcomer.predict("plain.png", ["hair", "mouth"], api_name="/transfer")
    assert "Done" in line
    assert "source: plain.png" in result
    first = _download(page, result)[0].content
    line, result = newcomer.predict("plain.png", True, api_name="/swap")
    assert "Done" in line
    assert _download(page, result)[0].content != first
    line, _ = newcomer.predict("plain.png", [], api_name="/transfer")
    assert "no component is chosen" in line


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("broken.png", r"broken.png: no readable image \(12 bytes\); copy it again"),
        ("bomb.png", "bomb.png: 1100 x 1000 pixels are more than 1 megapixels"),
        ("nobody.png", "nobody.png: no face of 32 px"),
    ],
)
def test_photos_that_cannot_be_used_are_one_line_and_the_last_one_stays(client, photos, name, told):
    _, (_, painter, *_) = _send(client, photos / "plain.png")
    line, (found, *_) = _send(client, photos / name)
    assert re.search(told, line if 'role="alert"' in line else found)
    assert "Traceback" not in line + str(found)
    assert "\n" not in line
    line, result = client.predict(painter, *SLIDERS[:3], 1, *SLIDERS[4:], api_name="/edit")
    assert "Done" in line
    assert "plain.png" in result


def test_a_file_that_is_too_long_is_refused_by_the_server_and_by_gradio(page):
    for length, told in ((2**20 + 10, "maximum allowed size of 1048576 bytes"), (2**21, "maximum allowed size of 1114112")):
        answer = httpx.post(page.url + "gradio_api/upload", files={"files": ("long.png", bytes(length))})
        assert answer.status_code == 413
        assert told in answer.text
    chunks = (bytes(2**16) for _ in range(40))  # no length is told
    answer = httpx.post(page.url + "gradio_api/queue/join", content=iter([b"{", *[bytes(2**20)] * 9]))
    assert answer.status_code == 413
    answer = httpx.post(
        page.url + "gradio_api/upload",
        content=(part for part in [b"--x\r\nContent-Disposition: form-data; name=f; filename=a\r\n\r\n", *chunks]),
        headers={"content-type": "multipart/form-data; boundary=x"},
    )
    assert answer.status_code == 413
    sweep(page.folder, age=0)  # parts of them
    assert not any(path.is_file() for path in page.folder.rglob("*"))


@pytest.mark.parametrize(
    ("mask", "told"),
    [
        ("data:image/png;base64,####", "mask: cannot be decoded; paint on it again"),
        ("data:image/png;base64,AAAA", "mask: no readable image"),
        ("data:image/jpeg;base64,AAAA", "mask: must be a PNG"),
        (3, "mask: must be a PNG"),
        (Image.new("RGB", (32, 32)), "mask: is 32 x 32 pixels; the aligned face is 64 x 64"),
        (Image.new("RGB", (64, 64), (1, 200, 255)), "mask: 100% of its pixels have none of the colours of helen-11"),
    ],
)
def test_masks_that_are_none_are_one_line(client, photos, mask, told):
    _, (_, painter, *_) = _send(client, photos / "plain.png")
    if isinstance(mask, Image.Image):
        data = io.BytesIO()
        mask.save(data, format="PNG")
        mask = "data:image/png;base64," + base64.b64encode(data.getvalue()).decode()
    line, _ = client.predict({"face": painter["face"], "mask": mask}, *SLIDERS, api_name="/edit")
    assert told in line


def test_sessions_do_not_see_each_other_and_leave_nothing(page, newcomer, photos):
    one = newcomer
    _, (_, painter, *_) = _send(one, photos / "plain.png")
    _, result = one.predict(painter, *SLIDERS[:3], 1, *SLIDERS[4:], api_name="/edit")
    with _visit(page) as other:
        line, _ = other.predict(painter, *SLIDERS[:3], 1, *SLIDERS[4:], api_name="/edit")
        assert "photo: there is none to edit; drop one first" in line
        with pytest.raises(AppError, match="not in the list of choices"):
            other.predict("plain.png", False, api_name="/swap")
    assert httpx.get(page.url + "result/AAAA").status_code == 404
    assert list(page.folder.rglob("*.png")) == []  # files are gone as soon as they are read
    assert page.folder.stat().st_mode & 0o777 == 0o700
    link = page.url + re.search(r'href="(result/[^"]+)"', result).group(1)
    assert httpx.get(link).status_code == 200
    with httpx.stream("GET", f"{page.url}gradio_api/heartbeat/{one.session_hash}") as heart:  # as an open tab has it
        next(heart.iter_lines())
    deadline = time.monotonic() + 20
    while httpx.get(link).status_code == 200 and time.monotonic() < deadline:
        time.sleep(0.1)
    assert httpx.get(link).status_code == 404
    assert one.session_hash not in page.desks._desks


def test_nothing_is_loaded_from_elsewhere(page):
    answer = httpx.get(page.url)
    assert "default-src 'self'" in answer.headers["content-security-policy"]
    loaded = re.findall(r"<(?:script|link|img|iframe)[^>]*(?:src|href)=[\"']?(?:https?:)?//[^>]*>", answer.text)
    assert loaded == []
    for name in ("theme.css", "gradio_api/info"):
        text = httpx.get(page.url + name).text
        assert "fonts.googleapis" not in text
        assert "url(http" not in text


def test_strangers_are_sent_away(page):
    host = page.url.removeprefix("http://").strip("/")
    assert httpx.get(page.url, headers={"host": "rebound.example"}).status_code == 421
    assert httpx.get(page.url, headers={"host": host.replace("127.0.0.1", "localhost")}).status_code == 200
    join = page.url + "gradio_api/queue/join"
    assert httpx.post(join, json={}, headers={"origin": "http://evil.example"}).status_code == 403
    assert httpx.post(join, json={}, headers={"origin": "null"}).status_code == 403
    assert httpx.get(page.url + "gradio_api/file=http://elsewhere.example/a").status_code == 403
    assert httpx.get(page.url + f"gradio_api/file={__file__}").status_code == 403
    for header in ({"host": "["}, {"host": "a]b"}):
        assert httpx.get(page.url, headers=header).status_code == 421
    assert httpx.get(page.url, headers={"origin": "http://["}).status_code == 403
    assert httpx.get(page.url + "result/%C3%A9").status_code == 404
    file = {"path": "http://elsewhere.example/x.png", "url": "x", "meta": {"_type": "gradio.FileData"}}
    assert httpx.post(join, json={"data": [[file]], "session_hash": "s"}).status_code == 403
    chunks = iter([b'{"data": [{"pa', b'th": "HTTPS://elsewhere.example"}]}'])
    assert httpx.post(join, content=chunks).status_code == 403
    assert httpx.post(join, content=b'{"data": [{"p\\u0061th": "http://elsewhere.example"}]}').status_code == 403
    assert httpx.post(join, content=iter([b" " * 2**20] * 9)).status_code == 413


def _page(client, name="first_page", number=1, **given):
    values = {"target": "", "source": "", "least": 0, "most": 1, "conditions": "", "classes": [], "left": "all", "view": "faces",
              "length": 12, **given}  # fmt: skip
    return client.predict(number, *values.values(), api_name=f"/{name}")


def _rows(grid):
    return [int(row) for row in re.findall(r'data-does="show" data-row="(\d+)"', grid)]


def test_a_set_is_looked_through(client):
    line, grid, number = _page(client)
    assert "10 of 10 faces, page 1 of 1" in line
    assert (_rows(grid), number) == (list(range(10)), 1)
    assert _rows(_page(client, least=0.5, most=0.7)[1]) == [5, 6, 7]
    assert _rows(_page(client, source="S1", conditions="row != 8")[1]) == [5, 6, 7, 9]
    classes = ["hair", "left_brow"]
    assert set(_rows(_page(client, classes=classes)[1])) < set(range(10))
    for view in ("masks", "masks over faces"):
        assert _page(client, view=view)[1] != grid
    line, *_ = _page(client, conditions="itta > 3")
    assert "condition itta &gt; 3: no such column" in line
    _, detail, _ = client.predict(7, api_name="/row")
    for name, value in {
        "target": "t2",
        "source": "s12",
        "row": "7",
        "seed": "7",
        "agreement": "0.7000",
        "ita": "unknown",
    }.items():
        assert re.search(rf"<th scope=row[^>]*>{name}</th><td>{value}</td>", detail), name
    assert detail.count("<figure") == 3
    for least, most in ((-1, 1), (0, 1)):
        assert len(_rows(_page(client, least=least, most=most)[1])) == 10
    assert "agreement from 0.7 to 0.5: the first must not be larger" in _page(client, least=0.7, most=0.5)[0]
    assert "nothing is compared with an unknown number" in _page(client, conditions="agreement >= nan")[0]
    line, *_ = client.predict(10, api_name="/row")
    assert "row 10: name one from 0 to 9" in line


def test_rows_are_dropped_into_a_list_and_the_set_stays(page, client):
    before = {path.name: hashlib.sha256(path.read_bytes()).digest() for path in page.set.iterdir()}
    given = (1, "", "", 0, 1, "", [], "not dropped", "faces", 12)
    line, grid, _, detail = client.predict(4, *given, api_name="/drop")
    assert "9 of 10 faces, page 1 of 1; 1 dropped, listed in" in line
    assert 4 not in _rows(grid)
    assert re.search(r"<th [^>]*>dropped</th><td>yes</td>", detail)
    client.predict(0, *given, api_name="/drop")
    (listed,) = page.lists.glob("*.json")
    assert len(SyntheticFaces(page.set, without=listed)) == 8
    line, grid, *_ = client.predict(4, *given, api_name="/keep")
    assert "9 of 10 faces" in line
    faces = SyntheticFaces(page.set, without=listed)
    assert [faces.about(index)["row"] for index in range(len(faces))] == list(range(1, 10))
    assert {path.name: hashlib.sha256(path.read_bytes()).digest() for path in page.set.iterdir()} == before


def test_handlers_of_the_page_tell_no_internals(client):
    with pytest.raises(AppError) as raised:
        client.predict("a", *[None] * 9, api_name="/page")
    assert "Traceback" not in str(raised.value)
