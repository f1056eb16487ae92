import dataclasses
import json

import numpy as np
import pytest
from faceaug.benchmarks import worth as module
from faceaug.benchmarks.worth import ARMS, Faces, Short, WorthConfig, additions, bench_worth, table, worth
from small import PARSER

from faceaug.errors import CheckpointMismatch, ConfigError
from faceaug.gan.inference import load_generator
from faceaug.labels import HELEN_11

CONFIG = WorthConfig(images=8, seeds=2, batch=4, per_mask=2, rounds=20)


def _matrices(rates, seeds=2, faces=30):
    """Confusion matrices of parsers that are right about so many of 1,000 pixels of each class, the same in every face."""
    found = np.zeros((len(rates), seeds, faces, 11, 11), dtype=np.int64)
    for arm, rate in enumerate(rates):
        right = round(1000 * rate)
        found[arm] += right * np.eye(11, dtype=np.int64)
        found[arm] += (1000 - right) * np.roll(np.eye(11, dtype=np.int64), 1, axis=1)
    return found


def test_worth_is_the_share_of_the_photos_gain():
    found = worth(_matrices([0.80, 0.90, 0.85, 0.82, 0.78]), HELEN_11, rounds=20)
    assert found["photos"]["gain"]["value"] == pytest.approx(10.0, abs=0.01)
    assert found["reconstructed"]["worth"]["value"] == pytest.approx(0.5, abs=0.001)
    assert found["returned"]["worth"]["value"] == pytest.approx(0.2, abs=0.001)
    assert found["transferred"]["worth"]["value"] == pytest.approx(-0.2, abs=0.001)
    assert "worth" not in found["photos"]
    for entry in (found["photos"]["gain"], found["transferred"]["worth"]):
        assert entry["low"] == entry["high"] == entry["value"]  # all faces and seeds are alike


def test_intervals_show_what_seeds_and_faces_disagree_on():
    matrices = _matrices([0.80, 0.90, 0.85, 0.82, 0.80], seeds=3)
    matrices[4, 0] = _matrices([0.88], seeds=1)[0, 0]
    found = worth(matrices, HELEN_11, rounds=200)["transferred"]["worth"]
    assert found["low"] < found["value"] < found["high"]
    assert found["low"] < 0.01  # two of three seeds gain nothing


@pytest.fixture(scope="module")
def groups(faces):
    parts = [faces.select(rows) for rows in (range(4), range(4, 8), range(8, 10), range(10, 12))]
    labelled, unused, tuning, testing = parts
    return Faces(labelled, unused, tuning, {"testing": testing, "further": tuning}, faces.select(range(6)))


def test_the_protocol_from_faces_to_worth(groups, trained, compute, tmp_path, monkeypatch):
    generator = load_generator(trained.gan, compute)
    results = bench_worth(tmp_path, groups, generator, PARSER, CONFIG, compute, record={"labelled": 4})
    assert [(cell["arm"], cell["seed"]) for cell in results["cells"]] == [(arm, seed) for seed in (0, 1) for arm in ARMS]
    assert {cell["training"]["share"] for cell in results["cells"] if cell["arm"] == "nothing"} == {0.0}
    assert set(results["worth"]) == {"testing", "further", "all"}
    name = generator.hash[:8]
    assert json.loads((tmp_path / f"worth-{name}.json").read_text()) == json.loads(json.dumps(results))
    assert table(results).count("\n") == 2 + len(ARMS)
    assert (tmp_path / f"faces-{name}.png").is_file()

    # Another generator needs only the cells that it has a part in.
    fit, trained_again = module.fit_parser, []
    monkeypatch.setattr(module, "fit_parser", lambda run, *a, **k: trained_again.append(run.name) or fit(run, *a, **k))
    other = dataclasses.replace(generator, hash="f" * 64)
    again = bench_worth(tmp_path, groups, other, PARSER, CONFIG, compute, record={"labelled": 4})
    assert trained_again == [f"{arm}-ffffffff-seed{seed}" for seed in (0, 1) for arm in ARMS[2:]]
    assert again["worth"] == results["worth"]  # the same faces, the same seeds


def test_the_short_protocol_goes_on_from_the_parser_without_additions(groups, trained, compute, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "Short", lambda: Short(images=8))
    generator = load_generator(trained.gan, compute)
    config = dataclasses.replace(CONFIG, short=True, seeds=1)
    results = bench_worth(tmp_path, groups, generator, PARSER, config, compute, record={})
    name = generator.hash[:8]
    cells = {path.name for path in (tmp_path / "cells").iterdir()}
    assert cells == {"nothing-seed0", *(cell["folder"] for cell in results["cells"])}
    assert [cell["training"]["share"] for cell in results["cells"]] == [0.0, 0.5, 0.5, 0.5, 0.5]
    assert (tmp_path / f"worth-short-{name}.json").is_file()
    # It begins where that parser ended: with a rate of 0 all arms are that parser.
    monkeypatch.setattr(module, "Short", lambda: Short(images=8, learning_rate=1e-12))
    for cell in results["cells"]:
        (tmp_path / "cells" / cell["folder"] / "cell.json").unlink()
    again = bench_worth(tmp_path, groups, generator, PARSER, config, compute, record={})
    whole = json.loads((tmp_path / "cells" / "nothing-seed0" / "cell.json").read_text())
    assert all(
        cell["testing"]["pixel_accuracy"] == pytest.approx(whole["testing"]["pixel_accuracy"], abs=0.1) for cell in again["cells"]
    )
    assert {cell["seed"] for cell in again["cells"]} == {0}


def test_additions_have_the_human_masks_and_other_pictures(groups, trained, compute):
    found = additions(groups, load_generator(trained.gan, compute), CONFIG)
    assert (found["reconstructed"].labels == groups.unused.labels).all()
    assert (found["transferred"].labels == groups.unused.labels.repeat(2, axis=0)).all()
    assert len(found["transferred"]) == 8
    assert not np.array_equal(found["reconstructed"].images, found["returned"].images)
    for name in ("reconstructed", "returned", "transferred"):
        assert not np.array_equal(found[name].images[:1], groups.unused.images[:1])


def test_another_protocol_or_size_is_refused(groups, trained, compute, tmp_path, noise):
    generator = load_generator(trained.gan, compute)
    (tmp_path / "config.json").write_text("{}")
    (tmp_path / "cells").mkdir()
    with pytest.raises(CheckpointMismatch, match="made with other settings"):
        bench_worth(tmp_path, groups, generator, PARSER, CONFIG, compute, record={})
    other = dataclasses.replace(groups, labelled=noise(4, 128))
    with pytest.raises(CheckpointMismatch, match="generates 64 px, the faces are 128 px"):
        bench_worth(tmp_path / "b", other, generator, PARSER, CONFIG, compute, record={})
    with pytest.raises(ConfigError, match=r"--seeds 0.*--share 1"):
        WorthConfig(seeds=0, share=1.0)
