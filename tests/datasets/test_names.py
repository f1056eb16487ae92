from pathlib import Path

import pytest
from faceaug.datasets.names import data_root, open_labelled, open_photos, resolve

from faceaug.errors import ConfigError


def test_names_and_folders():
    assert resolve("helen", Path("root")) == ("helen", Path("root/helen"))
    assert resolve("celeba:/a/b", Path("root")) == ("celeba", Path("/a/b"))
    with pytest.raises(ConfigError, match=r"'lapa': unknown; .* helen, celeba"):
        resolve("lapa", Path("root"))


def test_the_data_root(monkeypatch):
    monkeypatch.delenv("FACEAUG_DATA", raising=False)
    assert data_root(None) == Path("data")
    monkeypatch.setenv("FACEAUG_DATA", "/env")
    assert data_root(None) == Path("/env")
    assert data_root(Path("given")) == Path("given")


def test_roles(drawn):
    assert len(open_labelled("helen", "train", size=64, root=drawn, cache=None, limit=3)) == 3
    with pytest.raises(ConfigError, match="no label maps"):
        open_labelled("celeba", "train", size=64, root=drawn, cache=None)
    with pytest.raises(ConfigError, match="no set of source photos"):
        open_photos("helen", size=64, root=drawn, cache=None)
