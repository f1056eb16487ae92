import pandas as pd
import pytest
from faceaug.benchmarks.tables import markdown_table, spread


def test_spread_is_students_interval():
    found = spread([1.0, 2.0, 3.0])
    assert found["mean"] == 2.0
    assert found["sd"] == 1.0
    assert found["half_width_95"] == pytest.approx(4.30 / 3**0.5, abs=1e-3)
    assert spread([5.0]) == {"mean": 5.0, "sd": None, "half_width_95": None, "n": 1}


def test_a_table_has_a_line_for_each_row():
    text = markdown_table(pd.DataFrame({"a": [1, 2]}, index=["x", "y"]))
    assert text.splitlines() == ["| | a |", "|---|---|", "| x | 1 |", "| y | 2 |"]
