import dataclasses
import itertools

import numpy as np
import pytest

from faceaug.config import from_dict, to_dict
from faceaug.errors import CheckpointMismatch, ConfigError
from faceaug.labels import (
    BISENET_19,
    CELEBAMASK_19,
    FACESYNTHETICS_19,
    FASSEG_6,
    HELEN_11,
    IGNORE,
    LAPA_11,
    LEFT_EYE,
    RIGHT_EYE,
    SCHEMES,
    Scheme,
    check_schemes,
    fill_ignored,
    find_scheme,
    remap,
    scheme_toml,
)

every_scheme = pytest.mark.parametrize("scheme", SCHEMES.values(), ids=SCHEMES)


@every_scheme
def test_flip_twice_changes_nothing(scheme):
    labels = np.random.default_rng(0).integers(0, len(scheme), (3, 8, 9), dtype=np.uint8)
    labels[0, 0, 0] = IGNORE
    assert (scheme.flip(scheme.flip(labels)) == labels).all()


def test_flip_exchanges_sides():
    labels = np.zeros((1, 4), dtype=np.uint8)
    labels[0, 0] = LEFT_EYE
    assert HELEN_11.flip(labels).tolist() == [[0, 0, 0, RIGHT_EYE]]


@every_scheme
def test_flip_exchanges_sided_parts_and_leaves_lips_alone(scheme):
    other = {"left": "right", "right": "left"}
    for label, part in enumerate(scheme.parts):
        side, _, rest = part.partition("_")
        mirrored = f"{other[side]}_{rest}" if side in other else part
        assert scheme.parts[scheme.mirror[label]] == mirrored
        assert (scheme.mirror[label] == label) == (side not in other and "ear" not in scheme.classes[label].split("_")[1:])


@every_scheme
def test_the_anatomy_of_a_mirrored_map_is_the_mirrored_anatomy(scheme):
    labels = np.random.default_rng(1).integers(0, len(scheme), (2, 8, 8), dtype=np.uint8)
    labels[0, 0, 0] = IGNORE
    assert (scheme.anatomy(scheme.flip(labels)) == HELEN_11.flip(scheme.anatomy(labels))).all()


def test_helens_labels_are_the_anatomy():
    labels = np.random.default_rng(2).integers(0, 11, (2, 6, 6), dtype=np.uint8)
    assert (HELEN_11.anatomy(labels) == labels).all()


def test_the_persons_own_left_is_the_viewers_right():
    assert CELEBAMASK_19.parts[CELEBAMASK_19.classes.index("l_eye")] == "right_eye"
    assert FACESYNTHETICS_19.parts[FACESYNTHETICS_19.classes.index("left_eye")] == "right_eye"


@every_scheme
def test_a_scheme_survives_json_and_toml(scheme, tmp_path):
    assert from_dict(Scheme, to_dict(scheme), where="here") == scheme
    (tmp_path / "scheme.toml").write_text(scheme_toml(scheme))
    assert find_scheme(tmp_path / "scheme.toml") == scheme


def test_a_users_scheme_from_toml(tmp_path):
    file = tmp_path / "mine.toml"
    file.write_text(
        'name = "mine"\n'
        + "".join(
            f'[[classes]]\nname = "{name}"\ncolour = [{number}, 0, 0]\npart = "{part}"\n{more}\n'
            for number, (name, part, more) in enumerate(
                [("nothing", "kept", ""), ("face", "skin", ""), ("ohr_l", "kept", 'mirror = "ohr_r"'), ("ohr_r", "kept", "")]
            )
        )
    )
    found = find_scheme(file)
    assert (found.name, found.classes, found.mirror) == ("mine", ("nothing", "face", "ohr_l", "ohr_r"), (0, 1, 3, 2))
    file.write_text(file.read_text().replace("skin", "cheek"))
    with pytest.raises(ConfigError, match="cheek"):
        find_scheme(file)
    with pytest.raises(ConfigError, match="helen-11"):
        find_scheme("helen-12")


@pytest.mark.parametrize("pair", itertools.permutations(SCHEMES.values(), 2), ids=lambda pair: "-".join(s.name for s in pair))
def test_remaps_keep_parts_and_name_what_they_lose(pair):
    source, target = pair
    found = remap(source, target)
    for label, part in enumerate(source.parts):
        to = int(found.table[label])
        if part == "kept":
            continue
        if to == IGNORE:
            assert any(loss.startswith(f"{source.classes[label]} becomes unlabelled") for loss in found.losses)
        elif part in target.parts:
            assert target.parts[to] == part
    assert found(np.array([[IGNORE]], dtype=np.uint8)).tolist() == [[IGNORE]]


def test_remaps_there_and_back():
    there, back = remap(CELEBAMASK_19, BISENET_19), remap("bisenet-19", "celebamask-19")
    labels = np.arange(19, dtype=np.uint8)
    assert (back(there(labels)) == labels).all()
    assert not there.losses
    helen = np.arange(11, dtype=np.uint8)
    again = remap(CELEBAMASK_19, HELEN_11)(remap(HELEN_11, CELEBAMASK_19)(helen))
    assert again.tolist() == [IGNORE, *range(1, 11)]  # what Helen calls background may be a neck


def test_remaps_of_ears_hats_and_glasses():
    table = remap(CELEBAMASK_19, HELEN_11).table
    of = {name: HELEN_11.classes[table[label]] for label, name in enumerate(CELEBAMASK_19.classes)}
    assert (of["eye_g"], of["l_ear"], of["hat"], of["l_eye"]) == ("skin", "background", "background", "right_eye")
    assert LAPA_11.classes[remap(CELEBAMASK_19, LAPA_11).table[CELEBAMASK_19.classes.index("l_ear")]] == "skin"
    assert FASSEG_6.classes[remap(HELEN_11, FASSEG_6).table[2]] == "hair"


def test_fill_ignored_takes_the_nearest_class():
    labels = np.full((2, 5, 5), IGNORE, dtype=np.uint8)
    labels[0, 0, 0], labels[0, 4, 4] = 3, 7
    filled = fill_ignored(labels)
    assert filled[0, 1, 0] == 3
    assert filled[0, 3, 4] == 7
    assert (filled[1] == 0).all()
    assert labels[0, 1, 0] == IGNORE  # the input is left alone


@every_scheme
def test_colours_are_distinct_and_white_where_unlabelled(scheme):
    shown = scheme.colour(np.array([[0, len(scheme) - 1, IGNORE]], dtype=np.uint8))
    assert shown[0].tolist() == [list(scheme.colours[0]), list(scheme.colours[-1]), [255, 255, 255]]
    assert len(set(scheme.colours)) == len(scheme)


def test_sides_are_paired_by_their_parts_where_names_do_not_say_it(tmp_path):
    head = '[[classes]]\nname = "bg"\ncolour = [0, 0, 0]\npart = "kept"\n'
    sides = "".join(
        f'[[classes]]\nname = "{name}"\ncolour = [{at}, 0, 0]\npart = "{name}_eye"\n'
        for at, name in enumerate(("left", "right"), 1)
    )
    (tmp_path / "mine.toml").write_text(head + sides)
    assert find_scheme(tmp_path / "mine.toml").mirror == (0, 2, 1)
    with pytest.raises(ConfigError, match="sides that are not each other's mirror"):
        dataclasses.replace(HELEN_11, mirror=tuple(range(11)))


def test_schemes_that_differ_are_named():
    check_schemes("generate", faces=HELEN_11, generator=HELEN_11)
    with pytest.raises(CheckpointMismatch, match=r"generate: label schemes differ \(faces helen-11, generator fasseg-6\)"):
        check_schemes("generate", faces=HELEN_11, generator=FASSEG_6)
