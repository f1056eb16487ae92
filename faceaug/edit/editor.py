"""The editor: mask edits, component transfer and face swap+ on ordinary photos (Section 4.3)."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

from faceaug.arrays import ByteArray
from faceaug.compute.device import choose_compute
from faceaug.credentials import Credentials
from faceaug.edit.blend import Region, grown, in_tone, put_back
from faceaug.edit.face import PhotoFace, find_face
from faceaug.edit.operations import Change, apply_changes, parse_change
from faceaug.edit.picture import Picture, read_picture
from faceaug.errors import ConfigError
from faceaug.gan.components import COMPONENTS
from faceaug.gan.inference import Generator, load_generator
from faceaug.gan.network import Look
from faceaug.labels import IGNORE, check_schemes
from faceaug.parser.predict import Parser, load_parser
from faceaug.pictures import sheet
from faceaug.prepare.align import warp_image
from faceaug.runs.folder import own_parser
from faceaug.shapes.target import Target, among

TRANSFERABLE: dict[str, tuple[str, ...]] = {
    "eyes": ("left eye", "right eye"),
    "mouth": ("mouth",),
    "skin": ("skin & nose",),
    "hair": ("hair",),
}
"""What can be transferred -> the components that it is made of. Brows and nose go with the skin, beards too."""


def check_components(names: Sequence[str]) -> None:
    """Raise ConfigError unless these can be transferred."""
    for name in names:
        if name not in TRANSFERABLE:
            raise ConfigError(f"--component {name}: unknown; use {', '.join(TRANSFERABLE)}")


def _key(face: PhotoFace) -> bytes:
    """What a look follows from, as a hash: the crop itself is not kept."""
    return hashlib.sha256(face.image.tobytes() + face.labels.tobytes()).digest()


@dataclass
class _Known:
    """What is kept of a face."""

    look: Look
    rebuilt: ByteArray | None = None


_KEPT = 64
"""Faces of which something is kept."""


@dataclass(frozen=True)
class Edited:
    """An edited photo.

    Attributes:
        face: what was edited.
        labels: ``(S, S)`` uint8: the mask that the face was generated on.
        generated: ``(S, S, 3)`` uint8 RGB: the generator's whole crop.
        region: ``(S, S)`` bool: which of its pixels are in the photo.
        pixels: ``(H, W, 3)`` uint8 RGB: the photo with the edited face.
        trained_on: which faces the generator was trained on, for people.
        other: whose look is in it; None for a change of the mask.
        remark: what a user should know of how the mask was changed.
    """

    face: PhotoFace
    labels: ByteArray
    generated: ByteArray
    region: Region
    pixels: ByteArray
    trained_on: str
    other: PhotoFace | None = None
    remark: str = ""

    def save(self, path: str | Path, *, credentials: Credentials | None = None) -> None:
        """Write the photo as PNG or JPEG, marked as edited; see :meth:`faceaug.edit.picture.Picture.save`."""
        self.face.picture.save(Path(path), self.pixels, trained_on=self.trained_on, credentials=credentials)

    def sheet(self) -> ByteArray:
        """Target, its mask, the source, the mask generated on, and the result, side by side: ``(H, W, 3)`` uint8."""
        face, scheme = self.face, self.face.scheme
        crop = warp_image(self.pixels, face.place.matrix, len(self.labels))
        cells: list[tuple[str, ByteArray]] = [("target", face.image), ("its mask", scheme.colour(face.labels))]
        cells += [("source", self.other.image)] if self.other is not None else [("new mask", scheme.colour(self.labels))]
        return sheet([*cells, (f"generated\nGAN of {self.trained_on}", self.generated), ("in the photo", crop)])


class Editor:
    """Edits faces of photos with a trained generator.

    ::

        editor = Editor("runs/gan/demo-64-1a2b3c4d")
        face = editor.face("portrait.jpg")
        editor.edit(face, "smile").save("smile.png")

    Looks and reconstructions are kept: a second edit of a face costs what generating it once costs.

    Args:
        generator: loaded, or a run's folder or weights file.
        parser: likewise; the generator's own P_F where None.
        device: for what is loaded here, see :func:`faceaug.compute.device.choose_compute`.
        precision: likewise.
        runs: where the generator's parser is looked for.

    Raises:
        CheckpointMismatch: weights that are missing, or of two label schemes.
        ConfigError: a generator without a code for each component.
    """

    def __init__(
        self,
        generator: Generator | str | Path,
        parser: Parser | str | Path | None = None,
        *,
        device: str = "auto",
        precision: str = "auto",
        runs: str | Path = "runs",
    ) -> None:
        if not isinstance(generator, Generator):
            generator = load_generator(Path(generator), choose_compute(device, precision))
        if not isinstance(parser, Parser):
            weights = own_parser(generator.record, Path(runs)) if parser is None else Path(parser)
            parser = load_parser(weights, generator.compute)
        check_schemes("editor", generator=generator.config.scheme, parser=parser.config.scheme)
        # One face at a time: a whole chunk would take sixteen times as long, and each result must not depend on others.
        self.generator, self.parser = replace(generator, chunk=1), parser
        self.scheme, self.size = generator.config.scheme, generator.config.size
        self._known: OrderedDict[bytes, _Known] = OrderedDict()

    def face(self, photo: str | Path | Picture, *, number: int | None = None, force: bool = False, name: str = "") -> PhotoFace:
        """The face of a photo, see :func:`faceaug.edit.face.find_face`.

        Raises:
            DatasetDamaged: no readable photo.
            ConfigError: it has no face of that number, or the detector is not installed.
            NothingLeft: no face is found, or it cannot be parsed reliably and ``force`` is not given.
        """
        picture = photo if isinstance(photo, Picture) else read_picture(Path(photo))
        told = name or (str(photo) if not isinstance(photo, Picture) else "the photo")
        return find_face(picture, self.parser, size=self.size, name=told, number=number, force=force)

    def edit(
        self, face: PhotoFace, changes: str | Change | Iterable[str | Change] = (), *, mask: ByteArray | None = None
    ) -> Edited:
        """A face on a changed mask, with its own look.

        Args:
            face: the target, and the source.
            changes: operations, in their order; see :data:`faceaug.edit.operations.OPERATIONS`.
            mask: ``(S, S)`` uint8 of the scheme: a painted mask, before the changes; 255 keeps the face's own label.

        Raises:
            ConfigError: neither mask nor changes, or nothing that changes this face; or a mask of another size or scheme.
        """
        some = [changes] if isinstance(changes, str | Change) else list(changes)
        wanted = [parse_change(one) if isinstance(one, str) else one for one in some]
        if mask is None and not wanted:
            raise ConfigError("edit: nothing to change; name operations, or a mask")
        own = Target(face.image, face.labels, self.scheme)
        painted = own if mask is None else own.with_labels(self._checked(mask, face))
        target, remarks = apply_changes(painted, wanted)
        changed = (target.labels != own.labels) & (target.labels != IGNORE)
        if not changed.any():
            raise ConfigError(f"{face.name}: the mask is its own; nothing to change")
        region = grown(changed)
        generated = in_tone(self._generate(self._look(face), target), self._rebuilt(face), face.image, region)
        return replace(self._put_back(face, target.labels, generated, region), remark="; ".join(remarks))

    def _checked(self, mask: ByteArray, face: PhotoFace | None = None) -> ByteArray:
        """A label map of this editor's size and scheme, or ConfigError; 255 becomes a face's own label."""
        found = np.asarray(mask)
        if found.shape != (self.size, self.size) or found.dtype.kind not in "iu":
            raise ConfigError(f"mask: is {found.dtype} of shape {found.shape}; it must be uint8 of {(self.size, self.size)}")
        if found.min(initial=0) < 0 or found.max(initial=0) > IGNORE:
            raise ConfigError(f"mask: has labels {found.min()}..{found.max()}; they must be within 0..255")
        labels = found.astype(np.uint8)
        self.scheme.check_range(labels, "mask")
        return labels if face is None else np.where(labels == IGNORE, face.labels, labels)

    def transfer(self, face: PhotoFace, other: PhotoFace, what: str | Sequence[str]) -> Edited:
        """A face with components of another one, on its own mask (Figure 7).

        Args:
            face: the target.
            other: whose components are taken.
            what: one or more of :data:`TRANSFERABLE`.

        Raises:
            ConfigError: an unknown component, or one that the target or the other face lacks.
        """
        names = [what] if isinstance(what, str) else list(what)
        if not names:
            raise ConfigError(f"transfer: no component is named; use {', '.join(TRANSFERABLE)}")
        check_components(names)
        taken = [number for number, one in enumerate(COMPONENTS) if any(one.name in TRANSFERABLE[name] for name in names)]
        for person in (face, other):
            if not self._covered(person, taken).any():
                raise ConfigError(f"{person.name}: its mask has no {' or '.join(names)}; name another photo or component")
        return self._mixed(face, other, taken)

    def swap(self, face: PhotoFace, other: PhotoFace, *, hair: bool = False) -> Edited:
        """Face swap+: another person's look on the target's mask and background (Figure 8).

        Args:
            face: the target, whose shapes and background stay.
            other: whose look is taken.
            hair: take the hair's look too.
        """
        return self._mixed(face, other, [number for number, one in enumerate(COMPONENTS) if hair or one.name != "hair"])

    def people(self, image: ByteArray, labels: ByteArray, others: Sequence[PhotoFace]) -> ByteArray:
        """Many people on one mask (Figure 5).

        Args:
            image: ``(S, S, 3)`` uint8 RGB: the target, of which the background is kept.
            labels: ``(S, S)`` uint8: its mask.
            others: whose looks are taken.

        Returns:
            ``(N, S, S, 3)`` uint8 RGB.

        Raises:
            ConfigError: photo or mask of another size or scheme, or nobody's look.
        """
        if image.shape != (self.size, self.size, 3) or image.dtype != np.uint8:
            raise ConfigError(f"people: the photo is {image.dtype} of shape {image.shape}; it must be uint8 of {self.size} px")
        if not others:
            raise ConfigError("people: nobody's look is given; name at least one face")
        target = Target(image, self._checked(labels), self.scheme)
        return np.stack([self._generate(self._look(other), target) for other in others])

    def _mixed(self, face: PhotoFace, other: PhotoFace, taken: Sequence[int]) -> Edited:
        """A face with another one's codes of some components, which are numbers in :data:`COMPONENTS`."""
        owner = torch.tensor([[int(number in taken) for number in range(len(COMPONENTS))]])
        look = Look.mix([self._look(face), self._look(other)], owner)
        generated = self._generate(look, Target(face.image, face.labels, self.scheme))
        return self._put_back(face, face.labels, generated, self._covered(face, taken), other)

    def _covered(self, face: PhotoFace, taken: Sequence[int]) -> Region:
        """Where some components are in a face's mask."""
        return among(self.scheme.anatomy(face.labels), *(part for number in taken for part in COMPONENTS[number].labels))

    def forget(self, face: PhotoFace) -> None:
        """Nothing of a face is kept any more."""
        self._known.pop(_key(face), None)

    def _look(self, face: PhotoFace) -> Look:
        """A face's look, encoded once."""
        return self._of(face).look

    def _rebuilt(self, face: PhotoFace) -> ByteArray:
        """A face generated on its own mask, once."""
        known = self._of(face)
        if known.rebuilt is None:
            known.rebuilt = self._generate(known.look, Target(face.image, face.labels, self.scheme))
        return known.rebuilt

    def _of(self, face: PhotoFace) -> _Known:
        """What is kept of a face; another thread may forget it at any time."""
        known = self._known.pop(_key(face), None) or _Known(self.generator.encode(face.image[None], face.labels[None]))
        self._known[_key(face)] = known
        while len(self._known) > _KEPT:
            self._known.popitem(last=False)
        return known

    def _generate(self, look: Look, target: Target) -> ByteArray:
        generated: ByteArray = self.generator.generate(look, target.image[None], target.labels[None])[0]
        return generated

    def _put_back(
        self, face: PhotoFace, labels: ByteArray, generated: ByteArray, region: Region, other: PhotoFace | None = None
    ) -> Edited:
        pixels = put_back(face.picture.pixels, generated, face.place.matrix, region)
        return Edited(face, labels, generated, region, pixels, self.generator.trained_on, other)
