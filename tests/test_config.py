import dataclasses

import pytest

from faceaug.config import check, choose_preset, from_dict, to_dict
from faceaug.errors import ConfigError
from faceaug.gan.config import PRESETS, GeneratorConfig
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


def test_the_parsers_rate_rises_and_falls():
    training = ParserTraining(images=1600, batch=16)
    rates = [training.rate(step) for step in range(training.steps)]
    assert max(rates) == pytest.approx(training.learning_rate)
    assert rates[0] < rates[9]
    assert rates[-1] < 1e-3 * training.learning_rate
    assert sum(training.evaluate_after(step) for step in range(1, training.steps + 1)) == training.evaluations
    assert training.evaluate_after(training.steps)


def test_default_lengths():
    assert default_images(100, "cpu") == 4000
    assert default_images(2000, "cpu") == 60_000
    assert default_images(2000, "cuda") == 80_000
