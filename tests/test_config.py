import dataclasses
import json

import pytest

from faceaug.config import apply_settings, check, choose_preset, from_dict, to_dict
from faceaug.errors import ConfigError
from faceaug.gan.config import PRESETS, RECIPES, GeneratorConfig, TrainingConfig, apply_recipe
from faceaug.parser.config import ParserConfig, ParserTraining, default_images


def test_round_trip():
    config = ParserConfig(size=96, encoder="resnet18", pretrained=False)
    assert from_dict(ParserConfig, to_dict(config), where="x") == config


def test_unknown_and_missing_settings_name_the_file():
    with pytest.raises(ConfigError, match=r"w\.safetensors: unknown settings colour"):
        from_dict(GeneratorConfig, {"colour": 1}, where="w.safetensors")

    @dataclasses.dataclass
    class Needs:
        it: int

    with pytest.raises(ConfigError, match=r"w: incomplete settings"):
        from_dict(Needs, {}, where="w")


def test_all_problems_are_told_at_once():
    with pytest.raises(ConfigError, match="one; three"):
        check({"one": True, "two": False, "three": True})
    with pytest.raises(ConfigError, match=r"--images 0.*--batch 1"):
        ParserTraining(images=0, batch=1)


def test_presets():
    assert {name: config.size for name, (config, _) in PRESETS.items()} == {"demo": 64, "tiny": 64, "small": 128, "paper": 256}
    with pytest.raises(ConfigError, match="--preset huge: unknown; choose from demo, tiny, small, paper"):
        choose_preset(PRESETS, "huge")


def test_recipes():
    preset = GeneratorConfig(size=64, width=16), TrainingConfig(images=800, batch=8)
    assert apply_recipe("default", *preset) == preset
    for name in RECIPES:
        generator, training = apply_recipe(name, *preset)
        assert (generator.size, generator.width, training.images, training.batch) == (64, 16, 800, 8)
    papers = apply_recipe("paper", *preset)[1]
    # Terms of D are averaged over its two scales here, summed in the paper.
    assert (papers.lambda_local, papers.lambda_global, papers.lambda_gd / 2, papers.lambda_gp) == (10, 1, 1, 1)
    assert papers.discriminator == "patch"
    assert papers.parsing_until > 1  # constant
    assert papers.human == 0
    assert not apply_recipe("paper", *preset)[0].texture
    assert apply_recipe("official", *preset)[0].enlarge == 1.1
    with pytest.raises(ConfigError, match="--recipe best: unknown; use default, paper, official"):
        apply_recipe("best", *preset)
    with pytest.raises(ConfigError, match="enlarge, bare_eyes: only the framework has them, not local"):
        apply_recipe("official", GeneratorConfig(variant="local"), preset[1])


def test_the_parsers_rate_rises_and_stays():
    short, long = (ParserTraining(images=images, batch=16) for images in (16_000, 64_000))
    rates = [short.rate(step) for step in range(short.steps)]
    assert rates[0] == pytest.approx(short.learning_rate / 100)
    assert rates[99:] == [short.learning_rate] * (short.steps - 99)
    # What a longer run does up to here is the same: its tuning curve begins with the shorter one's.
    assert rates == [long.rate(step) for step in range(short.steps)]
    brief = ParserTraining(images=160, batch=16)
    assert brief.rate(0) == brief.learning_rate  # at most a tenth of the run


def test_tuning_is_scored_evenly_and_at_the_end():
    training = ParserTraining(images=1600, batch=16)
    assert sum(training.evaluate_after(step) for step in range(1, training.steps + 1)) == training.evaluations
    assert training.evaluate_after(training.steps)


def test_default_lengths():
    assert default_images(100, "cpu") == 12_000
    assert default_images(2000, "cpu") == 16_000
    assert default_images(100, "cuda") == 12_000
    assert default_images(5000, "cuda") == 200_000


SECTIONS = {"generator": GeneratorConfig(size=64), "training": TrainingConfig(images=800)}


def test_every_setting_can_be_set():
    for section, config in SECTIONS.items():
        for name, value in to_dict(config).items():
            if isinstance(value, dict):  # the label scheme follows from the data
                continue
            text = ",".join(map(str, value)) if isinstance(value, list) else str(value)
            assert apply_settings(SECTIONS, pairs=[f"{name}={text}"]) == SECTIONS, (section, name)
    found = apply_settings(
        SECTIONS, pairs=["width=24", "lambda_colour=1", "betas=0.0,0.9", "flip=no", "images=1_000", "width=32"]
    )
    assert found["generator"] == dataclasses.replace(SECTIONS["generator"], width=32)
    assert found["training"] == TrainingConfig(images=1_000, lambda_colour=1.0, betas=(0.0, 0.9), flip=False)


def test_settings_from_files(tmp_path):
    toml, back = tmp_path / "run.toml", tmp_path / "config.json"
    toml.write_text('seed = 3\n[generator]\nwidth = 24\n[training]\nbetas = [0, 0.5]\ndiscriminator = "patch"\n')
    found = apply_settings(SECTIONS, file=toml, pairs=["seed=4"])
    assert (found["generator"].width, found["training"].seed, found["training"].betas) == (24, 4, (0.0, 0.5))
    back.write_text(json.dumps({**{name: to_dict(config) for name, config in found.items()}, "data": {"title": "x"}}))
    assert apply_settings(SECTIONS, file=back) == found


@pytest.mark.parametrize(
    ("pair", "told"),
    [
        ("lambda_color=1", r"--set lambda_color: unknown; known are .*lambda_colour"),
        ("width", r"--set width: needs NAME=VALUE"),
        ("width=wide", r"--set width: 'wide' does not fit; it is 64 by default"),
        ("width=8.5", r"--set width: '8.5' does not fit"),
        ("flip=maybe", r"--set flip: 'maybe' does not fit"),
        ("betas=0.5", r"--set betas: '0.5' does not fit"),
        ("width=12", r"width 12: must be a positive multiple of 8"),
    ],
)
def test_settings_that_do_not_fit(pair, told):
    with pytest.raises(ConfigError, match=told):
        apply_settings(SECTIONS, pairs=[pair])


def test_files_that_do_not_fit(tmp_path):
    file = tmp_path / "run.toml"
    for text, told in (
        ("width = ", r"run\.toml: cannot be read"),
        ("[training]\nwidth = 8\n", r"run.toml: width: unknown; known are .*betas"),
        ("[network]\nwidth = 8\n", r"run.toml: network: unknown"),
        ("width = 'x'\n", r"run.toml: width: 'x' does not fit"),
    ):
        file.write_text(text)
        with pytest.raises(ConfigError, match=told):
            apply_settings(SECTIONS, file=file)
    with pytest.raises(ConfigError, match=r"none\.toml: cannot be read"):
        apply_settings(SECTIONS, file=tmp_path / "none.toml")


def test_a_settings_file_without_names_is_refused(tmp_path):
    for name, content in (("list.json", "[1]"), ("null.json", "null")):
        (tmp_path / name).write_text(content)
        with pytest.raises(ConfigError, match=rf"--config .*{name}: holds no settings by name"):
            apply_settings({}, file=tmp_path / name)
