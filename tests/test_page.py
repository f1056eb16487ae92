import numpy as np

from faceaug.images import write_png
from faceaug.page import Section, write_page


def test_everything_is_inside_the_page_and_texts_are_escaped(tmp_path):
    write_png(tmp_path / "p.png", np.zeros((4, 4, 3), np.uint8))
    sections = [Section("One < two", ["a & b"], [tmp_path / "p.png"], [["x", "y"], ["1", "<2>"]], "run --it")]
    write_page(tmp_path / "index.html", "T", sections)
    text = (tmp_path / "index.html").read_text()
    for part in ("One &lt; two", "a &amp; b", "data:image/png;base64,", "<td>&lt;2&gt;</td>", "<pre>run --it</pre>"):
        assert part in text
    assert "http" not in text
