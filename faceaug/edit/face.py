"""A face of a photo, found, aligned and parsed: what is edited, and what looks come from."""

from __future__ import annotations

from dataclasses import dataclass

from faceaug.arrays import ByteArray
from faceaug.edit.picture import Picture
from faceaug.errors import ConfigError, NothingLeft
from faceaug.labels import LEFT_BROW, LEFT_EYE, LOWER_LIP, NOSE, RIGHT_BROW, RIGHT_EYE, UPPER_LIP, Scheme
from faceaug.parser.photos import predict
from faceaug.parser.predict import Parser
from faceaug.prepare.align import warp_image
from faceaug.prepare.photos import Face, FaceChoice, find_faces
from faceaug.shapes.plausible import implausible

SURE = 0.5
"""What :func:`trust` is at least of a mask that is relied on; chosen by benchmarks/results/confidence.json."""

_PARTS = (LEFT_BROW, RIGHT_BROW, LEFT_EYE, RIGHT_EYE, NOSE, UPPER_LIP, LOWER_LIP)


@dataclass(frozen=True)
class PhotoFace:
    """A face at its place in a photo.

    Attributes:
        name: of the photo, for messages and captions.
        picture: the photo.
        place: where it lies in the photo.
        image: ``(S, S, 3)`` uint8 RGB, the aligned crop.
        labels: ``(S, S)`` uint8: its mask.
        scheme: of the mask.
        expected_f1: of its mask, 0..1, as far as the parser knows.
        remark: what a user should know of how it was found.
    """

    name: str
    picture: Picture
    place: Face
    image: ByteArray
    labels: ByteArray
    scheme: Scheme
    expected_f1: float
    remark: str = ""


def trust(labels: ByteArray, expected_f1: float, scheme: Scheme) -> float:
    """How far a predicted mask is relied on, 0..1: its expected F1 times the share of brows, eyes, nose and lips that it has.

    A parser that finds no face in a picture is sure of the background, and of what little else it takes for a face.
    """
    known = [part for part in _PARTS if (scheme.anatomy_tables[:, : len(scheme)] == part).any()]
    parts = scheme.anatomy(labels)
    there = sum(bool((parts == part).any()) for part in known)
    return expected_f1 * (there / max(len(known), 1))


def doubt(labels: ByteArray, expected_f1: float, scheme: Scheme) -> str:
    """Why a predicted mask is not relied on; empty where it is.

    Args:
        labels: ``(S, S)`` uint8.
        expected_f1: see :class:`PhotoFace`.
        scheme: of the labels.
    """
    if reason := implausible(scheme.anatomy(labels)):
        return reason
    found = trust(labels, expected_f1, scheme)
    if found >= SURE:
        return ""
    lacks = "" if found == expected_f1 else ", and it lacks brows, eyes, nose or lips"
    return f"its mask has an expected F1 of {expected_f1:.2f}{lacks}"


def find_face(
    picture: Picture, parser: Parser, *, size: int, name: str, number: int | None = None, force: bool = False
) -> PhotoFace:
    """The face of a photo.

    Args:
        picture: the photo.
        parser: predicts the mask.
        size: side of the crop: the generator's.
        name: of the photo.
        number: which of several faces, the largest being 1; the largest where None.
        force: take a mask that is not relied on all the same.

    Raises:
        ConfigError: there is no face of that number.
        NothingLeft: no face is found, or its mask is not relied on.
    """
    found, remark = find_faces(picture.pixels, size, FaceChoice("largest" if number is None else "every"))
    if not found:
        raise NothingLeft(f"{name}: {remark}; name a photo that shows a face upright and from the front")
    if number is not None and not 1 <= number <= len(found):
        raise ConfigError(f"--face {number}: {name} has {len(found)}; the largest is 1")
    face = found[(number or 1) - 1]
    image = warp_image(picture.pixels, face.matrix, size)
    labels, sure = predict(parser, image[None])
    expected = float(sure[0])
    reason = doubt(labels[0], expected, parser.config.scheme)
    if reason and not force:
        raise NothingLeft(f"{name}: the face cannot be parsed reliably ({reason}); name another photo, or add --force")
    told = "; ".join(filter(None, [picture.remark, remark, reason]))
    return PhotoFace(name, picture, face, image, labels[0], parser.config.scheme, expected, told)
