import pytest
from faceaug.benchmarks.parsing.arms import FIRST, ORACLES, QUICK, SETS, USUAL, Added, Arm, parse_arm, read_arms, read_sets

from faceaug.errors import ConfigError
from faceaug.parser.config import ParserTraining

TRAINING = ParserTraining(images=8_000, batch=8)


def test_an_arm_is_what_its_words_say():
    arm = parse_arm("strong+generated:0.4+unimatch", SETS)
    assert (arm.augment, arm.real, arm.schedule) == ("strong", True, "mixed")
    assert arm.added == (Added("generated", 0.4), Added("unimatch", 0.3))
    assert [one.taught for one in arm.added] == [False, True]
    assert parse_arm("aug+pseudo", SETS).added == (Added("pseudo", 0.5),)
    assert [one.share for one in parse_arm("aug+pseudo+generated", SETS).added] == pytest.approx([1 / 3, 1 / 3])
    assert parse_arm("real", SETS) == Arm("real", augment="none")
    assert not parse_arm("generated+pseudo", SETS).real


def test_the_arms_that_are_offered_can_be_parsed():
    for name in (*FIRST, *USUAL, *ORACLES, *QUICK):
        assert parse_arm(name, SETS).name == name


@pytest.mark.parametrize("text", ["aug", "aug+generated", "aug+generated:0.5+pseudo:0.2", "strong+unimatch", "real+duplicated"])
def test_labelled_faces_are_seen_as_often_in_every_arm(text):
    training, shares = parse_arm(text, SETS).training(TRAINING)
    labelled = training.images * (1 - sum(shares))
    assert labelled == pytest.approx(TRAINING.images)
    assert training.steps == TRAINING.steps
    assert training.batch * (1 - sum(shares)) == pytest.approx(TRAINING.batch)


def test_pretraining_is_a_last_word():
    arm = parse_arm("aug+generated:0.5+pretrain", SETS)
    assert arm == Arm("aug+generated:0.5+pretrain", added=(Added("generated", 0.5),), schedule="pretrain")
    with pytest.raises(ConfigError, match="nothing to pretrain on"):
        parse_arm("aug+pretrain", SETS)
    with pytest.raises(ConfigError, match="'pretrain' is unknown"):
        parse_arm("aug+pretrain+generated", SETS)


def test_to_continue_is_one_too():
    arm = parse_arm("aug+pseudo:0.5+continue", SETS)
    assert arm.schedule == "continue"
    training, shares = arm.training(TRAINING)
    assert (training.images, training.batch, shares) == (2 * 5_336, 16, (0.5,))  # two thirds of 8,000 in whole steps
    alone, none = parse_arm("aug+continue", SETS).training(TRAINING)
    assert (alone.steps, none) == (training.steps, ())
    assert parse_arm("aug+unimatch+continue", SETS).added[0].taught
    with pytest.raises(ConfigError, match="nothing to continue from"):
        parse_arm("pseudo+continue", SETS)


def test_pretraining_comes_on_top_as_well():
    arm = Arm("x", added=(Added("generated", 0.5),), schedule="pretrain")
    training, shares = arm.training(TRAINING)
    assert shares == (1.0,)
    assert training.batch == TRAINING.batch
    assert (training.steps - training.pretrain_steps) * training.batch == TRAINING.images


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("augmented", r"'augmented' is unknown; begin with real, aug, strong, or add some of duplicated"),
        ("aug+painted", "'painted' is unknown; add some of"),
        ("aug+pseudo:half", r"share 'half' is no number; write for example pseudo:0.3"),
        ("aug+pseudo:0.6+generated:0.5", r"add up to 1.1; it must be below 1"),
        ("aug+pseudo:0", "shares must be above 0"),
        ("aug+pseudo:nan", "shares must be numbers"),
        ("generated+pretrain", "no labelled faces to train on after pretraining"),
        ("unimatch", "unimatch needs labelled faces"),
        ("aug+pseudo+pseudo", "added twice"),
    ],
)
def test_what_cannot_be_is_named(text, match):
    with pytest.raises(ConfigError, match=match):
        parse_arm(text, SETS)


def test_a_file_defines_arms_and_sets():
    sets = read_sets({"mine": {"masks": ["own", "predicted"], "total": 100, "mix": "pairs"}}, where="a.toml")
    assert (sets["mine"].masks, sets["mine"].total, sets["mine"].generate.mix) == (("own", "predicted"), 100, "pairs")
    arms = read_arms({"first": {"is": "aug+mine", "schedule": "pretrain"}}, sets, where="a.toml")
    assert arms["first"] == Arm("first", added=(Added("mine", 0.5),), schedule="pretrain")
    for table, match in (
        ({"x": {"add": "mine"}}, r"a.toml: arms.x: needs is ="),
        ({"x": {"is": "aug+mine", "schedule": "never"}}, "schedule never: unknown"),
        ({"a$b|": {"is": "aug+mine"}}, "names are letters, digits"),
        (3, r"arms = 3; it must be tables \[arms.NAME\]"),
    ):
        with pytest.raises(ConfigError, match=match):
            read_arms(table, sets, where="a.toml")
    for table, match in (
        ({"x": {"mixing": "all"}}, "a.toml: sets.x: mixing unknown"),
        ({"x": {"masks": ["their"]}}, "masks their: unknown; use own, predicted, unused"),
        ({"x": 3}, "must be a table"),
        ({"x": {"masks": 3}}, "masks = 3; must be a list of names"),
        ({"x": {"total": "many"}}, "total = 'many'; must be a number"),
        ({"pseudo": {}}, "photos that the teachers have labelled already"),
    ):
        with pytest.raises(ConfigError, match=match):
            read_sets(table, where="a.toml")
