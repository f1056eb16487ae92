import numpy as np
import pytest

from faceaug.errors import DatasetDamaged, DatasetNotFound
from faceaug.parser.groups import read_groups
from faceaug.parser.network import build_parser
from faceaug.parser.train import evaluate


def test_groups_of_listed_faces(tmp_path):
    path = tmp_path / "traits.csv"
    path.write_text("name,glasses,hat,ita,place\na.jpg,1,0,50.5,x\nb,0,0,-3,y\nc,1,0,,x\n")
    found = read_groups(path, ["b", "inner/c.png", "a", "d"])
    assert {name: rows.tolist() for name, rows in found.items()} == {
        "glasses": [False, True, True, False],
        "skin dark": [True, False, False, False],
        "skin light": [False, False, True, False],
    }
    path.write_text("name,glasses,hat,earring\na, 1,1.0,-1\nb,0,0.0,1\n")  # by hand, by pandas, CelebA's own coding
    assert {name: rows.tolist() for name, rows in read_groups(path, ["a", "b"]).items()} == {
        "glasses": [True, False],
        "hat": [True, False],
        "earring": [False, True],
    }
    path.write_text("name,place\na,x\n")
    with pytest.raises(DatasetDamaged, match="no groups of these faces; give it columns of 0 and 1"):
        read_groups(path, ["a"])
    with pytest.raises(DatasetDamaged, match="lists none of 1 faces, z"):
        read_groups(path, ["z"])
    path.write_text("face,glasses\na,1\n")
    with pytest.raises(DatasetDamaged, match="no column name"):
        read_groups(path, ["a"])
    with pytest.raises(DatasetNotFound, match=r"none\.csv: cannot be read"):
        read_groups(tmp_path / "none.csv", ["a"])


def test_a_group_of_all_has_the_score_of_all(faces, compute):
    from small import PARSER

    network = build_parser(PARSER, weights=False)
    groups = {"all": np.ones(len(faces), bool), "some": np.arange(len(faces)) < 3}
    found = evaluate(network, PARSER, faces, compute, groups=groups)
    assert found["groups"]["all"] == {"faces": len(faces), "mean_f1": found["mean_f1"]}
    assert found["groups"]["some"]["mean_f1"] == evaluate(network, PARSER, faces.select([0, 1, 2]), compute)["mean_f1"]


def test_tables_that_are_none_are_told(tmp_path):
    path = tmp_path / "traits.csv"
    path.write_text("name,ita\na,dark\n")
    with pytest.raises(DatasetDamaged, match="column ita has 'dark', which is no number"):
        read_groups(path, ["a"])
    path.write_text('"name,old\n' + "a,1\n" * 40_000)
    with pytest.raises(DatasetNotFound, match=r"traits\.csv: cannot be read \(field larger"):
        read_groups(path, ["a"])
    path.write_text("name,old\na,1,surplus\nb\n")
    assert {name: rows.tolist() for name, rows in read_groups(path, ["a", "b"]).items()} == {"old": [True, False]}
