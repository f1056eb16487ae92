import numpy as np
import pytest

from faceaug.errors import DatasetDamaged, DatasetNotFound
from faceaug.prepare.landmark_files import LandmarkFiles, five_points

FIVE = np.array([(10, 20), (30, 20.5), (20, 30), (12, 40), (28, 41)])
ROW = ",".join(str(value) for value in FIVE.ravel())


def test_lists_with_and_without_header_and_mark(tmp_path):
    for number, start in enumerate(("", "name,x1,y1,x2,y2,x3,y3,x4,y4,x5,y5\n", "\ufefffile, a\n")):
        path = tmp_path / f"{number}.csv"
        path.write_text(f"{start}a.jpg,{ROW}\n\nsub/b.png,{ROW}\r\nc , {ROW}\n", encoding="utf-8")
        files = LandmarkFiles(path)
        for name in ("a.jpg", "x/a.jpg", "sub/b.png", "c.JPG"):
            assert (files.of(name) == FIVE).all()
        assert files.of("d.jpg") is None


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (f"a,{ROW}\nb,1,2\n", "line 2 is not a name and ten numbers"),
        (f"a,{ROW}\nb,{ROW[:-2]}x\n", "line 2"),
        (f"a,{ROW}\na,{ROW}\n", "line 2 has a for the second time"),
    ],
)
def test_bad_lists_are_refused_by_line(tmp_path, text, told):
    path = tmp_path / "points.csv"
    path.write_text(text)
    with pytest.raises(DatasetDamaged, match=f"points.csv: {told}"):
        LandmarkFiles(path)


def test_a_list_that_is_not_there_or_not_text(tmp_path):
    with pytest.raises(DatasetNotFound, match="none: no such"):
        LandmarkFiles(tmp_path / "none")
    (tmp_path / "bad.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(DatasetDamaged, match=r"bad\.csv: cannot be read \(not UTF-8\)"):
        LandmarkFiles(tmp_path / "bad.csv")


@pytest.mark.parametrize(
    ("count", "start", "eyes", "others"),
    [
        (106, "106\n", ([104], [105]), (54, 84, 90)),
        (68, "version: 1\nn_points: 68\n{\n", (range(36, 42), range(42, 48)), (30, 48, 54)),
    ],
)
def test_text_files_of_many_points(tmp_path, count, start, eyes, others):
    points = np.random.default_rng(0).uniform(0, 200, (count, 2)).round(3)
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "a.txt").write_text(start + "".join(f"{x} {y}\n" for x, y in points) + "}\n")
    found = LandmarkFiles(tmp_path).of("somewhere/a.jpg")
    wanted = [points[list(eye)].mean(axis=0) for eye in eyes] + [points[index] for index in others]
    assert np.allclose(found, wanted)
    assert LandmarkFiles(tmp_path).of("b.jpg") is None


def test_other_numbers_of_points_are_refused(tmp_path):
    assert five_points(np.zeros((7, 2))) is None
    (tmp_path / "a.txt").write_text("1 2\n3 4\n")
    with pytest.raises(DatasetDamaged, match=r"a\.txt: has 2 points; known are 5, 68, 106"):
        LandmarkFiles(tmp_path).of("a.jpg")


def test_a_quote_that_is_not_closed_is_told(tmp_path):
    path = tmp_path / "landmarks.csv"
    path.write_text('"a,1\n' + "b,2\n" * 60_000)
    with pytest.raises(DatasetDamaged, match=r"landmarks\.csv: is no CSV \(field larger"):
        LandmarkFiles(path)
