"""Drawn faces on disk, in Helen's and CelebA's own layouts, so that the readers of the real datasets read them."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from faceaug.arrays import ByteArray
from faceaug.errors import ConfigError, OutputError
from faceaug.files import atomic_folder
from faceaug.labels import HELEN_11
from faceaug.pictures import grid
from faceaug.progress import Progress, say

from ..celeba import CelebA
from ..helen import Helen
from ..layout import DRAWN
from .drawing import Drawing, Frame, draw_face
from .traits import Person, Shot, attributes, draw_person, draw_shot

TITLE = DRAWN

HELEN_FRAME = Frame(176, 176, eyes=(88.0, 79.0), unit=38.0)
CELEBA_FRAME = Frame(178, 218, eyes=(89.0, 111.0), unit=39.0)

_ABOUT = "faceaug.json"
_PHOTOS_PER_PERSON = 3


def write_helen(folder: Path, *, train: int, tuning: int, testing: int, seed: int) -> None:
    """Draw labelled faces, one person each, in Helen's layout.

    Args:
        folder: made whole or not at all; kept where it is this drawing already.
        train: faces in ``exemplars.txt``.
        tuning: in ``tuning.txt``.
        testing: in ``testing.txt``.
        seed: of every face.

    Raises:
        ConfigError: the folder holds something else, or a split is empty.
        OutputError: it cannot be written.
    """
    settings = {"train": train, "tuning": tuning, "testing": testing, "seed": seed}
    if _is_there(folder, settings):
        return
    counts = {"exemplars.txt": train, "tuning.txt": tuning, "testing.txt": testing}
    total, number = sum(counts.values()), 0
    with atomic_folder(folder) as part, Progress("drawing helen", total, unit="faces") as progress:
        (part / "images").mkdir()
        for listing, count in counts.items():
            lines = []
            for _ in range(count):
                rng = np.random.default_rng([seed, 0, number])
                drawing = draw_face(draw_person(rng), draw_shot(rng), HELEN_FRAME)
                number += 1
                name = f"drawn_{number:05d}"
                _write_labelled(part, name, drawing)
                lines.append(f"{number} , {name}\n")
                progress.update(number)
            (part / listing).write_text("".join(lines))
        _about(part, settings)


def _write_labelled(folder: Path, name: str, drawing: Drawing) -> None:
    _write_jpeg(folder / "images" / f"{name}.jpg", drawing.image)
    labels = folder / "labels" / name
    labels.mkdir(parents=True)
    for label in range(len(HELEN_11)):
        _write(labels / f"{name}_lbl{label:02d}.png", drawing.soft[label], [cv2.IMWRITE_PNG_COMPRESSION, 1])


def write_celeba(folder: Path, *, photos: int, seed: int) -> None:
    """Draw unlabelled photos, up to three of a person, in CelebA's layout.

    Args:
        folder: made whole or not at all; kept where it is this drawing already.
        photos: how many.
        seed: of every face.

    Raises:
        ConfigError, OutputError: as :func:`write_helen`.
    """
    settings = {"photos": photos, "seed": seed}
    if _is_there(folder, settings):
        return
    rng = np.random.default_rng([seed, 1])
    shots: list[tuple[int, Person, Shot]] = []
    people = 0
    while len(shots) < photos:
        people += 1
        person = draw_person(rng)
        shots += [(people, person, draw_shot(rng)) for _ in range(int(rng.integers(1, _PHOTOS_PER_PERSON + 1)))]
    names, identities, rows, points = [], [], [], []
    with atomic_folder(folder) as part, Progress("drawing celeba", photos, unit="photos") as progress:
        (part / "img_align_celeba").mkdir()
        for index, (identity, person, shot) in enumerate(shots[:photos]):
            drawing = draw_face(person, shot, CELEBA_FRAME)
            name = f"{index + 1:06d}.jpg"
            _write_jpeg(part / "img_align_celeba" / name, drawing.image)
            names.append(name)
            identities.append(identity)
            rows.append(attributes(person, shot))
            points.append(np.round(drawing.landmarks).astype(int).reshape(-1))
            progress.update(index + 1)
        traits = sorted(rows[0])
        _lines(part / "list_attr_celeba.txt", [str(photos), " ".join(traits)] + [
            f"{name} " + " ".join(f"{1 if row[trait] else -1:2d}" for trait in traits)
            for name, row in zip(names, rows, strict=True)
        ])  # fmt: skip
        eyes_nose_mouth = (
            "lefteye_x lefteye_y righteye_x righteye_y nose_x nose_y leftmouth_x leftmouth_y rightmouth_x rightmouth_y"
        )
        _lines(part / "list_landmarks_align_celeba.txt", [str(photos), eyes_nose_mouth] + [
            f"{name} " + " ".join(str(value) for value in row) for name, row in zip(names, points, strict=True)
        ])  # fmt: skip
        _lines(part / "identity_CelebA.txt", [f"{n} {i}" for n, i in zip(names, identities, strict=True)])
        # CelebA's own proportions: 80 % train, 10 % valid, 10 % test.
        first = {person: identities.index(person) for person in set(identities)}  # a person is in one part
        share = [0 if first[i] < 0.8 * photos else 1 if first[i] < 0.9 * photos else 2 for i in identities]
        _lines(part / "list_eval_partition.txt", [f"{n} {s}" for n, s in zip(names, share, strict=True)])
        _about(part, settings)


def preview(helen: Path, celeba: Path, *, count: int = 12) -> ByteArray:
    """A picture of the first faces of both sets, RGB."""
    photos = Helen(helen, "train")
    some = [photos.photo(index) for index in range(min(count, len(photos)))]
    sources = CelebA(celeba)
    rows = [
        ("photo", [square(photo.image) for photo in some]),
        ("label map", [square(HELEN_11.colour(photo.labels)) for photo in some if photo.labels is not None]),
        ("celeba", [square(sources.photo(index).image) for index in range(min(count, len(sources)))]),
    ]
    return grid(rows, cell=120)


def square(picture: ByteArray) -> ByteArray:
    """The middle of a picture, as high as it is wide."""
    side = min(picture.shape[:2])
    top, left = (picture.shape[0] - side) // 2, (picture.shape[1] - side) // 2
    return picture[top : top + side, left : left + side]


def _is_there(folder: Path, settings: dict[str, int]) -> bool:
    """Whether the folder already holds this drawing; anything else in its place is an error."""
    for name, count in settings.items():
        if name != "seed" and count < 1:
            raise ConfigError(f"--{name} {count}: must be 1 or more")
    if not folder.exists():
        return False
    known: Any = None
    with contextlib.suppress(OSError, ValueError):  # a damaged one is not this drawing's
        known = json.loads((folder / _ABOUT).read_text())
    if known == {"title": TITLE, **settings}:
        say(f"draw: {folder} is there already")
        return True
    raise ConfigError(f"{folder}: exists and is not this drawing; move it away, or draw elsewhere with --out")


def _lines(path: Path, lines: list[str]) -> None:
    path.write_text("\n".join(lines) + "\n")


def _about(folder: Path, settings: dict[str, int]) -> None:
    (folder / _ABOUT).write_text(json.dumps({"title": TITLE, **settings}) + "\n")


def _write_jpeg(path: Path, image: ByteArray) -> None:
    _write(path, image[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 95])


def _write(path: Path, image: ByteArray, options: list[int]) -> None:
    done, data = cv2.imencode(path.suffix, np.ascontiguousarray(image), options)
    if not done:
        raise OutputError(f"{path}: cannot be encoded; the picture has shape {image.shape}")
    path.write_bytes(data.tobytes())
