import json

import pytest
from faceaug.benchmarks import discriminators as module
from faceaug.benchmarks.discriminators import ROWS, DiscriminatorBench, bench_discriminators, table

from faceaug.errors import ConfigError
from faceaug.gan.inference import load_generator


def test_every_discriminator_is_trained_on_the_same_faces(faces, trained, compute, tmp_path, monkeypatch):
    given = []
    judge = module.two_sample_auc
    monkeypatch.setattr(module, "two_sample_auc", lambda *a, **k: given.append(a[2]) or judge(*a, **k))
    bench = DiscriminatorBench(steps=2, masks=10, rounds=10)
    out = tmp_path / "out.json"
    result = bench_discriminators(out, faces, faces, load_generator(trained.gan, compute), bench, record={"weights": "w"})
    assert json.loads(out.read_text()) == json.loads(json.dumps(result))
    assert list(result["rows"]) == [row.name for row in ROWS] == list(table(result).index)
    assert all((images == given[0]).all() for images in given)
    assert len(given[0]) == 20
    for row in result["rows"].values():
        assert 0 <= row["low"] <= row["high"] <= 1.0
        assert len(row["losses"]) == 1


def test_limits():
    with pytest.raises(ConfigError, match=r"--steps 0.*--masks 3"):
        DiscriminatorBench(steps=0, masks=3)
