import re

import numpy as np
import pytest

from faceaug.edit.operations import OPERATIONS, Change, apply_changes, parse_change
from faceaug.errors import ConfigError
from faceaug.labels import BACKGROUND, FASSEG_6, HAIR, INNER_MOUTH, LEFT_BROW, LEFT_EYE, LOWER_LIP, RIGHT_EYE, SKIN, UPPER_LIP
from faceaug.shapes.plausible import implausible
from faceaug.shapes.target import Target, among

INNER = {
    "smile": (UPPER_LIP, INNER_MOUTH, LOWER_LIP),
    "mouth": (UPPER_LIP, INNER_MOUTH, LOWER_LIP),
    "lips": (UPPER_LIP, INNER_MOUTH, LOWER_LIP),
    "eyes": (LEFT_EYE, RIGHT_EYE),
    "brows": (LEFT_BROW, LEFT_BROW + 1),
}


@pytest.fixture(scope="module")
def targets(drawn):
    from faceaug.datasets.helen import Helen

    from faceaug.prepare.faces import align

    faces = align(Helen(drawn / "helen"), size=256).labelled()
    return [Target(image, labels, faces.scheme) for image, labels in zip(faces.images[:4], faces.labels[:4], strict=True)]


def _apply(target, name, strength=1.0):
    try:
        return apply_changes(target, [Change(name, strength)])[0]
    except ConfigError:
        return target


@pytest.mark.parametrize("name", OPERATIONS)
def test_an_operation_changes_its_parts_and_the_skin_or_background_around_them(targets, name):
    kind = name.split("-")[0]
    done = 0
    for target in targets:
        found = _apply(target, name)
        changed = found.labels != target.labels
        done += bool(changed.any())
        both = np.concatenate([target.anatomy[changed], found.anatomy[changed]])
        if kind in INNER:
            lower_face = (SKIN,) if kind != "mouth" else (SKIN, *range(11))  # an open mouth moves the chin
            assert among(both, *INNER[kind], *lower_face).all()
        else:
            assert among(both, HAIR, SKIN, BACKGROUND).all()
        assert not implausible(found.anatomy, target.anatomy)
    assert done >= (1 if name == "mouth-closed" else 3)  # few of them have an open mouth


@pytest.mark.parametrize("name", OPERATIONS)
def test_a_larger_strength_changes_more(targets, name):
    areas = [sum(int((_apply(target, name, s).labels != target.labels).sum()) for target in targets) for s in (0.5, 1.5)]
    assert areas[0] < areas[1]


def _height(target, part):
    rows = np.nonzero(target.anatomy == part)[0]
    return rows.max() - rows.min() + 1


def test_each_does_what_it_says(targets):
    for target in targets:
        assert (_apply(target, "mouth-open").anatomy == INNER_MOUTH).sum() > (target.anatomy == INNER_MOUTH).sum()
        assert (_apply(target, "mouth-closed", 2).anatomy == INNER_MOUTH).sum() <= (target.anatomy == INNER_MOUTH).sum()
        assert _height(_apply(target, "eyes-larger"), LEFT_EYE) > _height(target, LEFT_EYE)
        assert _height(_apply(target, "eyes-smaller"), LEFT_EYE) < _height(target, LEFT_EYE)
        up = np.nonzero(_apply(target, "brows-up").anatomy == LEFT_BROW)[0].mean()
        assert up < np.nonzero(target.anatomy == LEFT_BROW)[0].mean() - 2
        smile = _apply(target, "smile")
        lips = [np.nonzero(among(one.anatomy, UPPER_LIP, INNER_MOUTH, LOWER_LIP)) for one in (target, smile)]
        rise = []
        for rows, columns in lips:  # the corners against the middle
            ends = (columns <= columns.min() + 4) | (columns >= columns.max() - 4)
            rise.append(np.median(rows[~ends]) - rows[ends].mean())
        assert rise[1] > rise[0]


def test_small_parts_change_by_a_pixel_at_least_and_do_not_vanish(targets):
    small = [Target(one.image[2::4, 2::4], one.labels[2::4, 2::4], one.scheme) for one in targets]
    told = []
    for target in small:
        for name in ("eyes-larger", "smile", "brows-thicker", "lips-fuller"):
            found, remarks = apply_changes(target, [Change(name, 0.1)])
            assert (found.labels != target.labels).any()
            told += remarks
        shut = apply_changes(target, [Change("smile"), Change("eyes-smaller", 3)])[0]
        assert {LEFT_EYE, RIGHT_EYE, UPPER_LIP, LOWER_LIP} <= set(np.unique(shut.anatomy))
    assert any(re.fullmatch(r"eyes-larger:0.1 made as eyes-larger:[\d.]+, less is no pixel at 64 px", one) for one in told)


def test_a_change_without_effect_is_left_out_beside_others(targets):
    bald = Target(targets[0].image, np.where(targets[0].labels == HAIR, SKIN, targets[0].labels).astype(np.uint8),
                  targets[0].scheme)  # fmt: skip
    found, remarks = apply_changes(bald, [Change("hair-longer"), Change("smile")])
    assert (found.labels != bald.labels).any()
    assert remarks == ["hair-longer left out, the mask lacks the part or the room for it"]


def test_hair_gets_longer_on_the_background_only_and_shorter_outside_of_the_face(targets):
    for target in targets:
        longer = _apply(target, "hair-longer")
        grown = longer.labels != target.labels
        assert (target.anatomy[grown] == BACKGROUND).all()
        assert (longer.anatomy[grown] == HAIR).all()
        if not grown.any():  # bald
            continue
        shorter = _apply(longer, "hair-shorter")
        assert (shorter.anatomy == HAIR).sum() < (longer.anatomy == HAIR).sum()
        lost = shorter.labels != longer.labels
        assert (shorter.anatomy[lost] == BACKGROUND).all()


def test_a_hairline_moves_up_and_down(targets):
    for target in targets:
        up = _apply(target, "forehead")
        changed = up.labels != target.labels
        assert (target.anatomy[changed] == HAIR).all()
        assert (up.anatomy[changed] == SKIN).all()
        down = _apply(target, "fringe")
        changed = down.labels != target.labels
        assert (target.anatomy[changed] == SKIN).all()
        assert (down.anatomy == LEFT_BROW).sum() == (target.anatomy == LEFT_BROW).sum()


def test_changes_are_read_from_text():
    assert parse_change("smile") == Change("smile", 1.0)
    assert parse_change("smile:0.5") == Change("smile", 0.5)
    assert str(parse_change("smile:0.5")) == "smile:0.5"
    assert str(parse_change("smile")) == "smile"
    with pytest.raises(ConfigError, match=r"--change grin: unknown; use forehead"):
        parse_change("grin")
    with pytest.raises(ConfigError, match=r"strength 'much' is no number"):
        parse_change("smile:much")
    with pytest.raises(ConfigError, match=r"smile:0: the strength must be above 0"):
        parse_change("smile:0")


def test_a_mask_without_the_part_is_refused(targets):
    bald = Target(targets[0].image, np.where(targets[0].labels == HAIR, BACKGROUND, targets[0].labels).astype(np.uint8),
                  targets[0].scheme)  # fmt: skip
    for name in ("forehead", "hair-longer", "hair-shorter"):
        with pytest.raises(ConfigError, match=f"--change {name}: changes nothing at 256 px: the mask lacks"):
            apply_changes(bald, [Change(name)])
    coarse = np.full((64, 64), FASSEG_6.classes.index("mouth"), dtype=np.uint8)
    with pytest.raises(ConfigError, match="mouth-open"):
        apply_changes(Target(np.zeros((64, 64, 3), np.uint8), coarse, FASSEG_6), [Change("mouth-open")])
