"""The commands one after the other in one folder, as a user runs them; small numbers, the real code."""

import json
import re
import shutil

import pytest
import torch
from sets import write_set

from faceaug.compute.device import Compute
from faceaug.parser.predict import load_parser
from faceaug.shards.reader import ShardReader

DRAW = ("draw", "--train", "16", "--tuning", "4", "--testing", "4", "--photos", "60")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("empty")


def _good(outcome):
    assert outcome.code == 0, outcome.err
    return outcome


def test_the_four_commands_find_each_others_results(faceaug, folder):
    # The defaults with their lengths cut down: everything else is what a user gets in an empty folder.
    _good(faceaug(*DRAW, cwd=folder))
    parser = _good(faceaug("train-parser", "--images", 32, cwd=folder))
    assert "drawn faces" in parser.out
    weights = next((folder / "runs" / "parser").glob("*/weights.safetensors"))
    gan = _good(faceaug("train-gan", "--preset", "tiny", "--images", 16, "--parser", weights, cwd=folder))
    assert "preset tiny (64 px, width 32)" in gan.out
    made = _good(faceaug("generate", "--masks", "helen", cwd=folder))
    assert "32 of 32 planned" in made.out
    made_by = next((folder / "runs" / "synthetic").glob("*/complete.json")).parent
    better = ("train-parser", "--images", 16, "--synthetic", made_by, "--start", weights, "--out", folder / "better")
    outcome = _good(faceaug(*better, cwd=folder))
    assert "and 32 generated faces of" in outcome.out
    assert f"beginning as {weights}" in outcome.out
    assert "32 images in batches of 16" in outcome.out
    refused = faceaug(*better[:-1], folder / "worse", "--share", 1, cwd=folder)
    assert refused.code == 2
    assert "--share 1: must be above 0 and below 1" in refused.error
    bench = _good(faceaug("bench-parsing", "--images", 16, "--seeds", 1, cwd=folder))
    assert "drawn faces, mean F1 in percent" in bench.out
    assert "no conclusion" in bench.out
    results = json.loads(next((folder / "runs" / "bench").glob("*/results.json")).read_text())
    assert [cell["arm"] for cell in results["cells"]] == ["real", "aug", "aug+continue", "aug+generated+continue"]
    assert results["data"] == "drawn faces"


def test_the_gan_is_evaluated_by_another_parser(faceaug, folder):
    own = next((folder / "runs" / "parser").glob("*/weights.safetensors"))
    judge = folder / "judge"
    settings = ("--encoder", "mobilenet_v2", "--images", 16, "--seed", 1, "--out", judge)
    _good(faceaug("train-parser", *settings, cwd=folder))
    few = ("evaluate", "--per-mask", 2, "--rounds", 10, "--steps", 4)
    outcome = _good(faceaug(*few, "--judge", judge / "weights.safetensors", cwd=folder))
    assert "FID-EffLite0" in outcome.out
    result = json.loads(next((folder / "runs" / "evaluation").glob("full-64-*/evaluation.json")).read_text())
    assert result["faces"] == 8
    further = _good(faceaug("train-parser", "--images", 16, "--start", judge, "--out", folder / "further", cwd=folder))
    assert "mobilenet_v2, cpu" in further.out  # of the shape that it begins as
    other = ("--start", judge, "--encoder", "efficientnet-lite0", "--out", folder / "z")
    refused = faceaug("train-parser", "--images", 16, *other, cwd=folder)
    assert "a parser of 64 px, mobilenet_v2" in refused.error
    refused = faceaug(*few, "--judge", own, "--out", folder / "z", cwd=folder)
    assert refused.code == 2
    assert "--judge: is the parser that the generator was trained with" in refused.error
    assert not (folder / "z").exists()


def test_labelled_faces_are_as_large_as_generated_ones(faceaug, folder, tmp_path):
    write_set(tmp_path / "set", [4], size=32)
    train = (
        "train-parser",
        "--images",
        8,
        "--encoder",
        "mobilenet_v2",
        "--synthetic",
        tmp_path / "set",
        "--out",
        tmp_path / "parser",
    )
    assert "at 32 px" in _good(faceaug(*train, cwd=folder)).out


def test_runs_are_drawn(faceaug, folder):
    for kind in ("parser", "gan"):
        run = next((folder / "runs" / kind).glob("*/weights.safetensors")).parent
        (run / "curves.png").unlink()
        _good(faceaug("plot", run, cwd=folder))
        assert (run / "curves.png").stat().st_size > 1000
    outcome = faceaug("plot", folder, cwd=folder)
    assert outcome.code == 2
    assert "no training run there" in outcome.error


def test_the_same_commands_again_do_nothing_new(faceaug, folder):
    weights = next((folder / "runs" / "parser").glob("*/weights.safetensors"))
    assert "is there already" in _good(faceaug(*DRAW, cwd=folder)).err
    again = _good(faceaug("train-gan", "--preset", "tiny", "--images", 16, "--parser", weights, cwd=folder))
    assert "already finished" in again.err
    assert "already finished" in _good(faceaug("generate", "--masks", "helen", cwd=folder)).err
    assert "labelling photos" not in again.err  # read back from the cache


def test_larger_parsers_of_several_seeds_label_for_the_gan_and_for_generating(faceaug, folder, monkeypatch):
    monkeypatch.setattr("faceaug.parser.config.default_images", lambda *_: 16)
    runs = ("--runs", "taught")
    train = ("train-gan", "--preset", "tiny", "--images", 8, "--teachers", 2, *runs)
    _good(faceaug(*train, cwd=folder))
    record = json.loads(next((folder / "taught" / "gan").glob("*/config.json")).read_text())
    sizes = {}
    for path in (folder / "taught" / "parser").glob("*/weights.safetensors"):
        parser = load_parser(path, Compute(torch.device("cpu"), "fp32"))
        sizes[parser.hash] = parser.config.size
    assert sizes == {record["parser_hash"]: 64, **dict.fromkeys(record["teachers"], 128)}
    assert len(sizes) == 3
    _good(faceaug("generate", "--total", 4, *runs, cwd=folder))
    made = json.loads(next((folder / "taught" / "synthetic").glob("*/config.json")).read_text())
    assert made["judge"] == record["parser_hash"]
    assert made["parser"] not in sizes  # the mean of the two
    assert "already finished" in _good(faceaug(*train, cwd=folder)).err
    next(iter((folder / "taught" / "parser").glob("*-128-*/weights.safetensors"))).unlink()
    alone = _good(faceaug("generate", "--total", 2, *runs, cwd=folder))
    assert "not all of the GAN's teachers are in taught: its P_F labels alone" in alone.err


def test_a_set_is_planned_explained_and_its_rows_are_generated_again(faceaug, folder):
    mixed = ("generate", "--total", 20, "--mix", "pairs", "--shapes", "mouth,flip", "--balance", "hard", "--rows-per-shard", 8)
    planned = _good(faceaug(*mixed, "--out", "mixed", "--dry-run", cwd=folder))
    assert re.search(r"plan: 20 faces on 1\d of 16 masks, 1 to \d each, \d+% of them with a changed mask", planned.out)
    assert "in 3 shards" in planned.out
    assert not (folder / "mixed").exists()
    made = _good(faceaug(*mixed, "--out", "mixed", cwd=folder))
    assert "20 of 20 planned" in made.out
    assert "MIT (drawn by faceaug)" in (folder / "mixed" / "README.md").read_text()
    again = _good(faceaug("shards", "replay", "mixed", 7, cwd=folder))
    assert "row 7, number 7 of the plan: target drawn_" in again.out
    assert "the same bit for bit; picture: replay.png" in again.out
    assert (folder / "replay.png").stat().st_size > 1000
    for args, told in (
        (("shards", "replay", "mixed", 20), "row 20: mixed has rows 0 to 19"),
        (("shards", "replay", "mixed", 1, "--sources", "helen"), "mixed: was made with other sources than are there now"),
        (("generate", "--masks", "read:nothing", "--out", "read"), "dataset 'nothing': unknown"),
        (("generate", "--shapes", "smile"), "--shapes smile: unknown; use all"),
    ):
        outcome = faceaug(*args, cwd=folder)
        assert outcome.code == 2
        assert told in outcome.error
    # Photos whose masks the parser predicts, beside people's: it has seen few faces, so some may be none.
    both = ("generate", "--masks", "helen", "--masks", "read:celeba", "--total", 8, "--out", "read", "--candidates", 1)
    assert " + drawn faces, predicted masks)" in _good(faceaug(*both, cwd=folder)).out
    columns = ShardReader(folder / "read").column("mask_read")
    assert set(columns) <= {0, 1}
    for name in ("mixed", "read"):
        shutil.rmtree(folder / name)  # later commands look for the newest set


def test_runs_know_their_data(faceaug, folder):
    """The same title and as many faces, but other ones: other runs, and no folder is taken for another's."""
    _good(faceaug("draw", "--out", folder / "d2", "--seed", 5, *DRAW[1:], cwd=folder))
    other, runs = ("--data-root", folder / "d2"), folder / "runs"
    before = {path for kind in ("parser", "synthetic", "bench") for path in (runs / kind).glob("*")}
    parser = _good(faceaug("train-parser", "--images", 32, *other, cwd=folder))
    assert "already finished" not in parser.err
    (weights,) = {path for path in (runs / "parser").glob("*")} - before
    # Another parser reads the faces, so it is another set; and so it is with other masks.
    for more in (("--parser", weights / "weights.safetensors"), other):
        made = _good(faceaug("generate", "--masks", "helen", *more, cwd=folder))
        assert "already finished" not in made.err
    first, second = sorted({path for path in (runs / "synthetic").glob("*")} - before, key=lambda path: path.stat().st_mtime)
    # A set that was replaced in its place is another set.
    bench = ("bench-parsing", "--images", 16, "--seeds", 1, "--arms", "aug,aug+generated", "--synthetic", first)
    _good(faceaug(*bench, "--out", folder / "bench", cwd=folder))
    refused = faceaug(*bench, "--size", 128, cwd=folder)
    assert refused.code == 2
    assert "--size 128: the faces in" in refused.error
    shutil.rmtree(first)
    second.rename(first)
    again = _good(faceaug(*bench, "--out", folder / "bench", cwd=folder))
    assert "aug+generated, " in again.err  # another cell
    assert "aug, " not in again.err
    assert len(list((folder / "bench" / "cells").iterdir())) == 3


def test_a_finished_run_in_the_named_folder_is_not_another_datas(faceaug, folder):
    train = ("train-parser", "--images", 8, "--encoder", "mobilenet_v2")
    _good(faceaug(*train, "--out", folder / "mine", cwd=folder))
    given_back = _good(faceaug("train-parser", "--config", folder / "mine" / "config.json", "--out", folder / "mine", cwd=folder))
    assert "already finished" in given_back.err
    refused = faceaug(
        "train-parser",
        "--images",
        8,
        "--encoder",
        "mobilenet_v2",
        "--out",
        folder / "mine",
        "--data-root",
        folder / "d2",
        cwd=folder,
    )
    assert refused.code == 2
    assert "mine: made with other settings (data.faces, data.tuning); use another --out" in refused.error


def test_a_dry_run_trains_nothing(faceaug, tmp_path):
    outcome = _good(faceaug("train-gan", "--preset", "small", "--dry-run"))
    assert "9 residual blocks" in outcome.out
    assert not list(tmp_path.iterdir())


def test_options_go_over_set_and_set_over_the_file(faceaug, tmp_path):
    (tmp_path / "run.toml").write_text('[generator]\nvariant = "global"\nwidth = 24\nblocks = 2\n')
    given = ("train-gan", "--preset", "tiny", "--config", "run.toml", "--set", "width=16", "--dry-run")
    assert "width 16), local, recipe" in _good(faceaug(*given, "--variant", "local")).out
    refused = faceaug("train-gan", "--set", "widht=16")
    assert refused.code == 2
    assert "--set widht: unknown; known are bare_eyes, batch, " in refused.error


def test_wrong_weights_are_one_line(faceaug, folder):
    parser = next((folder / "runs" / "parser").glob("*/weights.safetensors"))
    gan = next((folder / "runs" / "gan").glob("*/weights.safetensors"))
    cut = folder / "cut.safetensors"
    cut.write_bytes(gan.read_bytes()[:5000])
    for args, told in (
        (("generate", "--generator", parser, "--out", folder / "x"), "kind is 'parser', needed 'gan'"),
        (("generate", "--generator", cut, "--out", folder / "x"), "not a whole safetensors file"),
        (("generate", "--generator", folder / "none", "--out", folder / "x"), "no such weights file"),
        (("train-gan", "--preset", "tiny", "--parser", gan), "kind is 'gan', needed 'parser'"),
        (("generate", "--min-agreement", 1, "--out", folder / "y"), "the filters dropped all"),
        (("bench-parsing", "--synthetic", folder / "x"), "no such folder of shards"),
    ):
        outcome = faceaug(*args, cwd=folder)
        assert outcome.code == 2
        assert told in outcome.error
        assert "Traceback" not in outcome.err
    assert not (folder / "x").exists()
