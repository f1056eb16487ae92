import pytest

from faceaug.errors import CheckpointMismatch, ConfigError, OutputError
from faceaug.export.hub import FILES, save_pretrained
from faceaug.export.push import push_model


def test_a_run_is_uploaded_as_a_folder_with_its_card(trained, hub, monkeypatch):
    cards = []
    upload = hub.upload_folder
    monkeypatch.setattr(
        hub, "upload_folder", lambda **named: (cards.append((named["folder_path"] / "README.md").read_text()), upload(**named))
    )
    before = sorted(trained.parser.parent.iterdir())
    pushed = push_model(trained.parser.parent, "me/parser-64", private=True)
    (args, named), sent = hub.calls
    assert args == ("me/parser-64",)
    assert named == {"repo_type": "model", "private": True, "exist_ok": True}
    assert sent["repo_id"] == "me/parser-64"
    assert sent["allow_patterns"] == list(pushed.files) == list(FILES)
    assert pushed.url == "https://huggingface.co/me/parser-64"
    assert pushed.size > trained.parser.stat().st_size
    assert "# parser-64\n" in cards[0]
    assert 'from_pretrained("me/parser-64")' in cards[0]
    assert sorted(trained.parser.parent.iterdir()) == before
    assert not sent["folder_path"].exists()  # it was written aside


def test_a_folder_is_uploaded_as_it_is_with_its_graphs(trained, hub, tmp_path):
    folder = save_pretrained(trained.gan, tmp_path / "gan")
    (folder / "README.md").write_text("edited")
    for name in ("gan-encode.onnx", "gan-generate.onnx", "notes.txt"):
        (folder / name).write_text(name)
    pushed = push_model(folder, "me/gan", dry_run=True)
    assert pushed.files == (*FILES, "gan-encode.onnx", "gan-generate.onnx")
    assert hub.calls == []
    assert push_model(folder, "me/gan") == pushed
    assert hub.calls[1]["folder_path"] == folder
    assert (folder / "README.md").read_text() == "edited"
    (folder / "README.md").unlink()
    push_model(folder, "me/gan")
    assert "# gan\n" in (folder / "README.md").read_text()


def test_what_is_wrong_is_not_published(trained, hub, tmp_path):
    folder = save_pretrained(trained.parser, tmp_path / "parser")
    whole = (folder / "model.safetensors").read_bytes()
    (folder / "model.safetensors").write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    with pytest.raises(CheckpointMismatch, match="is not the model that"):
        push_model(folder, "me/parser")
    with pytest.raises(ConfigError, match="must be OWNER/NAME"):
        push_model(folder, "parser")
    with pytest.raises(CheckpointMismatch, match="no such weights file"):
        push_model(tmp_path / "none", "me/parser")
    assert hub.calls == []
    hub.error = RuntimeError("403 Forbidden")
    with pytest.raises(OutputError, match=r"^me/parser: cannot be uploaded \(403 Forbidden\)"):
        push_model(trained.parser, "me/parser")
