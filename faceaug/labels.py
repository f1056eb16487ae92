"""Label schemes: classes, colours, what mirroring does to them, and which part of the face each class is.

"Left" is the viewer's left (smaller x), as in Helen, LaPa and HELEN*.

The framework cuts, moves and places parts of the face; which classes a label map has is the data's affair. Each class of a scheme
names its part, the *anatomy*, in Helen's eleven numbers; what belongs to no part (ears, neck, hats, clothes) is *kept*: a
generated face has the target photo's own pixels there, so their labels stay true.
"""

from __future__ import annotations

import dataclasses
import json
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from faceaug.arrays import ByteArray, IntArray
from faceaug.errors import CheckpointMismatch, ConfigError

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib


IGNORE = 255
"""Pixels without a label: left out of every loss and metric."""

BACKGROUND, SKIN, LEFT_BROW, RIGHT_BROW, LEFT_EYE, RIGHT_EYE, NOSE, UPPER_LIP, INNER_MOUTH, LOWER_LIP, HAIR = range(11)
MOUTH = (UPPER_LIP, INNER_MOUTH, LOWER_LIP)
NUM_PARTS = 11
"""Numbers of an anatomy; 0 is kept."""

_PARTS: dict[str, tuple[int, int]] = {
    "kept": (BACKGROUND, BACKGROUND),
    "skin": (SKIN, SKIN),
    "left_brow": (LEFT_BROW, LEFT_BROW),
    "right_brow": (RIGHT_BROW, RIGHT_BROW),
    "brows": (LEFT_BROW, RIGHT_BROW),
    "left_eye": (LEFT_EYE, LEFT_EYE),
    "right_eye": (RIGHT_EYE, RIGHT_EYE),
    "eyes": (LEFT_EYE, RIGHT_EYE),
    "nose": (NOSE, NOSE),
    "upper_lip": (UPPER_LIP, UPPER_LIP),
    "inner_mouth": (INNER_MOUTH, INNER_MOUTH),
    "lower_lip": (LOWER_LIP, LOWER_LIP),
    "mouth": (UPPER_LIP, UPPER_LIP),
    "hair": (HAIR, HAIR),
}
"""Anatomy of a part in the left and in the right half of an aligned face."""

PARTS = tuple(_PARTS)
"""What a class can be. ``eyes`` and ``brows`` are one class for both sides, split at the middle of the aligned face; ``mouth`` is
one class for lips and teeth."""


@dataclass(frozen=True)
class Scheme:
    """A label scheme; label 0 is the background, 255 is unlabelled.

    Attributes:
        name: for example ``helen-11``.
        classes: names in label order.
        colours: RGB of each class, 0..255, in pictures and in colour-coded label maps.
        parts: what each class is, from :data:`PARTS`.
        mirror: the class that each one is in the mirrored photo.
    """

    name: str
    classes: tuple[str, ...]
    colours: tuple[tuple[int, int, int], ...]
    parts: tuple[str, ...]
    mirror: tuple[int, ...]

    def __post_init__(self) -> None:
        count = len(self.classes)
        unknown = [part for part in self.parts if part not in _PARTS]
        problems = {
            "needs 2 to 255 classes": not 2 <= count <= 255,
            "has a class name twice": len(set(self.classes)) != count,
            "needs a colour, a part and a mirror class for each class": {
                len(self.colours), len(self.parts), len(self.mirror)
            } != {count},
            f"has unknown parts {', '.join(unknown)}; use {', '.join(PARTS)}": bool(unknown),
            "colours are three numbers of 0..255": any(
                len(colour) != 3 or not all(0 <= value <= 255 for value in colour) for colour in self.colours
            ),
            "has mirror classes that are no pairs": any(
                not 0 <= other < count or self.mirror[other] != number for number, other in enumerate(self.mirror)
            ),
            "has sides that are not each other's mirror: a class of part left_... mirrors one of part right_...": any(
                0 <= other < len(self.parts) and _OTHER_SIDE.get(part, part) != self.parts[other]
                for part, other in zip(self.parts, self.mirror, strict=False)
            ),
            "class 0 is the background and must be kept": self.parts[:1] != ("kept",),
        }  # fmt: skip
        found = [problem for problem, applies in problems.items() if applies]
        if found:
            raise ConfigError(f"label scheme {self.name}: {'; '.join(found)}")

    def __len__(self) -> int:
        return len(self.classes)

    @cached_property
    def flip_table(self) -> ByteArray:
        """``(256,)``: a label's class in the mirrored photo; 255 stays 255."""
        table = np.arange(256, dtype=np.uint8)
        table[: len(self)] = self.mirror
        return table

    @cached_property
    def anatomy_tables(self) -> ByteArray:
        """``(2, 256)``: a label's anatomy in the left and the right half of an aligned face; 255 stays 255."""
        tables = np.full((2, 256), IGNORE, dtype=np.uint8)
        tables[:, : len(self)] = np.array([_PARTS[part] for part in self.parts], dtype=np.uint8).T
        return tables

    def flip(self, labels: ByteArray) -> ByteArray:
        """Mirrored label maps ``(..., H, W)``, left and right classes exchanged; applied twice it gives the input back."""
        return np.ascontiguousarray(self.flip_table[labels][..., ::-1])

    def anatomy(self, labels: ByteArray) -> ByteArray:
        """What part of the face each pixel of aligned label maps ``(..., H, W)`` is, in :data:`NUM_PARTS` numbers, or 255."""
        left, right = self.anatomy_tables
        middle = labels.shape[-1] // 2
        return np.concatenate([left[labels[..., :middle]], right[labels[..., middle:]]], axis=-1)

    def colour(self, labels: ByteArray) -> ByteArray:
        """Label maps ``(..., H, W)`` as RGB ``(..., H, W, 3)``, 255 white."""
        table = np.full((256, 3), 255, dtype=np.uint8)
        table[: len(self)] = self.colours
        return table[labels]

    def where(self, part: str) -> tuple[int, ...]:
        """The labels of a part."""
        return tuple(label for label, one in enumerate(self.parts) if one == part)

    def check_range(self, labels: ByteArray, where: str) -> None:
        """Raise ConfigError unless all labels are of this scheme or 255."""
        worst = int(labels[labels != IGNORE].max(initial=0))
        if worst >= len(self):
            raise ConfigError(
                f"{where}: label {worst} is out of range; {self.name} has 0..{len(self) - 1}, or 255 for unlabelled"
            )


def _scheme(name: str, rows: Iterable[tuple[str, str, tuple[int, int, int]]]) -> Scheme:
    """A scheme from class, part and colour; left and right by name."""
    classes, parts, colours = zip(*rows, strict=True)
    return Scheme(name, classes, colours, parts, _mirror(classes, parts))


_SIDES = (("left_", "right_"), ("l_", "r_"), ("left-", "right-"), ("left ", "right "))


_OTHER_SIDE = {
    f"{one}_{part}": f"{other}_{part}" for part in ("brow", "eye") for one, other in (("left", "right"), ("right", "left"))
}


def _mirror(classes: tuple[str, ...], parts: tuple[str, ...]) -> tuple[int, ...]:
    """The class of the other side, by name, else by part; a class without one is its own."""
    found = [parts.index(_OTHER_SIDE[part]) if _OTHER_SIDE.get(part) in parts else at for at, part in enumerate(parts)]
    for number, name in enumerate(classes):
        for one, other in (*_SIDES, *((b, a) for a, b in _SIDES)):
            if name.startswith(one) and other + name[len(one) :] in classes:
                found[number] = classes.index(other + name[len(one) :])
    return tuple(found)


_DARK = (24, 26, 38)

HELEN_11 = _scheme(
    "helen-11",
    [
        ("background", "kept", _DARK),
        ("skin", "skin", (240, 196, 160)),
        ("left_brow", "left_brow", (122, 74, 40)),
        ("right_brow", "right_brow", (164, 104, 58)),
        ("left_eye", "left_eye", (52, 120, 220)),
        ("right_eye", "right_eye", (96, 176, 250)),
        ("nose", "nose", (222, 146, 104)),
        ("upper_lip", "upper_lip", (224, 62, 90)),
        ("inner_mouth", "inner_mouth", (250, 238, 210)),
        ("lower_lip", "lower_lip", (176, 32, 78)),
        ("hair", "hair", (96, 62, 140)),
    ],
)
"""Helen and HELEN*: neck, ears and clothes are background. Its numbers are the anatomy's."""

LAPA_11 = dataclasses.replace(HELEN_11, name="lapa-11")
"""LaPa: Helen's classes in Helen's order, but skin has the ears in it."""

_CELEBAMASK: dict[str, tuple[str, tuple[int, int, int]]] = {
    "background": ("kept", _DARK),
    "skin": ("skin", (240, 196, 160)),
    "nose": ("nose", (222, 146, 104)),
    "eye_g": ("kept", (60, 200, 190)),
    "l_eye": ("right_eye", (96, 176, 250)),
    "r_eye": ("left_eye", (52, 120, 220)),
    "l_brow": ("right_brow", (164, 104, 58)),
    "r_brow": ("left_brow", (122, 74, 40)),
    "l_ear": ("kept", (240, 190, 90)),
    "r_ear": ("kept", (214, 160, 60)),
    "mouth": ("inner_mouth", (250, 238, 210)),
    "u_lip": ("upper_lip", (224, 62, 90)),
    "l_lip": ("lower_lip", (176, 32, 78)),
    "hair": ("hair", (96, 62, 140)),
    "hat": ("kept", (40, 140, 80)),
    "ear_r": ("kept", (230, 230, 70)),
    "neck_l": ("kept", (170, 220, 90)),
    "neck": ("kept", (200, 150, 130)),
    "cloth": ("kept", (90, 100, 120)),
}


def _celebamask(name: str, classes: Iterable[str]) -> Scheme:
    names = tuple(classes)
    scheme = _scheme(name, [(one, *_CELEBAMASK[one]) for one in names])
    # u_lip and l_lip are upper and lower, ear_r is an earring: only these four come in pairs.
    paired = {f"{side}_{part}" for side in "lr" for part in ("eye", "brow", "ear")}
    mirror = [other if names[number] in paired else number for number, other in enumerate(scheme.mirror)]
    return dataclasses.replace(scheme, mirror=tuple(mirror))


CELEBAMASK_19 = _celebamask("celebamask-19", _CELEBAMASK)
"""CelebAMask-HQ in its own order. l_ and r_ are the person's own sides there: l_eye is on the viewer's right."""

BISENET_19 = _celebamask(
    "bisenet-19",
    [
        "background",
        "skin",
        "l_brow",
        "r_brow",
        "l_eye",
        "r_eye",
        "eye_g",
        "l_ear",
        "r_ear",
        "ear_r",
        "nose",
        "mouth",
        "u_lip",
        "l_lip",
        "neck",
        "neck_l",
        "cloth",
        "hair",
        "hat",
    ],
)
"""The same classes in the order of most published parsers."""

FACESYNTHETICS_19 = _scheme(
    "facesynthetics-19",
    [
        ("background", "kept", _DARK),
        ("skin", "skin", (240, 196, 160)),
        ("nose", "nose", (222, 146, 104)),
        ("right_eye", "left_eye", (52, 120, 220)),
        ("left_eye", "right_eye", (96, 176, 250)),
        ("right_brow", "left_brow", (122, 74, 40)),
        ("left_brow", "right_brow", (164, 104, 58)),
        ("right_ear", "kept", (214, 160, 60)),
        ("left_ear", "kept", (240, 190, 90)),
        ("mouth_interior", "inner_mouth", (250, 238, 210)),
        ("top_lip", "upper_lip", (224, 62, 90)),
        ("bottom_lip", "lower_lip", (176, 32, 78)),
        ("neck", "kept", (200, 150, 130)),
        ("hair", "hair", (96, 62, 140)),
        ("beard", "skin", (130, 96, 80)),
        ("clothing", "kept", (90, 100, 120)),
        ("glasses", "kept", (60, 200, 190)),
        ("headwear", "kept", (40, 140, 80)),
        ("facewear", "kept", (150, 150, 160)),
    ],
)
"""Microsoft's FaceSynthetics; right and left are the person's own. The framework takes beards for skin."""

FASSEG_6 = _scheme(
    "fasseg-6",
    [
        ("background", "kept", (255, 0, 0)),
        ("skin", "skin", (255, 255, 0)),
        ("hair", "hair", (127, 0, 0)),
        ("nose", "nose", (0, 255, 255)),
        ("eyes", "eyes", (0, 0, 255)),
        ("mouth", "mouth", (0, 255, 0)),
    ],
)
"""FASSEG's frontal sets, in its own colours: ears and neck are skin, brows are hair; both eyes are one class, and so are lips and
teeth."""

SCHEMES = {
    scheme.name: scheme for scheme in (HELEN_11, LAPA_11, CELEBAMASK_19, BISENET_19, FACESYNTHETICS_19, FASSEG_6)
}  # fmt: skip
"""The schemes that have names."""


def find_scheme(name: str | Path) -> Scheme:
    """A scheme by name, or a user's own from a TOML file.

    ::

        name = "mine-4"
        [[classes]]
        name = "background"
        colour = [0, 0, 0]
        part = "kept"          # one of PARTS
        [[classes]]
        name = "left_ear"
        colour = [200, 160, 60]
        part = "kept"
        mirror = "right_ear"   # where neither names nor parts say it

    Raises:
        ConfigError: no such name or file, or not a scheme.
    """
    if str(name) in SCHEMES:
        return SCHEMES[str(name)]
    path = Path(name)
    if path.suffix != ".toml":
        raise ConfigError(f"label scheme {name}: unknown; use {', '.join(SCHEMES)}, or name a scheme's TOML file")
    try:
        found = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path}: cannot be read as TOML ({error}); see faceaug.labels.find_scheme for an example") from error
    try:
        rows = found["classes"]
        classes = tuple(str(row["name"]) for row in rows)
        parts = tuple(str(row["part"]) for row in rows)
        mirror = list(_mirror(classes, parts))
        for number, row in enumerate(rows):
            if "mirror" in row:
                mirror[number] = classes.index(row["mirror"])
                mirror[mirror[number]] = number
        colours = tuple(tuple(int(value) for value in row["colour"]) for row in rows)
        return Scheme(str(found.get("name", path.stem)), classes, colours, parts, tuple(mirror))  # type: ignore[arg-type]
    except (KeyError, TypeError, ValueError) as error:
        raise ConfigError(
            f"{path}: not a label scheme ({type(error).__name__}: {error}); each [[classes]] needs name, colour and part"
        ) from error


def check_schemes(command: str, **schemes: Scheme) -> None:
    """Raise CheckpointMismatch unless all are the same; the message names each by its keyword."""
    if len(set(schemes.values())) > 1:
        found = ", ".join(f"{name} {scheme.name}" for name, scheme in schemes.items())
        raise CheckpointMismatch(f"{command}: label schemes differ ({found}); name weights trained on masks like these")


def scheme_toml(scheme: Scheme) -> str:
    """A scheme as :func:`find_scheme` reads it."""
    lines = [f"name = {json.dumps(scheme.name)}"]
    for number, name in enumerate(scheme.classes):
        lines += ["", "[[classes]]", f"name = {json.dumps(name)}", f"colour = {list(scheme.colours[number])}"]
        lines += [f"part = {json.dumps(scheme.parts[number])}", f"mirror = {json.dumps(scheme.classes[scheme.mirror[number]])}"]
    return "\n".join(lines) + "\n"


@dataclass(frozen=True)
class Remap:
    """From one scheme to another.

    Attributes:
        source: the scheme of what comes in.
        target: of what comes out.
        table: ``(256,)`` uint8.
        losses: what the result lacks or holds wrongly, one sentence each.
    """

    source: Scheme
    target: Scheme
    table: ByteArray
    losses: tuple[str, ...]

    def __call__(self, labels: ByteArray) -> ByteArray:
        """Label maps of any shape in the other scheme."""
        return self.table[labels]


_ALIKE: dict[str, str] = {
    "glasses": "eye_g", "headwear": "hat", "clothing": "cloth", "mouth_interior": "inner_mouth", "top_lip": "upper_lip",
    "bottom_lip": "lower_lip", "u_lip": "upper_lip", "l_lip": "lower_lip",
}  # fmt: skip


def _meaning(scheme: Scheme, label: int) -> str:
    """What a class is, in words that all schemes share: its part, or for kept ones its name with the viewer's side."""
    name, part = scheme.classes[label], scheme.parts[label]
    if part != "kept":
        return "beard" if name == "beard" else part
    sides = {"l_ear": "right_ear", "r_ear": "left_ear"}
    if scheme.name == FACESYNTHETICS_19.name:
        sides |= {"left_ear": "right_ear", "right_ear": "left_ear"}
    return sides.get(name, _ALIKE.get(name, name))


_INSTEAD: dict[str, dict[str, str]] = {
    "helen-11": {"beard": "skin", "eye_g": "skin"},
    "lapa-11": {"beard": "skin", "eye_g": "skin", "left_ear": "skin", "right_ear": "skin", "ear_r": "skin"},
    "celebamask-19": {"beard": "skin"},
    "bisenet-19": {"beard": "skin"},
    "facesynthetics-19": {"ear_r": "background", "neck_l": "neck"},
    "fasseg-6": {
        "beard": "skin", "eye_g": "skin", "left_ear": "skin", "right_ear": "skin", "ear_r": "skin", "neck": "skin",
        "neck_l": "skin", "left_brow": "hair", "right_brow": "hair", "left_eye": "eyes", "right_eye": "eyes",
        "upper_lip": "mouth", "inner_mouth": "mouth", "lower_lip": "mouth",
    },
}  # fmt: skip
"""What a scheme calls the classes that it does not have; what is not named here is background to it."""

_HIDDEN: dict[str, dict[str, tuple[str, ...]]] = {
    "helen-11": {"background": ("ears", "neck", "hats", "clothes"), "skin": ("glasses", "beards")},
    "lapa-11": {"background": ("neck", "hats", "clothes"), "skin": ("ears", "glasses", "beards")},
    "celebamask-19": {"skin": ("beards",)},
    "bisenet-19": {"skin": ("beards",)},
    "fasseg-6": {
        "background": ("clothes", "hats"), "skin": ("ears", "neck", "glasses", "beards"), "hair": ("brows",),
        "eyes": ("both eyes",), "mouth": ("lips and teeth",),
    },
}  # fmt: skip
"""What else is in some classes of the coarser schemes."""

_RARE = ("hats", "glasses", "beards")
"""Few faces have these: a class that holds them is kept, and the loss is told."""


def remap(source: Scheme | str, target: Scheme | str) -> Remap:
    """How label maps of one scheme become those of another; schemes or their names.

    A class that the target splits becomes 255, since nobody can say which of its classes a pixel is.

    Raises:
        ConfigError: one of the two is no named scheme: what its classes hold is not known.
    """
    source, target = (find_scheme(one) if isinstance(one, str) else one for one in (source, target))
    for scheme in (source, target):
        if SCHEMES.get(scheme.name) != scheme:
            raise ConfigError(f"label scheme {scheme.name}: no remap is known; use {', '.join(SCHEMES)}")
    table = np.full(256, IGNORE, dtype=np.uint8)
    meanings = [_meaning(target, label) for label in range(len(target))]
    losses = []
    for label, name in enumerate(source.classes):
        meaning = _meaning(source, label)
        hidden = _HIDDEN.get(source.name, {}).get(name, ())
        theirs = _HIDDEN.get(target.name, {}).get(target.classes[meanings.index(meaning)], ()) if meaning in meanings else ()
        apart = [one for one in hidden if one not in theirs]
        if meaning in meanings and set(apart) <= set(_RARE):
            table[label] = meanings.index(meaning)
            losses += [f"{name} may hold {', '.join(apart)}"] if apart else []
        elif meaning in meanings or meaning in ("eyes", "mouth", "brows"):
            losses.append(
                f"{name} becomes unlabelled: it holds {', '.join(apart or hidden)} too, which {target.name} keeps apart"
            )
        else:
            instead = _INSTEAD[target.name].get(meaning, "background")
            table[label] = target.classes.index(instead)
            losses.append(
                f"{name} becomes {instead}" if name != instead else f"{name} is joined with its neighbours in {instead}"
            )
    return Remap(source, target, table, tuple(losses))


def fill_ignored(labels: ByteArray) -> ByteArray:
    """Give unlabelled pixels the class of their nearest labelled one.

    Outside of the photo an aligned image continues its border, so the border's class is the condition there. Use it to condition
    a generator, never to train or score a parser.

    Args:
        labels: ``(N, H, W)`` uint8 of any scheme.

    Returns:
        The same without 255; a map that has nothing else becomes background.
    """
    filled = np.array(labels)
    for row in filled:
        unknown = row == IGNORE
        if unknown.all():
            row[:] = BACKGROUND
        elif unknown.any():
            row[:] = row.ravel()[nearest_known(~unknown)]
    return filled


def nearest_known(known: npt.NDArray[np.bool_]) -> IntArray:
    """For each pixel the number, row by row, of the nearest known one: ``(H, W)`` bool, some true, to ``(H, W)`` int64."""
    _, nearest = cv2.distanceTransformWithLabels((~known).astype(np.uint8), cv2.DIST_L2, 3, labelType=cv2.DIST_LABEL_PIXEL)
    # DIST_LABEL_PIXEL numbers the known pixels 1, 2, ... in some order: look their numbers up.
    places = np.zeros(int(nearest.max()) + 1, dtype=np.int64)
    places[nearest[known]] = np.flatnonzero(known)
    found: IntArray = places[nearest]
    return found
