"""A face of a photo, found, aligned and parsed: what is edited, and what looks come from."""

from __future__ import annotations

from dataclasses import dataclass

from faceaug.arrays import ByteArray
from faceaug.edit.picture import Picture
from faceaug.errors import ConfigError, NothingLeft
from faceaug.labels import Scheme
from faceaug.parser.photos import predict
from faceaug.parser.predict import Parser
from faceaug.prepare.align import warp_image
from faceaug.prepare.photos import Face, FaceChoice, find_faces
from faceaug.shapes.plausible import implausible

SURE = 0.8
"""Mean probability of a face's predicted classes below which its mask is not relied on."""


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
        probability: mean of the predicted classes, 0..1.
        remark: what a user should know of how it was found.
    """

    name: str
    picture: Picture
    place: Face
    image: ByteArray
    labels: ByteArray
    scheme: Scheme
    probability: float
    remark: str = ""


def doubt(labels: ByteArray, probability: float, scheme: Scheme) -> str:
    """Why a predicted mask is not relied on; empty where it is.

    Args:
        labels: ``(S, S)`` uint8.
        probability: mean of the predicted classes.
        scheme: of the labels.
    """
    low = f"its mask has a mean probability of {probability:.2f}" if probability < SURE else ""
    return implausible(scheme.anatomy(labels)) or low


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
    probability = float(sure[0])
    reason = doubt(labels[0], probability, parser.config.scheme)
    if reason and not force:
        raise NothingLeft(f"{name}: the face cannot be parsed reliably ({reason}); name another photo, or add --force")
    told = "; ".join(filter(None, [remark, reason]))
    return PhotoFace(name, picture, face, image, labels[0], parser.config.scheme, probability, told)
