import sys

from small import noise_faces, write_set


def test_mistakes_are_one_line(faceaug, tmp_path):
    outcome = faceaug("web")
    assert outcome.code == 2
    assert "no finished run there; run `faceaug train-gan` first" in outcome.error
    outcome = faceaug("web", "--shards", "nowhere")
    assert outcome.code == 2
    assert "nowhere: no such folder of shards" in outcome.error
    folder = write_set(tmp_path / "set", noise_faces(4, 16))
    outcome = faceaug("web", "--shards", folder, "--dropped", folder / "lists")
    assert outcome.code == 2
    assert "is in the set" in outcome.error
    outcome = faceaug("web", "--shards", folder, "--host", "192.0.2.1")
    assert outcome.code == 2
    assert "editing: off, no GAN in runs/gan" in outcome.out
    assert "--host 192.0.2.1 --port 7860: cannot listen there" in outcome.error


def test_without_gradio_the_extra_is_named(faceaug, monkeypatch):
    monkeypatch.delitem(sys.modules, "faceaug.cli.web.app", raising=False)
    monkeypatch.setitem(sys.modules, "gradio", None)
    outcome = faceaug("web")
    assert outcome.code == 2
    assert "pip install 'faceaug[web]'" in outcome.error
