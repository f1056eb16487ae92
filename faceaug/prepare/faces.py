"""Aligned faces of one size, decoded and warped once and kept on disk for every later run."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from faceaug.errors import NothingLeft
from faceaug.files import atomic_folder, short_hash
from faceaug.prepare.align import similarity, warp_image, warp_labels
from faceaug.prepare.landmarks import landmarks_from_labels
from faceaug.training.log import Progress, say

ByteArray = npt.NDArray[np.uint8]
IntArray = npt.NDArray[np.int64]

UNKNOWN, FEMALE, MALE = -1, 0, 1
"""Values of :attr:`FaceSet.male`."""

_VERSION = 1


@dataclass(frozen=True)
class Photo:
    """One raw photo as its dataset gives it.

    Attributes:
        image: ``(H, W, 3)`` uint8 RGB.
        labels: ``(H, W)`` uint8, or None where the dataset has none.
        landmarks: ``(5, 2)`` x, y in pixels, or None (then they are computed from the labels).
    """

    image: ByteArray
    labels: ByteArray | None = None
    landmarks: npt.NDArray[np.float64] | None = None


class RawFaces(Protocol):
    """What :func:`align` needs of a dataset."""

    title: str
    names: tuple[str, ...]

    def photo(self, index: int) -> Photo:
        """Read one photo from disk."""

    def traits(self) -> dict[str, IntArray]:
        """``male`` and ``identity`` where the dataset knows them: ``(N,)`` int64, -1 for unknown."""

    def fingerprint(self) -> Any:
        """A JSON-able value that changes whenever the files behind it do."""


@dataclass(frozen=True)
class FaceSet:
    """Aligned faces of one size.

    Attributes:
        title: what reports call them, for example ``drawn faces``.
        names: one a face.
        images: ``(N, S, S, 3)`` uint8 RGB; may be a memory map.
        labels: ``(N, S, S)`` uint8, 0..10 or 255; None for unlabelled photos.
        male: ``(N,)`` int64: 1 male, 0 female, -1 unknown.
        identity: ``(N,)`` int64: equal for photos of one person, -1 unknown.
        predicted: ``(N,)`` bool: label maps that a parser predicted; None where all are human.
        dropped: why photos of the dataset are not among these, and how many.
    """

    title: str
    names: tuple[str, ...]
    images: ByteArray
    labels: ByteArray | None
    male: IntArray
    identity: IntArray
    predicted: npt.NDArray[np.bool_] | None = field(default=None, kw_only=True)
    dropped: dict[str, int] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.names)

    @property
    def size(self) -> int:
        """Side of the crops in pixels."""
        return int(self.images.shape[1])

    def select(self, indices: Sequence[int] | IntArray) -> FaceSet:
        """The faces at ``indices``, in that order."""
        rows = np.asarray(indices, dtype=np.int64)
        return replace(
            self,
            names=tuple(self.names[i] for i in rows),
            images=self.images[rows],
            labels=None if self.labels is None else self.labels[rows],
            male=self.male[rows],
            identity=self.identity[rows],
            predicted=None if self.predicted is None else self.predicted[rows],
        )

    @property
    def human(self) -> npt.NDArray[np.bool_]:
        """``(N,)`` bool: label maps made by people."""
        return np.ones(len(self), dtype=bool) if self.predicted is None else ~self.predicted

    def digest(self) -> str:
        """SHA-256 of photos, human label maps and what is known of the people: equal for equal data, wherever they lie.

        Predicted label maps are left out: they follow from the photos and the parser, whose hash runs keep beside this.
        """
        return self._digest

    @cached_property
    def _digest(self) -> str:  # once for a set: CelebA at 256 px has 40 GB
        found = hashlib.sha256(np.ascontiguousarray(self.images).data)
        labels = None if self.labels is None else self.labels if self.predicted is None else self.labels[self.human]
        for column in (labels, self.male, self.identity, self.predicted):
            found.update(b"" if column is None else np.ascontiguousarray(column).data)
        return found.hexdigest()

    def about(self) -> dict[str, Any]:
        """Which faces these are, for the identity of runs: ``title``, ``count``, and ``sha256`` of what they contain."""
        return {"title": self.title, "count": len(self), "sha256": self.digest()}

    def with_labels(self, labels: ByteArray) -> FaceSet:
        """The same photos with label maps ``(N, S, S)`` predicted by a parser."""
        return replace(self, labels=labels, predicted=np.ones(len(self), dtype=bool))


def join(first: FaceSet, second: FaceSet) -> FaceSet:
    """Two labelled sets of one size as one; identities of the two are kept apart."""
    if first.labels is None or second.labels is None:
        raise ValueError("only labelled sets can be joined")
    offset = int(first.identity.max(initial=-1)) + 1
    return FaceSet(
        title=first.title if first.title == second.title else f"{first.title} + {second.title}",
        names=first.names + second.names,
        images=np.concatenate([first.images, second.images]),
        labels=np.concatenate([first.labels, second.labels]),
        male=np.concatenate([first.male, second.male]),
        identity=np.concatenate([first.identity, np.where(second.identity < 0, -1, second.identity + offset)]),
        predicted=~np.concatenate([first.human, second.human]),
        dropped=dict(Counter(first.dropped) + Counter(second.dropped)),
    )


def align(raw: RawFaces, *, size: int, cache: Path | None = None) -> FaceSet:
    """Bring every photo of a dataset to the canonical crop.

    Args:
        raw: the dataset.
        size: side of the crops in pixels.
        cache: folder that keeps the result; the same files at the same size are read back from it.

    Raises:
        DatasetDamaged: a photo or its labels cannot be used.
        NothingLeft: no photo had usable landmarks.
        OutputError: the cache cannot be written.
    """
    key = short_hash([_VERSION, raw.fingerprint(), size])
    folder = None if cache is None else cache / f"faces-{size}-{key}"
    if folder is None or not folder.is_dir():
        faces = _align_now(raw, size)
        if folder is None:
            return faces
        _write(folder, faces)
    return _read(folder, raw.title)


def _align_now(raw: RawFaces, size: int) -> FaceSet:
    images: list[ByteArray] = []
    labels: list[ByteArray] = []
    kept: list[int] = []
    dropped: Counter[str] = Counter()
    with Progress(f"aligning {raw.title} at {size} px", len(raw.names), unit="photos") as progress:
        for index in range(len(raw.names)):
            photo = raw.photo(index)
            points = photo.landmarks
            if points is None and photo.labels is not None:
                points = landmarks_from_labels(photo.labels)
            matrix = None if points is None else similarity(points, size)
            if matrix is None:
                dropped["no usable landmarks"] += 1
            else:
                kept.append(index)
                images.append(warp_image(photo.image, matrix, size))
                if photo.labels is not None:
                    labels.append(warp_labels(photo.labels, matrix, size))
            progress.update(index + 1)
    if not kept:
        raise NothingLeft(
            f"{raw.title}: none of {len(raw.names)} photos has usable landmarks; add label maps or a landmarks file"
        )
    if dropped:
        say(f"{raw.title}: left out {dropped['no usable landmarks']} photos without usable landmarks")
    traits = raw.traits()
    unknown = np.full(len(raw.names), -1, dtype=np.int64)
    return FaceSet(
        title=raw.title,
        names=tuple(raw.names[i] for i in kept),
        images=np.stack(images),
        labels=np.stack(labels) if labels else None,
        male=traits.get("male", unknown)[kept],
        identity=traits.get("identity", unknown)[kept],
        dropped=dict(dropped),
    )


def _write(folder: Path, faces: FaceSet) -> None:
    with atomic_folder(folder) as part:
        np.save(part / "images.npy", faces.images)
        if faces.labels is not None:
            np.save(part / "labels.npy", faces.labels)
        record = {
            "title": faces.title,
            "names": faces.names,
            "male": faces.male.tolist(),
            "identity": faces.identity.tolist(),
            "dropped": faces.dropped,
        }
        (part / "faces.json").write_text(json.dumps(record))


def _read(folder: Path, title: str) -> FaceSet:
    record = json.loads((folder / "faces.json").read_text())
    labels = folder / "labels.npy"
    return FaceSet(
        title=title,
        names=tuple(record["names"]),
        images=np.load(folder / "images.npy", mmap_mode="r", allow_pickle=False),
        labels=np.load(labels, mmap_mode="r", allow_pickle=False) if labels.is_file() else None,
        male=np.array(record["male"], dtype=np.int64),
        identity=np.array(record["identity"], dtype=np.int64),
        dropped=record["dropped"],
    )
