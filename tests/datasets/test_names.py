from pathlib import Path

import pytest
from faceaug.datasets.names import LABELLED, UNLABELLED, data_root, licence_of, open_labelled, open_photos, resolve

from faceaug.errors import ConfigError, DatasetDamaged


def test_names_folders_and_options(tmp_path):
    assert resolve("helen", Path("root")) == ("helen", Path("root/helen"), "")
    assert resolve("celeba:/a/b", Path("root")) == ("celeba", Path("/a/b"), "")
    assert resolve("celeba:/a/b@partial", Path("root")) == ("celeba", Path("/a/b"), "partial")
    assert resolve("celeba@partial", Path("root")) == ("celeba", Path("root/celeba"), "partial")
    assert resolve("folder:/a/b@/c/d.toml", Path("root")) == ("folder", Path("/a/b"), "/c/d.toml")
    (tmp_path / "me@home").mkdir()
    assert resolve(f"folder:{tmp_path}/me@home", Path("root")) == ("folder", tmp_path / "me@home", "")
    assert resolve(f"folder:{tmp_path}/me@home@helen-11", Path("root")) == ("folder", tmp_path / "me@home", "helen-11")
    with pytest.raises(ConfigError, match=r"'portraits': unknown; .* helen, helenstar, .* celeba, photos"):
        resolve("portraits", Path("root"))
    with pytest.raises(ConfigError, match="'helen:/a@helen-11': has no option helen-11"):
        resolve("helen:/a@helen-11", Path("root"))


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
    assert open_photos("celeba", size=64, root=drawn, cache=None, limit=5).labels is None
    assert open_photos("helen", size=64, root=drawn, cache=None).labels is not None


def test_licences_are_those_of_the_published_set_or_of_what_lies_there(drawn, tmp_path):
    for name in (*LABELLED, *UNLABELLED):
        assert len(licence_of(f"{name}:{tmp_path}", tmp_path)) > 5
    assert licence_of("helen", drawn) == "MIT (drawn by faceaug)"
    assert licence_of("helen", tmp_path) == "non-commercial research"
    assert licence_of(f"folder:{tmp_path}@helen-11", tmp_path) == "unknown; the user's own"
    (tmp_path / "faceaug.json").write_text('{"title": "generated", "licences": ["a", "b"]}')
    assert licence_of(f"folder:{tmp_path}", tmp_path) == "a; b"
    (tmp_path / "faceaug.json").write_text("{")
    with pytest.raises(DatasetDamaged, match=r"faceaug\.json: must be JSON"):
        licence_of(f"folder:{tmp_path}", tmp_path)
