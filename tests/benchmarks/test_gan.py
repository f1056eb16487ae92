import dataclasses
import json

import pytest
from faceaug.benchmarks import gan as module
from faceaug.benchmarks.gan import RECIPE_ROWS, VARIANT_ROWS, GanBench, Material, Row, bench_gan, choose_rows
from faceaug.benchmarks.gan_report import SCORES, markdown, summarise
from faceaug.datasets.celeba import CelebA
from small import GENERATOR

from faceaug.errors import CheckpointMismatch, ConfigError
from faceaug.evaluate.run import EvaluateConfig
from faceaug.gan.config import VARIANTS as SYSTEMS
from faceaug.gan.config import GeneratorConfig, TrainingConfig
from faceaug.parser.predict import load_parser, predict_labels
from faceaug.prepare.faces import align

ROWS = (Row("ours"), Row("global without parsing", {"variant": "global"}, {"lambda_gp": 0.0}))
TRAINING = TrainingConfig(images=400, batch=4, discriminator="patch")


@pytest.fixture(scope="module")
def material(trained, drawn, faces, compute):
    parser = load_parser(trained.parser, compute)
    photos = align(CelebA(drawn / "celeba"), size=64).select(range(8))
    sources = photos.with_labels(predict_labels(parser, photos.images))
    # Evaluation refuses the P_F of the training as judge by its file; here it is one file under two names.
    judge = type(parser)(parser.network, parser.config, parser.record, "another", parser.compute)
    return Material(faces, faces.select([0, 1, 2]), sources, faces, parser, judge)


def _run(folder, material, seeds=1, **changes):
    bench = GanBench(images=8, seeds=seeds, evaluation=EvaluateConfig(per_mask=2, rounds=10, steps=4))
    return bench_gan(folder, changes.get("rows", ROWS), material, GENERATOR, TRAINING, bench, record={})


def test_rows_differ_in_what_they_say_alone_and_a_resumed_comparison_trains_only_what_is_missing(material, tmp_path, monkeypatch):
    results = _run(tmp_path, material)
    assert [(cell["row"], cell["seed"]) for cell in results["cells"]] == [(row.name, 0) for row in ROWS]
    configs = {path.parent.name: json.loads(path.read_text()) for path in tmp_path.glob("cells/*/config.json")}
    assert len(configs) == 2
    ours, other = (configs[f"{name}-seed0"] for name in ("ours", "global-without-parsing"))
    assert {key for key in ours["generator"] if ours["generator"][key] != other["generator"][key]} == {"variant"}
    assert {key for key in ours["training"] if ours["training"][key] != other["training"][key]} == {"lambda_gp"}
    assert ours["training"]["images"] == 8
    assert {"results.json", "table.md", "scores.png", "faces.png"} <= {path.name for path in tmp_path.iterdir()}
    assert "| ours |" in (tmp_path / "table.md").read_text()

    for name in ("cell.json", "weights.safetensors", "checkpoint.pt"):
        (tmp_path / "cells" / "ours-seed0" / name).unlink()
    fit, trained = module.fit_gan, []
    monkeypatch.setattr(module, "fit_gan", lambda run, *a, **k: trained.append(run.name) or fit(run, *a, **k))
    again = _run(tmp_path, material)
    assert trained == ["ours-seed0"]
    assert [cell["scores"] for cell in again["cells"]] == [cell["scores"] for cell in results["cells"]]


def test_other_settings_are_refused(material, tmp_path):
    (tmp_path / "config.json").write_text("{}")
    (tmp_path / "cells").mkdir()
    with pytest.raises(CheckpointMismatch, match="other settings"):
        _run(tmp_path, material)
    with pytest.raises(ConfigError, match=r"--images 0.*--seeds 0"):
        GanBench(images=0, seeds=0)


def test_the_papers_comparisons_are_all_there():
    assert {row.generator.get("variant", "full") for row in VARIANT_ROWS} == set(SYSTEMS)
    assert [row.training for row in VARIANT_ROWS if row.training] == [{"lambda_gp": 0.0}]


def test_rows_are_chosen_by_name():
    assert choose_rows("variants", None) == VARIANT_ROWS
    assert [row.name for row in choose_rows("variants", "setting 1, pix")] == ["setting 1 (global)", "pix2pixHD"]
    assert len({row.name for row in RECIPE_ROWS}) == len(RECIPE_ROWS)
    assert not any("," in row.name for row in (*VARIANT_ROWS, *RECIPE_ROWS))  # --only splits there
    for row in RECIPE_ROWS:
        dataclasses.replace(TRAINING, **row.training)  # all are real settings
        dataclasses.replace(GeneratorConfig(size=64), **row.generator)
    assert [row.name for row in choose_rows("recipes", "default, bare eyes")] == ["default", "bare eyes"]
    with pytest.raises(ConfigError, match="--rows all: unknown; use variants, recipes"):
        choose_rows("all", None)
    with pytest.raises(ConfigError, match="--only vae: no row has that in its name; rows are ours; setting 2"):
        choose_rows("variants", "vae")


def _cell(row, seed, fid, agreement=0.9):
    other = {"value": agreement, "low": agreement, "high": agreement}
    keys = [key for key in SCORES if key != "FID-EffLite0"]
    return {"row": row, "seed": seed, "scores": {"FID-EffLite0": {"value": fid}, **dict.fromkeys(keys, other)}}


def test_the_order_of_the_rows_is_compared_between_seeds():
    same = summarise([_cell("a", 0, 1.0), _cell("b", 0, 2.0), _cell("a", 1, 3.0), _cell("b", 1, 4.0)], ["a", "b"])
    assert same["orders"]["FID-EffLite0"] == {"best_first": [["a", "b"], ["a", "b"]], "same_for_all_seeds": True}
    assert same["rows"]["a"]["FID-EffLite0"]["mean"] == 2.0
    other = summarise([_cell("a", 0, 1.0), _cell("b", 0, 2.0), _cell("a", 1, 5.0), _cell("b", 1, 4.0)], ["a", "b"])
    assert not other["orders"]["FID-EffLite0"]["same_for_all_seeds"]


def _results(seeds):
    rows = ["a", "b"]
    cells = [_cell(row, seed, fid) for seed in range(seeds) for row, fid in zip(rows, (1.0, 2.0), strict=True)]
    for cell in cells:
        cell["scores"]["FID-EffLite0"] |= {"low": 0.0, "high": 9.0}
    bench = {"images": 8, "seeds": seeds, "evaluation": {"per_mask": 2}}
    return {"data": "faces", "bench": bench, "faces": {"targets": 3}, "summary": summarise(cells, rows), "cells": cells}


def test_one_seed_does_not_agree_with_itself():
    assert "FID-EffLite0: best first: a, b" in markdown(_results(1))
    assert "FID-EffLite0: the order is the same for all seeds; best first: a, b" in markdown(_results(2))
