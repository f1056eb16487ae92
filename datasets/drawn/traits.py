"""What a drawn person looks like, and how one photo shows them: everything random is decided here.

Lengths are in units of the distance between the eyes; the origin lies midway between them, x to the right, y down.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

Colour = tuple[float, float, float]
Rng = np.random.Generator

_SKIN: tuple[Colour, ...] = (
    (246, 217, 196),
    (236, 196, 166),
    (222, 176, 138),
    (196, 146, 106),
    (160, 112, 78),
    (122, 82, 58),
    (92, 62, 46),
)
_HAIR: dict[str, Colour] = {
    "Black_Hair": (32, 27, 28),
    "Brown_Hair": (86, 56, 36),
    "Blond_Hair": (204, 168, 106),
    "Gray_Hair": (158, 156, 156),
    "Red_Hair": (142, 68, 34),
}
_IRIS: tuple[Colour, ...] = ((70, 44, 26), (52, 34, 24), (74, 104, 134), (84, 112, 72), (110, 86, 50))

STYLES = ("bald", "crew", "short", "curly", "bob", "long", "wavy", "bun")
_STYLE_ODDS = {
    True: (0.12, 0.28, 0.3, 0.14, 0.04, 0.05, 0.04, 0.03),
    False: (0.01, 0.03, 0.1, 0.12, 0.2, 0.24, 0.2, 0.1),
}


@dataclass(frozen=True)
class Person:
    """Traits that every photo of a person shares."""

    male: bool
    skin: Colour
    hair_name: str
    hair: Colour
    style: str
    fringe: float
    """0: forehead bare, 1: hair down to the brows."""
    parting: float
    volume: float
    width: float
    """Half-width of the face."""
    chin: float
    """How far the chin lies below the eyes."""
    jaw: float
    """Exponent of the lower outline: higher is squarer."""
    eye: float
    """Half-width of an eye."""
    eye_tilt: float
    iris: Colour
    brow_thickness: float
    brow_arch: float
    nose_width: float
    nose_length: float
    mouth_width: float
    lips: Colour
    fullness: float
    lipstick: bool
    beard: float
    """0: shaven; else how dense."""
    moustache: bool
    age: float


@dataclass(frozen=True)
class Shot:
    """What differs between photos of one person."""

    yaw: float
    """Turn of the head in radians, to the right of the picture positive."""
    pitch: float
    roll: float
    scale: float
    shift: tuple[float, float]
    opening: float
    """Of the mouth, 0: closed."""
    smile: float
    lids: tuple[float, float]
    """Opening of the left and right eye, 0: closed, 1: open."""
    gaze: tuple[float, float]
    light: tuple[float, float]
    warmth: float
    exposure: float
    background: int
    """Seed of the background."""


def draw_person(rng: Rng) -> Person:
    """A random person; hair, beard, brows, jaw and lips are correlated with ``male``."""
    male = bool(rng.random() < 0.5)
    tone = rng.uniform(0, len(_SKIN) - 1)
    low, part = int(tone), tone - int(tone)
    skin = _mix(_SKIN[low], _SKIN[min(low + 1, len(_SKIN) - 1)], part)
    # Darker skin comes with darker hair, as a rule.
    odds = np.array([0.34, 0.3, 0.18, 0.1, 0.08] if tone < 2.6 else [0.74, 0.2, 0.01, 0.05, 0.0])
    hair_name = str(rng.choice(list(_HAIR), p=odds))
    jitter = rng.uniform(0.8, 1.25)
    hair = tuple(float(np.clip(value * jitter, 12, 235)) for value in _HAIR[hair_name])
    lipstick = bool(rng.random() < (0.02 if male else 0.5))
    natural = _mix(skin, (176, 72, 76), 0.5)
    painted = [(186, 32, 52), (206, 70, 92), (150, 32, 62), (222, 92, 84)][int(rng.integers(4))]
    return Person(
        male=male,
        skin=skin,
        hair_name=hair_name,
        hair=hair,  # type: ignore[arg-type]
        style=str(rng.choice(STYLES, p=_STYLE_ODDS[male])),
        fringe=float(rng.beta(1.2, 2.0)),
        parting=float(rng.uniform(-0.6, 0.6)),
        volume=float(rng.uniform(0.75, 1.3)),
        width=float(rng.normal(1.17 if male else 1.1, 0.06)),
        chin=float(rng.normal(1.84 if male else 1.72, 0.08)),
        jaw=float(rng.normal(2.7 if male else 2.25, 0.2)),
        eye=float(np.clip(rng.normal(0.27 if male else 0.295, 0.02), 0.22, 0.34)),
        eye_tilt=float(rng.normal(0.02 if male else 0.08, 0.06)),
        iris=_IRIS[int(rng.choice(5, p=[0.3, 0.25, 0.18, 0.12, 0.15] if tone < 2.6 else [0.55, 0.4, 0.0, 0.02, 0.03]))],
        brow_thickness=float(np.clip(rng.normal(0.12 if male else 0.075, 0.02), 0.045, 0.17)),
        brow_arch=float(rng.normal(0.05 if male else 0.11, 0.03)),
        nose_width=float(rng.normal(0.31 if male else 0.27, 0.03)),
        nose_length=float(rng.normal(0.74 if male else 0.69, 0.04)),
        mouth_width=float(rng.normal(0.47 if male else 0.44, 0.03)),
        lips=painted if lipstick else natural,
        fullness=float(np.clip(rng.normal(0.11 if male else 0.15, 0.025), 0.07, 0.22)),
        lipstick=lipstick,
        beard=float(rng.uniform(0.25, 0.9)) if male and rng.random() < 0.45 else 0.0,
        moustache=bool(male and rng.random() < 0.15),
        age=float(rng.beta(1.3, 2.2)),
    )


def draw_shot(rng: Rng) -> Shot:
    """A random photo: pose, expression, light, background."""
    closed = rng.random() < 0.45
    blink = rng.random()
    lids = (0.0, 0.0) if blink < 0.03 else (1.0, 0.0) if blink < 0.045 else (0.0, 1.0) if blink < 0.06 else None
    opened = float(rng.uniform(0.7, 1.05))
    angle = float(rng.uniform(0, 2 * np.pi))
    return Shot(
        yaw=float(np.clip(rng.normal(0, 0.24), -0.6, 0.6)),
        pitch=float(np.clip(rng.normal(0, 0.1), -0.25, 0.25)),
        roll=float(rng.normal(0, 0.09)),
        scale=float(rng.uniform(0.88, 1.12)),
        shift=(float(rng.normal(0, 0.12)), float(rng.normal(0, 0.1))),
        opening=0.0 if closed else float(rng.uniform(0.1, 0.42)),
        smile=float(rng.normal(0.07, 0.08)),
        lids=lids if lids is not None else (opened, opened * float(rng.uniform(0.94, 1.06))),
        gaze=(float(rng.normal(0, 0.3)), float(rng.normal(0, 0.15))),
        light=(float(np.cos(angle)), float(-abs(np.sin(angle)))),
        warmth=float(rng.normal(0, 0.05)),
        exposure=float(rng.uniform(0.82, 1.12)),
        background=int(rng.integers(2**31)),
    )


def attributes(person: Person, shot: Shot) -> dict[str, bool]:
    """The traits that CelebA has a name for."""
    return {
        "Bald": person.style == "bald",
        "Bangs": person.fringe > 0.6 and person.style not in ("bald", "crew"),
        **{name: person.hair_name == name for name in ("Black_Hair", "Blond_Hair", "Brown_Hair", "Gray_Hair")},
        "Bushy_Eyebrows": person.brow_thickness > 0.125,
        "Male": person.male,
        "Mouth_Slightly_Open": shot.opening > 0,
        "Mustache": person.moustache,
        "No_Beard": person.beard == 0,
        "Smiling": shot.smile > 0.1,
        "Wavy_Hair": person.style == "wavy",
        "Wearing_Lipstick": person.lipstick,
        "Young": person.age < 0.55,
    }


def _mix(first: Colour, second: Colour, share: float) -> Colour:
    a, b = np.array(first), np.array(second)
    red, green, blue = (a + (b - a) * share).tolist()
    return red, green, blue
