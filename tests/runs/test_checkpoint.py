import os

import pytest
import torch
from safetensors import SafetensorError
from safetensors.torch import save_file

from faceaug.errors import CheckpointMismatch, OutputError
from faceaug.runs import checkpoint
from faceaug.runs.checkpoint import content_hash, load_checkpoint, load_state, load_weights, save_checkpoint, save_weights


def test_weights_round_trip(tmp_path):
    path = tmp_path / "w.safetensors"
    tensors = {"a": torch.randn(3, 4).t(), "b": torch.arange(3)}
    save_weights(path, tensors, kind="parser", config={"x": [1, "two"]})
    found, config = load_weights(path, kind="parser")
    assert config == {"x": [1, "two"]}
    assert all(torch.equal(found[name], tensors[name]) for name in tensors)


def test_other_kinds_and_foreign_files_are_refused(tmp_path):
    path = tmp_path / "w.safetensors"
    save_weights(path, {"a": torch.zeros(1)}, kind="parser", config={})
    with pytest.raises(CheckpointMismatch, match=r"kind is 'parser', needed 'gan'"):
        load_weights(path, kind="gan")
    save_file({"a": torch.zeros(1)}, path)
    with pytest.raises(CheckpointMismatch, match="faceaug_format is 'nothing'"):
        load_weights(path, kind="gan")
    with pytest.raises(CheckpointMismatch, match="no such weights file"):
        load_weights(tmp_path / "none", kind="gan")


def test_every_truncation_is_refused(tmp_path):
    path = tmp_path / "w.safetensors"
    save_weights(path, {"a": torch.zeros(100)}, kind="gan", config={})
    whole = path.read_bytes()
    for length in (0, 4, 20, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:length])
        with pytest.raises(CheckpointMismatch, match=r"w\.safetensors"):
            load_weights(path, kind="gan")


def test_checkpoints_execute_nothing(tmp_path):
    class Evil:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "executed"),)

    path = tmp_path / "checkpoint.pt"
    torch.save({"config": {}, "evil": Evil()}, path)
    with pytest.raises(CheckpointMismatch, match=r"checkpoint\.pt"):
        load_checkpoint(path, config={})
    assert not (tmp_path / "executed").exists()


def test_checkpoints_know_their_settings(tmp_path):
    path = tmp_path / "checkpoint.pt"
    assert load_checkpoint(path, config={}) is None
    save_checkpoint(path, {"config": {"a": 1, "b": 2}, "step": 3})
    assert load_checkpoint(path, config={"a": 1, "b": 2})["step"] == 3
    with pytest.raises(CheckpointMismatch, match=r"other settings \(b\)"):
        load_checkpoint(path, config={"a": 1, "b": 3})
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(CheckpointMismatch, match="not a whole checkpoint"):
        load_checkpoint(path, config={"a": 1, "b": 2})


def test_weights_that_do_not_fit_are_refused_in_one_line(tmp_path):
    with pytest.raises(CheckpointMismatch, match="do not fit") as caught:
        load_state(torch.nn.Linear(2, 2), {"weight": torch.zeros(3, 3), "bias": torch.zeros(2)}, tmp_path / "w")
    assert "\n" not in str(caught.value)


def test_a_networks_hash_is_that_of_its_content(tmp_path):
    tensors = {"b": torch.arange(6.0).reshape(2, 3), "a": torch.ones(2, dtype=torch.int64)}
    found = content_hash(tensors, {"size": 64})
    save_weights(tmp_path / "w.safetensors", tensors, kind="parser", config={})
    again, _ = load_weights(tmp_path / "w.safetensors", kind="parser")
    assert content_hash(again, {"size": 64}) == found
    others = [content_hash(tensors, {"size": 128}), content_hash({**tensors, "b": tensors["b"].T.contiguous()}, {"size": 64})]
    others.append(content_hash({**tensors, "a": tensors["a"] + 1}, {"size": 64}))
    assert len({found, *others}) == 4


def test_damaged_checkpoints_are_one_line_whatever_unpickling_makes_of_them(tmp_path):
    path = tmp_path / "checkpoint.pt"
    torch.save([1], path)
    listed = path.read_bytes()
    for content in (b"", b"hello", b"\x80\x02h", listed):
        path.write_bytes(content)
        with pytest.raises(CheckpointMismatch, match=r"checkpoint\.pt: not a whole checkpoint \(.+\); delete it") as caught:
            load_checkpoint(path, config={})
        assert "\n" not in str(caught.value)


def test_weights_without_a_configuration_are_refused(tmp_path):
    path = tmp_path / "w.safetensors"
    for more in ({}, {"config": "{"}, {"config": "3"}):
        save_file({"a": torch.zeros(1)}, path, metadata={"faceaug_format": "1", "kind": "gan", **more})
        with pytest.raises(CheckpointMismatch, match="has no configuration"):
            load_weights(path, kind="gan")


@pytest.mark.parametrize("name", ["save_file", "save"])
def test_a_full_disk_is_told_in_one_line_though_the_writers_raise_errors_of_their_own(tmp_path, monkeypatch, name):
    def full(_, path, **__):
        path.write_bytes(b"half")
        raise SafetensorError("I/O error") if name == "save_file" else RuntimeError("[enforce fail]\nunexpected pos")

    monkeypatch.setattr(checkpoint if name == "save_file" else torch, name, full)
    with pytest.raises(OutputError, match=r"cannot be written \((I/O error|\[enforce fail\] unexpected pos)\); free some space"):
        if name == "save":
            save_checkpoint(tmp_path / "w", {})
        else:
            save_weights(tmp_path / "w", {"a": torch.zeros(1)}, kind="gan", config={})
    assert not list(tmp_path.iterdir())


def test_what_may_not_be_read_is_not_called_damaged(tmp_path, monkeypatch):
    (tmp_path / "w").touch()

    def forbidden(*_, **__):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(type(tmp_path), "open", forbidden)
    for load in (lambda: load_weights(tmp_path / "w", kind="gan"), lambda: load_checkpoint(tmp_path / "w", config={})):
        with pytest.raises(CheckpointMismatch, match=r"w: cannot be read \(Permission denied\)"):
            load()
