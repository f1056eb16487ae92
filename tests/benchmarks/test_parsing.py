import json

import pytest
from faceaug.benchmarks import parsing
from faceaug.benchmarks.parsing import GENERATED, SETTINGS, BenchConfig, bench_parsing
from faceaug.datasets.aligned import AlignedFaces
from small import PARSER

from faceaug.errors import CheckpointMismatch, ConfigError


def _run(folder, faces, noise, compute, **changes):
    few = faces.select([0, 1])
    config = BenchConfig(images=8, seeds=changes.pop("seeds", 2), batch=4, evaluations=1)
    return bench_parsing(
        folder, train=AlignedFaces(faces), tuning=AlignedFaces(few), testing=AlignedFaces(few), synthetic=AlignedFaces(noise(6)),
        parser=PARSER, config=config, compute=compute, record={"synthetic": "s"},
    )  # fmt: skip


def test_cells_differ_in_setting_and_seed_alone(faces, noise, compute, tmp_path):
    results = _run(tmp_path, faces, noise, compute)
    assert [(cell["setting"], cell["seed"]) for cell in results["cells"]] == [(s, seed) for seed in (0, 1) for s in SETTINGS]
    trainings = [cell["training"] for cell in results["cells"]]
    changing = {key for key in trainings[0] if len({str(training[key]) for training in trainings}) > 1}
    assert changing == {"augment", "synthetic_share", "seed"}
    assert [training["augment"] for training in trainings[:3]] == [False, True, True]
    assert [training["synthetic_share"] for training in trainings[:3]] == [0.0, 0.0, 0.3]
    for cell in results["cells"]:
        config = json.loads(
            (tmp_path / "cells" / f"{cell['setting'].replace(' + ', '-')}-seed{cell['seed']}" / "config.json").read_text()
        )
        assert config["parser"]["encoder"] == PARSER.encoder
    assert {"results.json", "table.md", "curves.png", "scores.png"} <= {path.name for path in tmp_path.iterdir()}


def test_a_resumed_benchmark_trains_only_what_is_missing(faces, noise, compute, tmp_path, monkeypatch):
    first = _run(tmp_path, faces, noise, compute, seeds=1)
    (tmp_path / "cells" / f"{GENERATED.replace(' + ', '-')}-seed0" / "cell.json").unlink()
    (tmp_path / "cells" / f"{GENERATED.replace(' + ', '-')}-seed0" / "weights.safetensors").unlink()
    fit, trained = parsing.fit_parser, []
    monkeypatch.setattr(parsing, "fit_parser", lambda run, *a, **k: trained.append(run.name) or fit(run, *a, **k))
    again = _run(tmp_path, faces, noise, compute, seeds=1)
    assert trained == ["real-generated-aug-seed0"]
    assert [cell["testing"] for cell in again["cells"]] == [cell["testing"] for cell in first["cells"]]


def test_other_settings_and_sizes_are_refused(faces, noise, compute, tmp_path):
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(CheckpointMismatch, match="other settings"):
        _run(tmp_path, faces, noise, compute)
    config = BenchConfig(images=8)
    with pytest.raises(CheckpointMismatch, match="generated faces are 128 px, real ones 64 px"):
        bench_parsing(
            tmp_path / "b", **dict.fromkeys(("train", "tuning", "testing"), AlignedFaces(faces)),
            synthetic=AlignedFaces(noise(2, 128)), parser=PARSER, config=config, compute=compute, record={},
        )  # fmt: skip
    with pytest.raises(ConfigError, match=r"--seeds 0.*--synthetic-share 0"):
        BenchConfig(images=8, seeds=0, synthetic_share=0)
