import numpy as np
import pytest
from faceaug.datasets.listing import Index, read_names, read_points, read_table, seeded_split

from faceaug.errors import DatasetDamaged, DatasetNotFound
from faceaug.images import stem


def test_stems():
    assert [stem(name) for name in ("a.jpg", "a.JPEG", "a", "v1.2", "a.b.png", ".png", "a.txt")] == [
        "a", "a", "a", "v1.2", "a.b", ".png", "a.txt",
    ]  # fmt: skip


def test_an_index_knows_real_picture_files(tmp_path):
    for name in ("10.JPG", "2.webp", "v1.2.Tiff", "twice.jpg.jpg", "note.txt", "._10.jpg"):
        (tmp_path / name).touch()
    (tmp_path / "gone.jpg").symlink_to(tmp_path / "nowhere")
    (tmp_path / "Anna.png").touch()
    index = Index(tmp_path)
    assert index.stems == ("2", "10", "Anna", "twice.jpg", "v1.2")
    assert index.path("10.jpg") == index.path("10") == tmp_path / "10.JPG"
    assert "twice.jpg" in index
    assert "gone" not in index
    assert index.path("none") == tmp_path / "none.jpg"
    assert index.near("anna.jpg") == " (Anna.png is there)"
    assert index.near("note") == " (note.txt is there)"
    assert index.near("gone") == " (gone.jpg is a link to nothing)"
    assert index.near("none") == ""
    (tmp_path / "10.png").touch()
    with pytest.raises(DatasetDamaged, match=r"10\.JPG: 10\.png is there too"):
        Index(tmp_path).path("10")
    assert Index(tmp_path / "none").stems == ()


def test_lists_as_editors_write_them(tmp_path):
    path = tmp_path / "list.txt"
    path.write_bytes("\ufeff1 , a.jpg\r\n\r\n2 , Zoë\r\n".encode())
    assert read_names(path, "it is a list") == ["a", "Zoë"]
    path.write_bytes("Zoë\n".encode("latin-1"))
    with pytest.raises(DatasetDamaged, match=r"list\.txt: is no UTF-8 text \(byte 2 "):
        read_names(path, "it is a list")
    path.write_text("a\nb\na.jpg\n")
    assert read_names(path, "it is a list") == ["a", "b"]
    with pytest.raises(DatasetNotFound, match=r"none\.txt: cannot be read .*; it is a list"):
        read_names(tmp_path / "none.txt", "it is a list")


@pytest.mark.parametrize("suffix", [".txt", ".csv"])
@pytest.mark.parametrize("header", [[], ["2", "x y"], ["x y"], ["name x y"]])
def test_headers_are_told_from_rows(tmp_path, suffix, header):
    lines = [*header, "a.jpg 1 -2.5", "b.jpg 3 4"]
    path = tmp_path / f"list{suffix}"
    path.write_text("\n".join(lines).replace(" ", "," if suffix == ".csv" else "   "))
    table = read_table(path, "hint", 2)
    assert table.names == ("a.jpg", "b.jpg")
    assert table.header == (("x", "y") if header else ())
    assert table.get("a").tolist() == table.get("a.jpg").tolist() == [1, -2.5]
    assert table.get("c") is None


def test_bad_tables_are_named(tmp_path):
    path = tmp_path / "list.txt"
    for text, told in (
        ("a 1 2\nb 3\n", "line 2 is not a name and 2 numbers"),
        ("a 1 2\nb 3 x\n", "line 2 is not"),
        ("x y\n", "holds no rows"),
        ("", "holds no rows"),
    ):
        path.write_text(text)
        with pytest.raises(DatasetDamaged, match=rf"list\.txt: {told}"):
            read_table(path, "hint", 2)


def test_points(tmp_path):
    path = tmp_path / "a.txt"
    for text in ("3\n1 2\n3 4\n5 6\n", "1 2\n3 4\n5 6\n", "1,2\n3,4\n5,6"):
        path.write_text(text)
        assert read_points(path).tolist() == [[1, 2], [3, 4], [5, 6]]
    for text in ("", "5 2 3", "left 1 2"):
        path.write_text(text)
        with pytest.raises(DatasetDamaged, match="holds no x and y"):
            read_points(path)


def test_seeded_splits_are_stable_and_have_their_shares():
    names = [str(number) for number in range(3000)]
    splits = seeded_split(names)
    shares = [splits.count(split) / 3000 for split in ("train", "tuning", "testing")]
    assert np.abs(np.array(shares) - (0.8, 0.1, 0.1)).max() < 0.02
    assert seeded_split(names[500:]) == splits[500:]
    assert set(seeded_split(names, (0.9, 0.1, 0))) == {"train", "tuning"}
    assert seeded_split(["a", "b", "a"])[0] == seeded_split(["a", "b", "a"])[2]


@pytest.mark.parametrize("count", [3, 4, 7, 12])
def test_few_names_leave_no_split_empty(count):
    names = [f"n{number}" for number in range(count)]
    assert set(seeded_split(names)) == {"train", "tuning", "testing"}
    assert set(seeded_split(names, (0.9, 0.1, 0))) == {"train", "tuning"}


def test_a_name_that_comes_twice_is_one_row(tmp_path, capsys):
    path = tmp_path / "list.txt"
    path.write_text("a.jpg 1\nb.jpg 2\na.jpg 3\n")
    table = read_table(path, "hint", 1)
    assert table.names == ("a.jpg", "b.jpg")
    assert table.values.tolist() == [[3], [2]]
    assert table.get("a").tolist() == [3]
    assert "1 names come twice, a for one; each counts once" in capsys.readouterr().err


def test_a_quote_that_is_not_closed_is_told(tmp_path):
    path = tmp_path / "list.csv"
    path.write_text('a.jpg,1\n"b.jpg,2\n' + "c.jpg,3\n" * 20_000)
    with pytest.raises(DatasetDamaged, match=r"list\.csv: is no CSV \(field larger"):
        read_table(path, "hint", 1)
