import json

from blocks import labels_of, write, write_folder


def test_a_good_set_is_one_line(faceaug, tmp_path):
    write_folder(tmp_path / "faces")
    outcome = faceaug("check", "folder:faces")
    assert outcome.code == 0
    assert outcome.out == "check: faces in helen-11: 3 train, 3 tuning, 3 testing; nothing is wrong\n"


def test_findings_are_named_and_exit_with_1(faceaug, tmp_path):
    root = write_folder(tmp_path / "faces")
    write(root / "masks" / "a4.png", labels_of()[:, ::-1])
    (root / "images" / "a5.png").unlink()
    outcome = faceaug("check", "folder:faces", "--json", "found.json")
    assert outcome.code == 1
    lines = outcome.out.splitlines()
    assert lines[0] == "missing: testing faces/images/a5.jpg: no photo"
    assert [line.split(":")[0] for line in lines] == ["missing", "sides exchanged", "sides exchanged", "check"]
    assert "a4.png" in lines[1]
    assert lines[-1].endswith("; 1 missing, 2 sides exchanged")
    found = json.loads((tmp_path / "found.json").read_text())
    assert found["counts"] == {"missing": 1, "sides exchanged": 2}
    assert len(found["findings"]) == 3


def test_what_cannot_be_checked_exits_with_2(faceaug):
    assert faceaug("check", "generatings").code == 2
    assert "nowhere: no such folder" in faceaug("check", "helen:nowhere").error


def test_drawn_faces_are_good(faceaug, drawn):
    assert faceaug("check", "helen", "--data-root", drawn, "--against", "celeba").code == 0
