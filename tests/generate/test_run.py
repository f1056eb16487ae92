import hashlib
import json
import os
import pickle
import select
import subprocess
import sys
from dataclasses import replace

import h5py
import numpy as np
import pytest

from faceaug import files
from faceaug.errors import CheckpointMismatch, ConfigError, NothingLeft, OutputError
from faceaug.generate import job
from faceaug.generate import run as module
from faceaug.generate.agreement import agreement
from faceaug.generate.config import GenerateConfig
from faceaug.generate.job import ShardJob
from faceaug.generate.replay import replay
from faceaug.generate.run import generate
from faceaug.labels import IGNORE
from faceaug.parser.predict import predict_against, predict_labels
from faceaug.shards.reader import ShardReader
from faceaug.shards.verify import verify

CONFIG = GenerateConfig(per_mask=2, rows_per_shard=7, candidates=1)


def _shards(run):
    return {path.name: path.read_bytes() for path in sorted(run.glob("shard-*.h5"))}


def _rows(run):
    reader = ShardReader(run)
    return [reader.column(name) for name in ("image", "label", "target", "source", "row", "seed", "agreement")]


def test_rows_are_what_they_say(ready, tmp_path):
    faces, photos, parser = ready.targets, ready.sources, ready.parser
    summary = generate(tmp_path, ready, config=CONFIG)
    assert summary["faces"] == summary["planned"] == 24
    assert [shard["rows"] for shard in summary["shards"]] == [7, 7, 7, 3]
    reader = ShardReader(tmp_path)
    read = predict_labels(parser, reader.column("image"))
    assert np.allclose(agreement(read, reader.column("label")), reader.column("agreement"), atol=1e-6)
    for index in range(24):
        about = reader.about(index)
        target, source = faces.names.index(about["target"]), photos.names.index(about["source"])
        assert (reader.face(index)[1] == faces.labels[target]).all()
        assert about["source_male"] == about["target_male"] == photos.male[source]
        assert about["row"] == index
    assert reader.config["generate"]["per_mask"] == 2
    assert 0 <= summary["gender_classifier"]["held_out_accuracy"] <= 1
    assert {"complete.json", "config.json", "report.html", "faces.png", "README.md"} <= {path.name for path in tmp_path.iterdir()}


def test_pixels_that_the_parser_doubts_become_unknown(ready, tmp_path):
    parser = ready.parser
    plain, strict = (
        generate(tmp_path / "a", ready, config=CONFIG),
        generate(tmp_path / "b", ready, config=replace(CONFIG, min_confidence=0.2)),
    )
    before, after = ShardReader(tmp_path / "a"), ShardReader(tmp_path / "b")
    assert (before.column("image") == after.column("image")).all()
    assert (before.column("agreement") == after.column("agreement")).all()
    labels, kept = before.column("label"), after.column("label")
    read, likely = predict_against(parser, before.column("image"), labels)
    assert (read == predict_labels(parser, before.column("image"))).all()
    assert (kept == np.where(likely < 0.2, IGNORE, labels)).all()
    assert plain["unknown_pixels"] == 0
    assert strict["unknown_pixels"] == pytest.approx(((kept == IGNORE) & (labels != IGNORE)).mean(), abs=1e-4)
    assert plain["unknown_pixels"] < strict["unknown_pixels"] < 1
    assert (likely[labels == IGNORE] == 1).all()
    with pytest.raises(ConfigError, match=r"--min-confidence 1.0: must be at least 0 and below 1"):
        GenerateConfig(min_confidence=1.0)


def test_the_batch_changes_nothing(ready, tmp_path):
    generate(tmp_path / "a", ready, config=replace(CONFIG, candidates=4), batch=1)
    generate(tmp_path / "b", ready, config=replace(CONFIG, candidates=4), batch=40)
    for first, second in zip(_rows(tmp_path / "a"), _rows(tmp_path / "b"), strict=True):
        assert (first == second).all()


def test_killed_and_resumed_is_as_uninterrupted(ready, tmp_path, monkeypatch):
    generate(tmp_path / "whole", ready, config=CONFIG)
    write = module.write_shard
    written = []

    def dies(path, *args, **kwargs):
        if len(written) == 2:
            raise KeyboardInterrupt
        written.append(path)
        return write(path, *args, **kwargs)

    monkeypatch.setattr(module, "write_shard", dies)
    with pytest.raises(KeyboardInterrupt):
        generate(tmp_path / "cut", ready, config=CONFIG)
    assert len(_shards(tmp_path / "cut")) == 2
    kept = _shards(tmp_path / "cut")
    monkeypatch.setattr(module, "write_shard", write)
    generate(tmp_path / "cut", ready, config=CONFIG)
    for first, second in zip(_rows(tmp_path / "whole"), _rows(tmp_path / "cut"), strict=True):
        assert (first == second).all()
    assert kept.items() <= _shards(tmp_path / "cut").items()  # finished shards were not made again
    complete = [json.loads((tmp_path / name / "complete.json").read_text()) for name in ("whole", "cut")]
    assert complete[0] == complete[1]


def test_sources_are_encoded_once(ready, tmp_path, monkeypatch):
    encoded = []
    encode = type(ready.generator).encode

    def counts(self, images, labels, scheme):
        encoded.extend(image.tobytes() for image in images)
        return encode(self, images, labels)

    monkeypatch.setattr(type(ready.generator), "encode", counts)
    generate(tmp_path, ready, config=GenerateConfig(candidates=1, per_mask=10, rows_per_shard=9))
    assert len(encoded) == len(set(encoded))


def test_filters_count_what_they_drop(ready, tmp_path, monkeypatch):
    # A parser that is hardly trained reads every face as background: let the agreement differ from mask to mask instead.
    monkeypatch.setattr(job, "agreement", lambda read, labels: (labels > 0).mean(axis=(1, 2), dtype=np.float32))
    everything = generate(tmp_path / "all", ready, config=GenerateConfig(candidates=1, per_mask=2, gender="any"))
    assert everything["gender_classifier"] is None
    values = ShardReader(tmp_path / "all").column("agreement")
    bar = float(np.median(values))
    some = generate(tmp_path / "some", ready, config=GenerateConfig(candidates=1, per_mask=2, gender="any", min_agreement=bar))
    assert some["dropped"] == {"agreement too low": int((values < bar).sum())}
    assert some["faces"] + some["dropped"]["agreement too low"] == 24
    papers = generate(tmp_path / "paper", ready, config=GenerateConfig(candidates=1, per_mask=2, gender="filter"))
    assert papers["faces"] + sum(papers["dropped"].values()) == 24


def test_nothing_left_is_an_error_and_no_set(ready, tmp_path):
    with pytest.raises(NothingLeft, match=r"dropped all 24 faces \(24 agreement too low\)"):
        generate(tmp_path / "run", ready, config=GenerateConfig(candidates=1, min_agreement=1.0))
    assert not (tmp_path / "run").exists()


def test_another_set_in_the_folder_is_refused(ready, tmp_path):
    generate(tmp_path, ready, config=CONFIG)
    with pytest.raises(CheckpointMismatch, match="other settings"):
        generate(tmp_path, ready, config=GenerateConfig(candidates=1, per_mask=3))


def test_attributes_of_a_shard(ready, tmp_path, trained):
    generate(tmp_path, ready, config=CONFIG)
    with h5py.File(tmp_path / "shard-00001.h5") as file:
        assert dict(file.attrs)["format"] == "faceaug-shard"
        assert dict(file.attrs)["labels"] == "helen-11"
        assert dict(file.attrs)["generator"] == ready.generator.hash
        assert file["image"].dtype == np.uint8
        assert file["image"].shape == (7, 64, 64, 3)


def test_damaged_records_of_a_set_are_named(ready, tmp_path):
    generate(tmp_path, ready, config=CONFIG)
    for name in ("complete.json", "prepared.json"):
        (tmp_path / name).write_text("{}")
        with pytest.raises(CheckpointMismatch, match=rf"{name}: damaged \(no .*\); delete"):
            generate(tmp_path, ready, config=CONFIG)
        (tmp_path / name).unlink()


def test_bad_shards_are_found_and_generated_again(ready, tmp_path):
    first = generate(tmp_path, ready, config=CONFIG)
    assert verify(tmp_path) == []
    whole = _shards(tmp_path)
    flipped = bytearray(whole["shard-00001.h5"])
    flipped[len(flipped) // 2] ^= 1
    (tmp_path / "shard-00001.h5").write_bytes(flipped)
    (tmp_path / "shard-00002.h5").write_bytes(whole["shard-00002.h5"][:1000])
    (tmp_path / "shard-00003.h5").unlink()
    assert [shard.path.name for shard in verify(tmp_path)] == ["shard-00001.h5", "shard-00002.h5", "shard-00003.h5"]
    kept = (tmp_path / "shard-00000.h5").stat().st_mtime_ns
    assert generate(tmp_path, ready, config=CONFIG) == first
    assert (tmp_path / "shard-00000.h5").stat().st_mtime_ns == kept
    assert {name: hashlib.sha256(data).hexdigest() for name, data in _shards(tmp_path).items()} == {
        shard["file"]: shard["sha256"] for shard in first["shards"]
    }
    assert verify(tmp_path) == []
    assert not (tmp_path / "parts").exists()


EVERYTHING = replace(
    CONFIG, mix="pairs", shapes="all", max_doubt=3.0, min_confidence=0.2, min_difference=2.0, balance="rare", gender="any"
)


def test_rows_say_how_they_were_made_and_can_be_made_again(ready, tmp_path):
    summary = generate(tmp_path, ready, config=EVERYTHING)
    reader = ShardReader(tmp_path)
    params = [reader.about(row)["params"] for row in range(len(reader))]
    assert any("edits" in one for one in params)
    assert all(len({one["name"] for one in entry["sources"].values()}) == 2 for entry in params)
    assert summary["faces"] + sum(summary["dropped"].values()) == summary["planned"]
    assert 0 < summary["unknown_pixels"] < 1
    for row in (0, len(reader) - 1):
        found = replay(tmp_path, row, ready)
        assert found.different == (0, 0)
        assert (found.image == reader.face(row)[0]).all()
    other = replace(ready, sources=ready.sources.select(range(50)))
    with pytest.raises(CheckpointMismatch, match=r"was made with other sources than are there now"):
        replay(tmp_path, 0, other)
    text = (tmp_path / "report.html").read_text()
    for part in ("Balance", "Dropped", "Shapes", "Times", "a parser that the GAN may have been trained with"):
        assert part in text


def test_a_kill_between_index_and_card_leaves_the_card_to_a_rerun(ready, tmp_path, monkeypatch):
    few = replace(CONFIG, total=3, gender="any")

    def dies(run):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(module, "write_card", dies)
        with pytest.raises(KeyboardInterrupt):
            generate(tmp_path, ready, config=few)
    assert (tmp_path / "complete.json").is_file()
    assert not (tmp_path / "README.md").exists()
    generate(tmp_path, ready, config=few)
    assert (tmp_path / "README.md").is_file()
    assert not (tmp_path / "parts").exists()


def test_a_finished_set_on_a_disk_that_is_read_only_is_used_as_it_is(ready, tmp_path, monkeypatch):
    few = replace(CONFIG, total=3, gender="any", shapes="model")
    first = generate(tmp_path, ready, config=few)

    def refused(*args, **kwargs):
        raise OutputError("read-only")

    for owner in (module, files):
        for name in ("locked", "write_json"):
            monkeypatch.setattr(owner, name, refused)
    assert generate(tmp_path, ready, config=few) == first
    assert replay(tmp_path, 1, ready).different == (0, 0)


@pytest.mark.parametrize(("known", "told"), [("own", True), ("other", False), (None, None)])
def test_the_set_says_whether_its_judge_trained_the_gan(ready, tmp_path, known, told):
    record = {} if known is None else {"parser_hash": ready.judge.hash if known == "own" else "x"}
    inputs = replace(ready, generator=replace(ready.generator, record=record))
    few = replace(CONFIG, total=3, gender="any")
    assert generate(tmp_path, inputs, config=few)["judge_trained_the_gan"] is told


def test_processes_share_the_shards_and_one_that_dies_is_replaced(ready, tmp_path, trained, drawn):
    # Three real processes of the command line, of which one is killed; then the library in this one.
    generate(tmp_path / "one", ready, config=EVERYTHING)
    code = (
        "import sys, pickle, torch; torch.set_num_threads(1)\n"
        "from pathlib import Path\nfrom faceaug.generate import run\n"
        "inputs, config = pickle.load(open(sys.argv[1], 'rb'))\n"
        "write = run.write_shard\n"
        "def told(*args, **kwargs):\n"
        "    print('shard', flush=True); sys.stdin.read(); return write(*args, **kwargs)\n"
        "run.write_shard = told\n"
        "run.generate(Path(sys.argv[2]), inputs, config=config)\n"
    )
    (tmp_path / "inputs").write_bytes(pickle.dumps((ready, EVERYTHING)))
    command = [sys.executable, "-c", code, str(tmp_path / "inputs"), str(tmp_path / "many")]

    def started(stdin: int) -> subprocess.Popen[str]:
        return subprocess.Popen(command, stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    # The first holds its shard until it is killed (its input never ends); the others share what is left beside it.
    ranks = [started(subprocess.PIPE)]
    assert ranks[0].stdout.readline() == "shard\n"
    ranks += [started(subprocess.DEVNULL) for _ in range(2)]
    assert select.select([rank.stdout for rank in ranks[1:]], [], [], 240)[0]
    ranks[0].kill()
    told = [rank.communicate(timeout=240) for rank in ranks]
    assert [rank.returncode for rank in ranks] == [-9, 0, 0], told
    assert (tmp_path / "many" / "complete.json").is_file()
    assert _shards(tmp_path / "many") == _shards(tmp_path / "one")  # byte by byte
    assert not (tmp_path / "many" / "parts").exists()


def test_a_kill_at_any_time_loses_nothing(ready, tmp_path, monkeypatch):
    generate(tmp_path / "one", ready, config=EVERYTHING)
    wrong = 0
    for attempt in range(40):
        calls = iter(range(10**6))
        stop = 3 + 5 * attempt

        def dies(function, calls=calls, stop=stop):
            def counted(*args, **kwargs):
                if next(calls) == stop:
                    raise KeyboardInterrupt
                return function(*args, **kwargs)

            return counted

        with monkeypatch.context() as patch:
            for owner, name in (
                (ShardJob, "make"), (os, "replace"), (os, "fsync"), (module, "write_shard"), (module, "write_card"),
                (module, "write_report"), (type(ready.generator), "generate"), (job, "predict_against"),
            ):  # fmt: skip
                patch.setattr(owner, name, dies(getattr(owner, name)))
            try:
                generate(tmp_path / "cut", ready, config=EVERYTHING)
            except KeyboardInterrupt:
                wrong += 1
                continue
        break
    assert wrong >= 3
    assert _shards(tmp_path / "cut") == _shards(tmp_path / "one")
    complete = [json.loads((tmp_path / name / "complete.json").read_text()) for name in ("one", "cut")]
    assert complete[0] == complete[1]
    assert (tmp_path / "cut" / "README.md").is_file()
