import json
from dataclasses import replace

import numpy as np
import pytest

from faceaug.labels import (
    BACKGROUND,
    CELEBAMASK_19,
    HAIR,
    HELEN_11,
    IGNORE,
    INNER_MOUTH,
    LEFT_BROW,
    LEFT_EYE,
    LOWER_LIP,
    RIGHT_EYE,
    SKIN,
    UPPER_LIP,
)
from faceaug.shapes.edits import OPERATIONS, build_operations
from faceaug.shapes.geometry import Flip, Similarity
from faceaug.shapes.model import ShapeModel
from faceaug.shapes.parts import move_part, open_mouth
from faceaug.shapes.target import Target


@pytest.fixture(scope="module")
def operations(faces):
    return build_operations(OPERATIONS, faces)


def _target(faces, row=0):
    return Target(faces.images[row], faces.labels[row], faces.scheme)


def _open(faces):
    """A face that shows both lips."""
    return next(
        _target(faces, row) for row in range(len(faces)) if {UPPER_LIP, LOWER_LIP} <= set(np.unique(faces.labels[row]).tolist())
    )


@pytest.mark.parametrize("name", OPERATIONS)
def test_parameters_survive_json_and_give_the_same_face_again(name, operations, faces):
    operation, target = operations[name], _target(faces)
    params = operation.draw(np.random.default_rng(3), 2.0)
    first = operation.apply(target, params)
    again = operation.apply(target, json.loads(json.dumps(params)))
    assert (first.labels == again.labels).all()
    assert (first.image == again.image).all()
    assert first.labels.dtype == first.image.dtype == np.uint8
    assert (first.labels != target.labels).any()
    assert (_target(faces).labels == target.labels).all()  # the target itself is as it was


@pytest.mark.parametrize("name", [name for name in OPERATIONS if name != "flip"])
def test_strength_scales_what_is_drawn_and_little_of_it_changes_little(name, operations, faces):
    operation, target = operations[name], _target(faces, 1)
    drawn = [operation.draw(np.random.default_rng(5), strength) for strength in (0.01, 0.3, 1.5)]
    changed = [(operation.apply(target, params).labels != target.labels).mean() for params in drawn]
    assert changed[0] <= changed[1] <= changed[2]
    assert changed[0] < 0.01


def test_flip_twice_changes_nothing(faces):
    target = _target(faces)
    once = Flip().apply(target, {})
    assert (once.labels == LEFT_EYE).sum() == (target.labels == RIGHT_EYE).sum()
    twice = Flip().apply(once, {})
    assert (twice.labels == target.labels).all()
    assert (twice.image == target.image).all()


def test_a_shift_moves_photo_and_labels_together_and_the_outside_is_unknown(faces):
    target = _target(faces)
    params = {"angle": 0.0, "log_scale": 0.0, "right": 4 / 64, "down": 0.0}
    moved = Similarity().apply(target, params)
    assert (moved.labels[:, 4:] == target.labels[:, :-4]).all()
    assert (moved.image[:, 4:] == target.image[:, :-4]).all()
    assert (moved.labels[:, :4] == IGNORE).all()
    turned = Similarity().apply(target, {**params, "right": 0.0, "angle": 90.0})
    assert (turned.labels == np.rot90(target.labels, -1)).mean() > 0.99


def test_the_gap_between_the_lips_opens_and_closes(faces):
    target = _open(faces)
    gaps = [(open_mouth(target, amount).labels == INNER_MOUTH).sum() for amount in (-0.5, 0.0, 0.2, 0.4)]
    assert gaps[0] <= gaps[1] < gaps[2] < gaps[3]
    wide = open_mouth(target, 0.3)
    for lip in (UPPER_LIP, LOWER_LIP):
        assert abs(int((wide.labels == lip).sum()) - int((target.labels == lip).sum())) <= 0.35 * (target.labels == lip).sum()
    # Only the face below the upper lip gives way.
    top = np.flatnonzero((target.labels == UPPER_LIP).any(1))[0]
    assert (wide.labels[:top] == target.labels[:top]).all()
    kept = np.isin(target.labels, (BACKGROUND, HAIR))
    assert (wide.labels[kept] == target.labels[kept]).all()


def test_a_part_moves_alone(faces):
    target = _target(faces)
    raised = move_part(target, (LEFT_BROW,), down=-0.03)
    before, after = (np.argwhere(labels == LEFT_BROW)[:, 0].mean() for labels in (target.labels, raised.labels))
    assert after < before
    others = ~np.isin(target.labels, (SKIN, LEFT_BROW))
    assert (raised.labels[others] == target.labels[others]).all()
    larger = move_part(target, (LEFT_EYE,), log_height=0.5)
    assert (larger.labels == LEFT_EYE).sum() > (target.labels == LEFT_EYE).sum()
    assert move_part(Target(target.image, np.zeros_like(target.labels), HELEN_11), (LEFT_EYE,), down=0.1).labels.max() == 0


def test_hair_of_another_lies_under_this_face_and_uncovered_background_is_filled(operations, faces):
    target = _target(faces, 0)
    for row in range(1, 6):
        changed = operations["hair"].apply(target, {"of": faces.names[row], "row": row, "share": 1.0})
        face = ~np.isin(target.labels, (BACKGROUND, HAIR))
        assert (changed.labels[face] == target.labels[face]).all()
        old_hair = target.labels == HAIR
        uncovered = (changed.labels == BACKGROUND) & (target.labels != BACKGROUND)
        assert not (uncovered & ~old_hair).any()
        still = (changed.labels == BACKGROUND) & (target.labels == BACKGROUND)
        assert (changed.image[still] == target.image[still]).all()


def test_the_shape_model_moves_outlines_and_leaves_inner_parts(operations, faces, tmp_path):
    model, target = operations["model"], _target(faces)
    changed = model.apply(target, model.draw(np.random.default_rng(1), 1.5))
    inner = ~np.isin(target.labels, (BACKGROUND, SKIN, HAIR, IGNORE))
    assert (changed.labels[inner] == target.labels[inner]).all()
    assert set(np.unique(changed.labels)) <= set(np.unique(target.labels))
    model.save(tmp_path / "m.safetensors")
    again = ShapeModel.load(tmp_path / "m.safetensors")
    params = model.draw(np.random.default_rng(2), 1.0)
    assert (again.apply(target, params).labels == model.apply(target, params).labels).all()
    still = model.apply(target, {"deviations": [0.0] * len(model.modes)})
    assert (still.labels != target.labels).mean() < 0.005


# Helen's parts in CelebAMask's numbers.
_NUMBERS = np.array([CELEBAMASK_19.parts.index(part) for part in HELEN_11.parts], dtype=np.uint8)
_EARS = {CELEBAMASK_19.classes.index(name) for name in ("l_ear", "r_ear")}


@pytest.mark.parametrize("name", OPERATIONS)
def test_other_schemes_keep_their_own_classes(name, faces):
    labels = np.where(faces.labels[0] == IGNORE, IGNORE, _NUMBERS[np.minimum(faces.labels[0], 10)])
    labels[30:34, 2:5] = max(_EARS)
    pool = replace(faces.select([0, 1]), labels=np.stack([labels, CELEBAMASK_19.flip(labels)]), scheme=CELEBAMASK_19)
    operation = build_operations((name,), pool)[name]
    changed = operation.apply(Target(faces.images[0], labels, CELEBAMASK_19), operation.draw(np.random.default_rng(0), 1.0))
    assert set(np.unique(changed.labels)) <= {*_NUMBERS.tolist(), *_EARS, IGNORE}
    assert _EARS & set(np.unique(changed.labels))
