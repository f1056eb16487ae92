import dataclasses
import functools
import json
import re
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from faceaug.datasets.drawn.crops import drawn_faces
from small import GENERATOR, PARSER

from faceaug.errors import ConfigError, ExportFailed
from faceaug.export.check import LARGEST, in_scheme, open_graph
from faceaug.export.hub import save_pretrained
from faceaug.export.onnx import export_onnx
from faceaug.gan.inference import Generator
from faceaug.gan.variants import build_generator
from faceaug.labels import HELEN_11, SCHEMES, fill_ignored
from faceaug.parser.confidence import expected_f1
from faceaug.parser.network import build_parser
from faceaug.parser.predict import Parser, predict_both_ways, predict_labels, predict_logits
from faceaug.tensors import to_float

DRAWN = functools.cache(lambda size: drawn_faces(4, size=size, seed=3))


def _parser(config, compute, seed=0):
    torch.manual_seed(seed)
    network = compute.module(build_parser(config, weights=False)).eval().requires_grad_(False)
    return Parser(network, config, {}, f"hash {seed}", compute)


def _generator(config, compute):
    torch.manual_seed(0)
    return Generator(compute.module(build_generator(config)).eval().requires_grad_(False), config, {}, "hash", compute)


def _photos(*shape):
    return np.random.default_rng(0).integers(0, 256, (*shape, 3), dtype=np.uint8)


@pytest.fixture(scope="module")
def parser(compute, tmp_path_factory):
    """The smallest parser and its file."""
    model, path = _parser(PARSER, compute), tmp_path_factory.mktemp("parser") / "parser.onnx"
    export_onnx(model, path, drawn=DRAWN)
    return model, path


def _check_parser(model, path, *, both_ways=False):
    run = open_graph(path)
    for shape in ((3, 64, 64), (1, 100, 100), (2, 40, 72), (2, 72, 64)):
        photos = _photos(*shape)
        images = to_float(photos)
        likely = predict_both_ways(model, images) if both_ways else predict_logits(model, images).softmax(1)
        labels, confidence, scores = run({"photo": photos})
        assert labels.shape == shape
        assert labels.dtype == np.uint8
        assert np.allclose(scores, likely if both_ways else predict_logits(model, images), atol=LARGEST)
        assert np.allclose(confidence, expected_f1(likely), atol=1e-3)
        assert (labels == likely.argmax(1).numpy()).mean() > 0.999
    alone = [run({"photo": photos[i : i + 1]}) for i in range(len(photos))]
    assert np.allclose(np.concatenate([one[2] for one in alone]), scores, atol=1e-4)


def test_a_parser(parser):
    model, path = parser
    _check_parser(model, path)
    photos = _photos(2, 64, 64)
    assert (open_graph(path)({"photo": photos})[0] == predict_labels(model, photos)).mean() > 0.999


@pytest.mark.parametrize(
    ("shape", "both_ways"),
    [
        ({"architecture": "fpn", "encoder": "resnet18"}, True),
        ({"encoder": "efficientnet-lite0", "size": 128, "decoder": (8,) * 5}, False),
    ],
)
def test_other_parsers(shape, both_ways, compute, tmp_path):
    model, path = _parser(dataclasses.replace(PARSER, **shape), compute), tmp_path / "parser.onnx"
    checked = export_onnx(model, path, drawn=DRAWN, both_ways=both_ways).checked
    assert checked.faces == 4
    assert checked.difference < LARGEST
    assert min(checked.milliseconds) > 0
    _check_parser(model, path, both_ways=both_ways)
    if both_ways:  # a mirrored photo has the mirrored label map
        photos = _photos(2, 64, 64)
        (labels, *_), (mirrored, *_) = (open_graph(path)({"photo": some}) for some in (photos, photos[:, :, ::-1].copy()))
        assert (HELEN_11.flip(mirrored) == labels).mean() > 0.999


GENERATORS = {
    "full": {},
    "global": {"variant": "global"},
    "pix2pixhd": {"variant": "pix2pixhd"},
}


@pytest.fixture(scope="module", params=GENERATORS)
def generator(request, compute, tmp_path_factory):
    """Each generator that has a graph, and its two graphs."""
    model = _generator(dataclasses.replace(GENERATOR, **GENERATORS[request.param]), compute)
    folder = tmp_path_factory.mktemp("generator")
    exported = export_onnx(model, folder / "g.onnx", drawn=DRAWN)
    assert list(exported.files) == [folder / "g-encode.onnx", folder / "g-generate.onnx"]
    assert sorted(folder.iterdir()) == list(exported.files)
    assert exported.files == {path: path.stat().st_size for path in folder.iterdir()}
    return model, list(exported.files)


def _inputs(model, codes, sources, targets):
    found = {"codes": codes, "target": targets[0], "target_labels": targets[1]}
    pixels = model.config.texture and model.config.variant == "full"
    return found | ({"source": sources[0], "source_labels": sources[1]} if pixels else {})


def test_a_generator(generator):
    model, (encode, generate) = generator[0], map(open_graph, generator[1])
    faces = DRAWN(64)
    photos, labels = faces.images, fill_ignored(faces.labels)
    sources = photos[[2, 0, 3, 1]], labels[[2, 0, 3, 1]]
    look = model.encode(*sources)
    (codes,) = encode({"source": sources[0], "source_labels": sources[1]})
    assert np.allclose(codes, look.codes, atol=1e-5)
    photo, pixels = generate(_inputs(model, codes, sources, (photos, labels)))
    wanted = model.generate(look, photos, labels)
    assert np.abs(photo.astype(int) - wanted).max() <= 1
    assert (photo == wanted).mean() > 0.999
    # One source, for as many targets as there are, is as each alone.
    first = [array[:1] for array in sources]
    many = generate(_inputs(model, codes[[0] * 4], [one.repeat(4, 0) for one in first], (photos, labels)))[1]
    alone = [generate(_inputs(model, codes[:1], first, (photos[i : i + 1], labels[i : i + 1])))[1] for i in range(4)]
    assert np.allclose(np.concatenate(alone), many, atol=1e-4)
    assert np.allclose(many[0], pixels[0], atol=1e-4)
    # What has no label is kept.
    unknown = labels.copy()
    unknown[:, 20:40, 20:40] = 255
    kept = generate(_inputs(model, codes, sources, (photos, unknown)))[0]
    assert np.array_equal(kept, generate(_inputs(model, codes, sources, (photos, np.where(unknown == 255, 0, unknown))))[0])


@pytest.mark.parametrize("generator", ["full"], indirect=True)
def test_the_readmes_examples_run(parser, generator, trained, tmp_path, monkeypatch):
    text = (Path(__file__).resolve().parents[2] / "README.md").read_text()
    section = re.search(r"## Models that travel\n(.*?)\n## ", text, re.S).group(1)
    blocks = re.findall(r"```python\n(.*?)```", section, re.S)
    assert len(blocks) == 2
    for path, name in zip([parser[1], *generator[1]], ("parser.onnx", "gan-encode.onnx", "gan-generate.onnx"), strict=True):
        (tmp_path / name).symlink_to(path)
    save_pretrained(trained.gan, tmp_path / "my-gan")
    monkeypatch.chdir(tmp_path)
    photos = DRAWN(64).images
    known = {"photos": photos, "targets": photos[::-1].copy(), "target_labels": fill_ignored(DRAWN(64).labels)[::-1].copy()}
    for block in blocks:
        exec(compile(block, "README.md", "exec"), known)
        assert known.pop("faces").shape == photos.shape


def test_files_say_what_they_are(parser, tmp_path):
    told = {one.key: one.value for one in onnx.load(parser[1]).metadata_props}
    scheme = json.loads(told["scheme"])
    assert scheme["classes"] == list(HELEN_11.classes)
    wanted = {"kind": "parser", "graph": "parser", "weights": "hash 0", "size": "64", "opset": "18", "both_ways": "false"}
    assert wanted.items() <= told.items()
    assert "ai_generated" not in told


def test_what_has_no_graph_is_refused_in_one_line(compute, tmp_path, monkeypatch):
    noise = _generator(dataclasses.replace(GENERATOR, variant="bicyclegan"), compute)
    with pytest.raises(ExportFailed, match="bicyclegan draws its codes by torch's random numbers"):
        export_onnx(noise, tmp_path / "g.onnx", drawn=DRAWN)
    with pytest.raises(ConfigError, match="--both-ways: only parsers"):
        export_onnx(noise, tmp_path / "g.onnx", drawn=DRAWN, both_ways=True)
    for name in ("onnx", "onnxscript", "onnxruntime"):
        with monkeypatch.context() as patch:
            patch.setitem(sys.modules, name, None)
            with pytest.raises(ConfigError, match=rf"needs the package {name}; pip install 'faceaug\[onnx\]'"):
                export_onnx(noise, tmp_path / "g.onnx", drawn=DRAWN)
    monkeypatch.setattr(torch.export, "export", lambda *_, **__: torch.nonsense)
    with pytest.raises(ExportFailed, match="torch makes no graph of it"):
        export_onnx(_parser(PARSER, compute), tmp_path / "p.onnx", drawn=DRAWN)
    assert not list(tmp_path.iterdir())


def test_a_graph_that_computes_something_else_is_not_kept(parser, compute, tmp_path, monkeypatch):
    monkeypatch.setattr("faceaug.export.onnx._traced", lambda *_: onnx.load(parser[1]))
    with pytest.raises(ExportFailed, match=r"results differ from torch's by .* nothing was written"):
        export_onnx(_parser(PARSER, compute, seed=1), tmp_path / "p.onnx", drawn=DRAWN)
    assert not list(tmp_path.iterdir())
    monkeypatch.setattr("faceaug.export.onnx._LARGEST_FILE", 1000)
    with pytest.raises(ExportFailed, match="fits no ONNX file"):
        export_onnx(parser[0], tmp_path / "p.onnx", drawn=DRAWN)
    assert not list(tmp_path.iterdir())


def test_neither_graph_of_a_generator_is_kept_where_one_is_wrong(generator, tmp_path, monkeypatch):
    model, (encode, generate) = generator[0], map(open_graph, generator[1])
    monkeypatch.setattr("faceaug.export.onnx._traced", lambda *_: onnx.ModelProto())
    wrong = [encode, lambda inputs: [one + np.ones((), one.dtype) for one in generate(inputs)]]
    monkeypatch.setattr("faceaug.export.onnx.open_graph", lambda _: wrong.pop(0))
    with pytest.raises(ExportFailed, match="results differ"):
        export_onnx(model, tmp_path / "g.onnx", drawn=DRAWN)
    assert not wrong
    assert not list(tmp_path.iterdir())


def test_a_damaged_file_is_refused(parser, tmp_path):
    path = tmp_path / "p.onnx"
    path.write_bytes(parser[1].read_bytes()[:-500])
    with pytest.raises(ExportFailed, match="onnxruntime refuses the graph"):
        open_graph(path)


@pytest.mark.parametrize("scheme", SCHEMES.values(), ids=lambda scheme: scheme.name)
def test_drawn_label_maps_have_a_form_in_every_scheme(scheme):
    labels = fill_ignored(DRAWN(64).labels)
    found = in_scheme(labels, scheme)
    assert np.array_equal(scheme.anatomy(found) == 0, labels == 0)
    assert found.max() < len(scheme)
    if len(scheme) == len(HELEN_11):
        assert np.array_equal(found, labels)
