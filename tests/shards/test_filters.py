import json

import numpy as np
import pytest
from small import noise_faces, write_set

from faceaug.errors import ConfigError
from faceaug.labels import HELEN_11
from faceaug.shards.filters import RowFinder, Wanted, parse_conditions
from faceaug.shards.reader import ShardReader
from faceaug.shards.writer import shard_name, write_shard

LARGE = 2**63 + 12345


@pytest.fixture
def finder(tmp_path):
    """Ten rows in two shards: the second has columns of its own."""
    faces = noise_faces(10, 16)
    folder = write_set(tmp_path, faces)
    columns = {
        "target": ["Anna"] * 5,
        "source": ["Bert", "Carl", "Dora", "Emil", "Fred"],
        "row": range(5, 10),
        "seed": np.array([LARGE, LARGE + 1, 1, 2, 3], dtype=np.uint64),
        "agreement": [0.8, np.nan, 0.9, 0.1, 0.8],
        "params": [json.dumps({"edits": [{"name": name}]}) for name in ("smile", "hair", "smile", "hair", "")],
        "ita": [10.0, 20.0, 30.0, np.nan, 50.0],
        "note": ["good", "", "bad", "good", ""],
        "mean": np.zeros((5, 3)),
    }
    path = folder / shard_name(1)
    path.unlink()
    config = {"targets": {"title": "T"}, "sources": {"title": "S"}}
    pictures = faces.images[5:], faces.labels[5:]
    write_shard(path, *pictures, columns, number=1, scheme=HELEN_11, generator="g", config=config)
    return RowFinder(ShardReader(folder))


def _found(finder, conditions="", **wanted):
    return finder.find(Wanted(conditions=parse_conditions(conditions), **wanted)).tolist()


def test_names_agreement_and_everything(finder):
    assert _found(finder) == list(range(10))
    assert _found(finder, target="ANN") == [5, 6, 7, 8, 9]
    assert _found(finder, target="anna", source="r") == [5, 6, 7, 9]
    assert _found(finder, agreement=(0.8, None)) == [5, 7, 9]  # 0.8 of the column's 32 bits; the unmeasured one is out
    assert _found(finder, agreement=(None, 0.15)) == [0, 1, 8]
    assert _found(finder, agreement=(0.1, 0.2)) == [1, 2, 8]


@pytest.mark.parametrize(
    ("conditions", "rows"),
    [
        ("ita > 15, ita<=30", [6, 7]),
        ("ita != 10", [6, 7, 9]),  # unknown is neither 10 nor another number
        ("note = good", [5, 8]),
        ("note != good, note ~ a", [7]),
        ("params ~ SMILE", [5, 7]),
        (f"seed = {LARGE + 1}", [6]),
        ("row >= 7.5", [8, 9]),
        ("target_male = 1", [0, 1, 2, 3, 4]),
        (" , source ~ dora ,", [7]),
    ],
)
def test_conditions_on_any_column(finder, conditions, rows):
    assert _found(finder, conditions) == rows


def test_classes_are_those_of_the_masks(finder):
    labels = noise_faces(10, 16).labels
    for classes in ((3,), (0, 10), (1, 2, 9)):
        rows = [row for row in range(10) if all((labels[row] == label).any() for label in classes)]
        assert _found(finder, classes=classes) == rows
        assert _found(finder, classes=classes, target="anna") == [row for row in rows if row > 4]


@pytest.mark.parametrize(
    ("conditions", "told"),
    [
        ("itta > 3", "condition itta > 3: no such column; there are target, source"),
        ("ita", "condition 'ita': unknown; write for example"),
        ("ita > much", "condition ita > much: ita is a number, 'much' is none"),
        ("ita ~ 3", "condition ita ~ 3: ita is a number; use one of"),
        ("note < 3", "condition note < 3: note is text; use =, != or ~"),
        ("mean < 3", "condition mean < 3: mean has several values a row"),
    ],
)
def test_conditions_that_cannot_hold_are_one_line(finder, conditions, told):
    with pytest.raises(ConfigError, match=told) as raised:
        _found(finder, conditions)
    assert "\n" not in str(raised.value)


def test_a_class_that_is_not_there(finder):
    with pytest.raises(ConfigError, match="class 11: helen-11 has 0 to 10"):
        _found(finder, classes=(11,))
