import json
import sys

import pytest
from sets import write_set

from faceaug.errors import ConfigError, OutputError
from faceaug.shards.push import push


def test_a_set_is_uploaded_with_its_card(tmp_path, hub):
    write_set(tmp_path, [2, 3])
    (tmp_path / "faces.png").write_bytes(b"x")
    (tmp_path / "gender.json").write_text("{}")
    pushed = push(tmp_path, "me/faces-64", private=True)
    (args, named), upload = hub.calls
    assert args == ("me/faces-64",)
    assert named == {"repo_type": "dataset", "private": True, "exist_ok": True}
    assert upload["repo_id"] == "me/faces-64"
    wanted = {"README.md", "croissant.json", "complete.json", "faces.png", "shard-00000.h5", "shard-00001.h5"}
    assert set(upload["allow_patterns"]) == set(pushed.files) == wanted
    assert pushed.size == sum((tmp_path / name).stat().st_size for name in pushed.files)
    assert json.loads((tmp_path / "croissant.json").read_text())["url"] == "https://huggingface.co/datasets/me/faces-64"
    assert "faces-64" in (tmp_path / "README.md").read_text()
    (tmp_path / "README.md").write_text("edited")
    push(tmp_path, "me/faces-64")
    assert (tmp_path / "README.md").read_text() == "edited"


def test_a_dry_run_writes_and_sends_nothing(tmp_path, hub):
    write_set(tmp_path, [2])
    before = sorted(path.name for path in tmp_path.iterdir())
    assert "shard-00000.h5" in push(tmp_path, "me/faces", dry_run=True).files
    assert hub.calls == []
    assert sorted(path.name for path in tmp_path.iterdir()) == before


def test_a_damaged_set_is_not_published(tmp_path, hub):
    write_set(tmp_path, [2])
    path = tmp_path / "shard-00000.h5"
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    with pytest.raises(ConfigError, match=r"shard-00000\.h5: has other bytes"):
        push(tmp_path, "me/faces", dry_run=True)
    assert hub.calls == []


@pytest.mark.parametrize("name", ["faces", "me/a/b", "me/ü", "", "me/fa ces", "/x"])
def test_names_that_are_none(tmp_path, name):
    write_set(tmp_path, [2])
    with pytest.raises(ConfigError, match="must be OWNER/NAME"):
        push(tmp_path, name)


def test_what_is_missing_is_one_line(tmp_path, hub, monkeypatch):
    write_set(tmp_path, [2])
    with monkeypatch.context() as patch:
        patch.setattr("huggingface_hub.get_token", lambda: None)
        with pytest.raises(ConfigError, match="no access token; run `hf auth login`, or set HF_TOKEN"):
            push(tmp_path, "me/faces")
    with monkeypatch.context() as patch:
        patch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
        with pytest.raises(ConfigError, match="HF_HUB_OFFLINE is set"):
            push(tmp_path, "me/faces")
    with monkeypatch.context() as patch:
        patch.setitem(sys.modules, "huggingface_hub", None)
        with pytest.raises(ConfigError, match=r"pip install 'faceaug\[push\]'"):
            push(tmp_path, "me/faces")
    hub.error = RuntimeError("403 Forbidden:\n you may not write")
    with pytest.raises(OutputError, match=r"^me/faces: cannot be uploaded \(403 Forbidden: you may not write\); mend"):
        push(tmp_path, "me/faces")
