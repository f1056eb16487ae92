import shutil

import numpy as np

from faceaug.export.check import open_graph


def test_a_parser_as_onnx(faceaug, trained, tmp_path):
    done = faceaug("export-model", trained.parser.parent, "--out", "made/parser.onnx", "--both-ways")
    assert done.code == 0, done.err
    first, check, speed = done.out.strip().splitlines()
    assert first.startswith("export-model: made/parser.onnx, ")
    assert first.endswith(" MiB, opset 18")
    assert "8 drawn faces by onnxruntime and torch: largest difference" in check
    assert "labels alike in" in check
    assert "ms a face with onnxruntime" in speed
    assert [path.name for path in (tmp_path / "made").iterdir()] == ["parser.onnx"]
    labels, confidence, _ = open_graph(tmp_path / "made" / "parser.onnx")({"photo": np.zeros((1, 40, 50, 3), np.uint8)})
    assert labels.shape == (1, 40, 50)
    assert 0 <= confidence[0] <= 1


def test_a_model_as_a_folder_and_its_publication(faceaug, trained, tmp_path):
    done = faceaug("export-model", trained.gan, "--out", "gan")
    assert done.out.startswith("export-model: gan; load it with faceaug.from_pretrained")
    for source in (trained.gan, trained.gan.parent, tmp_path / "gan"):
        out = faceaug("push", source, "me/gan", "--dry-run").out
        assert "push: would upload 3 files" in out
        assert "https://huggingface.co/me/gan" in out
        assert "  model.safetensors" in out
    shutil.copytree(tmp_path / "gan", tmp_path / "parser")
    for args, told in (
        (("gan", "--out", "x.onnx", "--both-ways"), "--both-ways: only parsers"),
        (("gan", "--out", "x", "--both-ways"), "--both-ways: only ONNX files have it"),
        (("gan", "--out", "parser"), "parser: is there already"),
        (("none", "--out", "x"), "none: no such weights file"),
        ((__file__, "--out", "x"), "not a whole safetensors file"),
    ):
        outcome = faceaug("export-model", *args)
        assert outcome.code == 2
        assert told in outcome.error
    assert not (tmp_path / "x").exists()
    assert "holds neither a model nor a finished set" in faceaug("push", tmp_path, "me/x", "--dry-run").error
