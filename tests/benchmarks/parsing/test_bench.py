import csv
import dataclasses
import json
import shutil

import pytest
from faceaug.benchmarks.parsing import bench as bench_module
from faceaug.benchmarks.parsing import cell as cell_module
from faceaug.benchmarks.parsing import gains as gains_module
from faceaug.benchmarks.parsing import sets as sets_module
from faceaug.benchmarks.parsing.arms import SetConfig, parse_arm
from faceaug.benchmarks.parsing.bench import Plan, bench_parsing
from faceaug.benchmarks.parsing.data import BenchConfig, Data, Detailed, unseen
from faceaug.benchmarks.parsing.sets import Recipe, Sets
from faceaug.datasets.celeba import CelebA
from faceaug.datasets.helen import Helen
from small import GENERATOR, PARSER

from faceaug.errors import CheckpointMismatch, ConfigError
from faceaug.gan.config import TrainingConfig
from faceaug.generate.config import GenerateConfig
from faceaug.parser.predict import load_parser
from faceaug.prepare.faces import align

SETS = {
    "generated": SetConfig(("own", "predicted"), 8, GenerateConfig(gender="any", candidates=4)),
    "transferred": SetConfig(("unused",), 4, GenerateConfig(gender="any", candidates=4)),
}
RECIPE = Recipe(PARSER, BenchConfig(images=160, batch=4, evaluations=1), GENERATOR, TrainingConfig(images=8, batch=4), teachers=2)
CONFIG = BenchConfig(seeds=1, images=8, batch=4, evaluations=2, rounds=20)


@pytest.fixture(autouse=True)
def small(monkeypatch):
    monkeypatch.setattr(bench_module, "parser_config", lambda name, data: PARSER)
    monkeypatch.setattr(gains_module, "SMALLEST_GROUP", 1)


@pytest.fixture(scope="module")
def data(drawn, faces):
    photos = align(CelebA(drawn / "celeba", limit=16), size=64)
    groups = {"first": [True, False], "second": [False, True]}
    import numpy as np

    masks = {name: np.array(rows) for name, rows in groups.items()}
    return Data(faces, faces.select([8, 9]), faces.select([10, 11]), photos, 2, masks)


def _plan(arms, counts=(4,), **changes):
    return Plan(**{"arms": [parse_arm(arm, SETS) for arm in arms], "counts": counts, "sets": SETS, "recipe": RECIPE, **changes})


def _run(folder, data, arms, compute, config=CONFIG, counts=(4,), **changes):
    return bench_parsing(
        folder, data, _plan(arms, counts, **changes), config, compute, record={"command": "faceaug bench-parsing"}
    )


def test_everything_is_made_of_the_labels_of_each_count_alone(data, compute, tmp_path, monkeypatch):
    trained = []
    for module in (sets_module, cell_module):
        fit = module.fit_parser
        monkeypatch.setattr(
            module,
            "fit_parser",
            lambda run, *a, fit=fit, **k: trained.append((run.parent.name, len(k["faces"]))) or fit(run, *a, **k),
        )
    arms = ["aug", "aug+generated", "aug+pseudo+collage", "strong+unimatch", "generated", "aug+photos+transferred"]
    results = _run(tmp_path, data, arms, compute)
    assert [cell["arm"] for cell in results["cells"]] == arms
    assert [count for kind, count in trained if kind == "made"] == [4, 4, 4]  # the arm without additions, P_F of two seeds
    by_arm = dict(zip(arms[1:], [count for kind, count in trained if kind == "cells"], strict=True))
    assert by_arm.pop("generated") > 4
    assert set(by_arm.values()) == {4}
    index = json.loads(next((tmp_path / "made").glob("generated-*/own/complete.json")).read_text())
    assert index["targets"] == data.labelled(4).about()
    oracle = json.loads(next((tmp_path / "made").glob("transferred-*/unused/complete.json")).read_text())
    assert oracle["targets"] == data.oracle.about()
    assert not set(data.labelled(10).names) & set(data.oracle.names)

    scored = results["scores"]["unet"]["4"]
    assert set(scored) == set(arms)
    assert scored["aug+generated"]["base"] == "aug"
    assert set(scored["aug+generated"]["over"]) == {"aug", "aug+pseudo+collage", "strong+unimatch"}
    assert scored["aug+generated"]["over"]["aug"] == {**scored["aug+generated"]["gain"]["mean_f1"], "common": 1}
    assert scored["aug+generated"]["over_control"]["control"] in ("aug+pseudo+collage", "strong+unimatch")
    assert {"group first", "group second", "f1 nose"} <= set(scored["aug+pseudo+collage"]["gain"])
    assert "gain" not in scored["aug"]

    assert json.loads((tmp_path / "results.json").read_text()) == json.loads(json.dumps(results))
    page = (tmp_path / "report.html").read_text()
    assert "one seed shows no spread" in page
    assert "faceaug bench-parsing" in page
    with open(tmp_path / "results.csv", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["score"] == "mean F1"]
    assert [(row["arm"], float(row["value"])) for row in rows] == [
        (arm, scored[arm]["scores"]["mean_f1"]["value"]) for arm in arms
    ]
    assert "| aug+generated |" in (tmp_path / "table.md").read_text()

    # The same again does nothing; more seeds and arms go on with what is there.
    del trained[:]
    again = _run(tmp_path, data, arms, compute)
    assert trained == []
    assert again == results
    # Of cells that are done scores are enough, in another folder too; weights, GAN and faces may be gone.
    for file in (tmp_path / "config.json", *tmp_path.glob("cells/*/cell.json"), *tmp_path.glob("cells/*/faces.npz")):
        other = tmp_path / "elsewhere" / file.relative_to(tmp_path)
        other.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(file, other)
    assert _run(tmp_path / "elsewhere", data, arms, compute) == results
    assert trained == []
    more = _run(tmp_path, data, ["aug", "real", "aug+generated"], compute, dataclasses.replace(CONFIG, seeds=2))
    assert sorted(kind for kind, _ in trained) == ["cells", *["made"] * 3]  # seed 0 of real, seed 1 of all three
    assert more["scores"]["unet"]["4"]["aug+generated"]["seeds"] == [0, 1]


def test_a_parser_of_labelled_faces_alone_is_trained_once(data, compute, tmp_path, monkeypatch):
    trained = []
    for module in (sets_module, cell_module):
        fit = module.fit_parser
        monkeypatch.setattr(
            module, "fit_parser", lambda run, *a, fit=fit, **k: trained.append((run.parent.name, k)) or fit(run, *a, **k)
        )
    recipe = dataclasses.replace(RECIPE, bench=CONFIG, teachers=1)
    arms = ["aug", "aug+continue", "aug+pseudo", "aug+pseudo+continue"]
    results = _run(tmp_path, data, arms, compute, dataclasses.replace(CONFIG, seeds=2), recipe=recipe)
    assert sorted(k["training"].seed for kind, k in trained if kind == "made") == [0, 1]  # the first one is P_F
    further = [k for kind, k in trained if kind == "cells" and k["start"] is not None]
    assert sorted((k["training"].seed, len(k["additions"])) for k in further) == [(s, n) for s in range(2) for n in (0, 1)]
    scored = results["scores"]["unet"]["4"]
    assert "no conclusion" not in (tmp_path / "report.html").read_text()  # two seeds
    assert scored["aug+pseudo+continue"]["base"] == "aug+continue"
    assert scored["aug+pseudo"]["base"] == scored["aug+continue"]["base"] == "aug"


def test_an_arm_continues_the_parser_of_its_own_augmentation(data, compute, tmp_path, monkeypatch):
    trained = {}
    for module in (sets_module, cell_module):
        fit = module.fit_parser
        monkeypatch.setattr(
            module, "fit_parser", lambda run, *a, fit=fit, **k: trained.update({run.name: k}) or fit(run, *a, **k)
        )
    _run(tmp_path, data, ["strong", "strong+continue"], compute)
    first, further = (next(k for k in trained.values() if (k.get("start") is None) is new) for new in (True, False))
    assert len(trained) == 2  # what continues begins as the arm itself
    assert (first["training"].augment, further["training"].augment) == ("strong", "strong")
    weights = next((tmp_path / "made").glob("parser-*/weights.safetensors"))
    assert further["start"].hash == load_parser(weights, compute).hash


def test_photos_count_as_unlabelled_and_none_of_them_scores(data, compute, tmp_path):
    """Sources may be a labelled set, even the one that is scored."""
    photos = unseen(data.train, data.testing, data.tuning, data.oracle)
    assert [name for name in photos.names if name in {*data.testing.names, *data.tuning.names, *data.oracle.names}] == []
    assert sum(photos.dropped.values()) == len(data.train) - len(photos) == 4
    assert unseen(photos, data.testing) is photos
    _run(tmp_path, dataclasses.replace(data, photos=photos), ["aug", "aug+pseudo"], compute)
    sets = Sets(tmp_path / "made", dataclasses.replace(data, photos=photos), 4, RECIPE, SETS, {}, compute, None)
    assert sets.faces("pseudo").predicted.all()
    with pytest.raises(ConfigError, match="tuning or testing faces; name other photos"):
        unseen(data.testing, data.testing)


def test_arms_without_a_base_are_not_compared(data, compute, tmp_path):
    scored = _run(tmp_path, data, ["aug", "strong+collage", "strong+duplicated"], compute)["scores"]["unet"]["4"]
    assert all("gain" not in scored[arm] for arm in scored)


def test_teachers_may_see_more_than_the_parsers_they_teach(data, drawn, compute, tmp_path, monkeypatch):
    trained, generated = [], []
    fit, generate, labelled = sets_module.fit_parser, sets_module.generate, sets_module.label_photos
    monkeypatch.setattr(sets_module, "fit_parser", lambda run, **k: trained.append(k) or fit(run, **k))
    monkeypatch.setattr(sets_module, "generate", lambda run, inputs, **k: generated.append(inputs) or generate(run, inputs, **k))
    photos = align(CelebA(drawn / "celeba", limit=16), size=128)
    train = align(Helen(drawn / "helen"), size=128).labelled()
    larger = dataclasses.replace(data, detailed=Detailed(train, train.select([8, 9]), photos))
    teacher = dataclasses.replace(PARSER, size=128, decoder=())
    recipe = dataclasses.replace(RECIPE, bench=CONFIG, teacher=teacher)
    monkeypatch.setattr(sets_module, "read_masks", lambda parser, some, **k: labelled(parser, some, **k))
    sets = {"generated": SetConfig(("predicted",), 4, GenerateConfig(gender="any", candidates=4))}
    _run(tmp_path, larger, ["aug+generated", "aug+pseudo"], compute, recipe=recipe, sets=sets)
    sizes = [(k["parser"].size, k["faces"].size, k["tuning"].size, len(k["faces"])) for k in trained]
    assert sorted(sizes) == [(64, 64, 64, 4), (128, 128, 128, 4), (128, 128, 128, 4)]
    assert [(one.targets.size, one.parser.config.size, one.judge.config.size) for one in generated] == [(64, 128, 64)]
    usual = Sets(tmp_path, data, 4, RECIPE, SETS, {}, compute, None)
    other = Sets(tmp_path, larger, 4, recipe, SETS, {}, compute, None)
    assert not {job.folder for job in usual.needs("generated")} & {job.folder for job in other.needs("generated")[1:]}
    assert usual.about("pseudo") != other.about("pseudo")


def test_a_set_that_no_arm_has_asks_for_nothing(data, compute, tmp_path):
    sets = Sets(tmp_path, dataclasses.replace(data, unused=0), 4, RECIPE, SETS, {}, compute, None)
    assert len(sets.needs("generated")) == 4  # two P_F's, the GAN, the set
    with pytest.raises(ConfigError, match="--unused 0"):
        sets.needs("transferred")


def test_labels_replaced_need_several_counts(data, compute, tmp_path):
    results = _run(tmp_path, data, ["aug", "aug+duplicated"], compute, counts=(2, 4, 8))
    found = results["labels_replaced"]["unet"]["aug+duplicated"]
    assert [entry["labelled"] for entry in found] == [2, 4, 8]
    assert all(2 <= entry["worth"]["value"] <= 8 for entry in found)
    with pytest.raises(ConfigError, match="--labelled 11: there are 12 labelled faces, of which 2 are kept"):
        _run(tmp_path, data, ["aug"], compute, counts=(11,))


def test_what_is_made_depends_on_all_that_it_is_made_of(data, compute, tmp_path):
    def sets(count=4, unused=2, recipe=RECIPE):
        return Sets(tmp_path, dataclasses.replace(data, unused=unused), count, recipe, SETS, {}, compute, None)

    (first,), (other,) = ([job.folder for job in some.needs("transferred")][-1:] for some in (sets(), sets(unused=3)))
    assert first != other  # other masks, in the same folder of what is made
    assert sets().needs("generated")[-1].folder == sets(unused=3).needs("generated")[-1].folder
    assert sets().about("photos") != sets(unused=3).about("photos")
    usual = dataclasses.replace(RECIPE, bench=BenchConfig())  # P_F is trained as long as the cells of its labels
    assert [usual.bench.training(count, 0).images for count in (200, 2_000)] == [12_000, 24_000]
    assert sets(2, recipe=usual).needs("pseudo")[0].folder != sets(2).needs("pseudo")[0].folder


def test_a_given_set_needs_no_gan(data, noise, compute, tmp_path):
    results = _run(tmp_path, data, ["aug", "aug+generated"], compute, given={"generated": noise(6)}, recipe=None)
    assert [path.name.split("-")[0] for path in (tmp_path / "made").iterdir()] == ["parser"]  # of the labelled faces alone
    assert results["faces"]["given"] == {"generated": 6}
    with pytest.raises(ConfigError, match="needs a parser and a GAN of these labels"):
        _run(tmp_path, data, ["aug", "aug+pseudo"], compute, given={"generated": noise(6)}, recipe=None)
    with pytest.raises(CheckpointMismatch, match="generated: faces are 128 px, labelled ones 64 px"):
        _run(tmp_path, data, ["aug"], compute, given={"generated": noise(6, 128)}, recipe=None)


def test_a_folder_is_of_one_set_of_faces(data, compute, tmp_path):
    (tmp_path / "config.json").write_text("{}")
    (tmp_path / "cells").mkdir()
    with pytest.raises(CheckpointMismatch, match="made with other settings"):
        _run(tmp_path, data, ["aug"], compute)


def test_what_cannot_be_compared_is_named(data, compute, tmp_path):
    with pytest.raises(ConfigError, match="named twice"):
        _plan(["aug", "aug"])
    with pytest.raises(ConfigError, match="ascending"):
        _plan(["aug"], counts=(8, 4))
    for arm in ("aug+unimatch+continue", "aug+pseudo"):
        with pytest.raises(ConfigError, match=r"--sources none: this arm needs photos"):
            _run(tmp_path / "a", dataclasses.replace(data, photos=None), [arm], compute)
        assert not (tmp_path / "a/made").exists()  # nothing was trained before
    with pytest.raises(ConfigError, match=r"--unused 0: the arms photos and transferred"):
        _run(tmp_path / "b", dataclasses.replace(data, unused=0), ["aug+photos"], compute)
    with pytest.raises(ConfigError, match=r"--parsers vgg: unknown; use unet, unet-scratch, fpn"):
        _plan(["aug"], parsers=("unet", "vgg"))
    with pytest.raises(ConfigError, match="name a number of labelled faces"):
        _run(tmp_path / "c", data, ["aug"], compute, counts=())
    with pytest.raises(ConfigError, match=r"--seeds 0.*--rounds 1"):
        BenchConfig(seeds=0, rounds=1)
