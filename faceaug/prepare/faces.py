"""Aligned faces of one size: decoded and warped once, kept on disk, and read from there row by row."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol, TypeVar
from zipfile import BadZipFile

import numpy as np
import numpy.typing as npt

from faceaug.arrays import ByteArray, FloatArray, IntArray
from faceaug.compute.parallel import in_order
from faceaug.config import from_dict
from faceaug.errors import ConfigError, DatasetDamaged, NothingLeft
from faceaug.files import atomic_folder, short_hash
from faceaug.labels import HELEN_11, Scheme
from faceaug.prepare.align import LARGEST_MISFIT, misfit, outside, similarity, warp_image, warp_labels
from faceaug.prepare.landmarks import landmarks_from_labels, sides_exchanged
from faceaug.prepare.rows import Rows, StoredRows, row_hash, row_hashes
from faceaug.progress import Progress, say

UNKNOWN, FEMALE, MALE = -1, 0, 1
"""Values of :attr:`FaceSet.male`."""

_VERSION = 3


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
    scheme: Scheme

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
        images: ``(N, S, S, 3)`` uint8 RGB; may be read row by row (:mod:`faceaug.prepare.rows`).
        labels: ``(N, S, S)`` uint8 of the scheme, or 255; None for unlabelled photos; read likewise.
        male: ``(N,)`` int64: 1 male, 0 female, -1 unknown.
        identity: ``(N,)`` int64: equal for photos of one person, -1 unknown.
        predicted: ``(N,)`` bool: label maps that a parser predicted; None where all are human.
        matrices: ``(N, 2, 3)`` float64 from pixels of the photo to pixels of the crop; None where the photos are not known.
        dropped: why photos of the dataset are not among these, and how many.
        scheme: of the label maps.
    """

    title: str
    names: tuple[str, ...]
    images: ByteArray
    labels: ByteArray | None
    male: IntArray
    identity: IntArray
    predicted: npt.NDArray[np.bool_] | None = field(default=None, kw_only=True)
    matrices: FloatArray | None = field(default=None, kw_only=True)
    dropped: dict[str, int] = field(default_factory=dict)
    scheme: Scheme = field(default=HELEN_11, kw_only=True)

    def __len__(self) -> int:
        return len(self.names)

    @property
    def size(self) -> int:
        """Side of the crops in pixels."""
        return int(self.images.shape[1])

    def select(self: Faces, indices: Sequence[int] | IntArray, *, lazily: bool = False) -> Faces:
        """The faces at ``indices``, in that order; ``lazily`` they stay where they are and are read row by row."""
        rows = np.asarray(indices, dtype=np.int64)

        def some(array: Any) -> Any:
            return Rows(array, chosen=rows) if lazily else array[rows]

        return replace(
            self,
            names=tuple(self.names[i] for i in rows),
            images=some(self.images),
            labels=None if self.labels is None else some(self.labels),
            male=self.male[rows],
            identity=self.identity[rows],
            predicted=None if self.predicted is None else self.predicted[rows],
            matrices=None if self.matrices is None else self.matrices[rows],
        )

    def anatomy(self, rows: Any = slice(None)) -> ByteArray:
        """Which part of the face each pixel is, see :meth:`faceaug.labels.Scheme.anatomy`; of some rows, or of all."""
        if self.labels is None:
            raise ValueError(f"{self.title}: has no label maps")
        return self.scheme.anatomy(self.labels[rows])

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
    def photo_hashes(self) -> ByteArray:
        """``(N, 32)`` SHA-256 of each photo's pixels: equal for equal photos."""
        return row_hashes(self.images)

    @cached_property
    def _digest(self) -> str:
        found = hashlib.sha256(self.photo_hashes.data)
        if self.labels is not None and self.scheme != HELEN_11 and self.human.any():
            found.update(json.dumps(asdict(self.scheme)).encode())
        if self.labels is not None:
            found.update(row_hashes(self.labels, np.flatnonzero(self.human)).data)
        for column in (self.male, self.identity, self.predicted):
            found.update(b"" if column is None else row_hash(column))
        return found.hexdigest()

    def about(self) -> dict[str, Any]:
        """Which faces these are, for the identity of runs: ``title``, ``count``, and ``sha256`` of what they contain."""
        return {"title": self.title, "count": len(self), "sha256": self.digest()}

    def with_labels(self, labels: ByteArray, scheme: Scheme = HELEN_11) -> LabelledFaces:
        """The same photos with label maps ``(N, S, S)`` of a scheme, predicted by a parser."""
        return replace(self, labels=labels, predicted=np.ones(len(self), dtype=bool), scheme=scheme).labelled()

    def labelled(self) -> LabelledFaces:
        """The same faces where they have label maps.

        Raises:
            ValueError: they have none.
        """
        if self.labels is None:
            raise ValueError(f"{self.title}: has no label maps")
        return LabelledFaces(**{each.name: getattr(self, each.name) for each in fields(self)})


Faces = TypeVar("Faces", bound=FaceSet)


@dataclass(frozen=True)
class LabelledFaces(FaceSet):
    """Aligned faces that all have a label map, human or predicted."""

    labels: ByteArray

    def labelled(self) -> LabelledFaces:
        """These faces."""
        return self


def join(first: LabelledFaces, second: LabelledFaces) -> LabelledFaces:
    """Two labelled sets of one size and scheme as one; identities of the two are kept apart.

    Its photos and label maps stay where they are and are read row by row.
    """
    if first.scheme != second.scheme:
        raise ValueError(f"label schemes differ: {first.scheme.name} and {second.scheme.name}")
    offset = int(first.identity.max(initial=-1)) + 1
    images: Any = Rows(first.images, second.images)
    labels: Any = Rows(first.labels, second.labels)
    return LabelledFaces(
        title=first.title if first.title == second.title else f"{first.title} + {second.title}",
        names=first.names + second.names,
        images=images,
        labels=labels,
        male=np.concatenate([first.male, second.male]),
        identity=np.concatenate([first.identity, np.where(second.identity < 0, -1, second.identity + offset)]),
        predicted=~np.concatenate([first.human, second.human]),
        dropped=dict(Counter(first.dropped) + Counter(second.dropped)),
        scheme=first.scheme,
    )


def align(raw: RawFaces, *, size: int, cache: Path | None = None) -> FaceSet:
    """Bring every photo of a dataset to the canonical crop.

    With a cache the crops are written as they are made and read row by row, so that a set may be larger than memory; without one
    they are kept in memory.

    Args:
        raw: the dataset.
        size: side of the crops in pixels.
        cache: folder that keeps the result; the same files at the same size are read back from it.

    Raises:
        DatasetDamaged: a photo or its labels cannot be used, or most landmarks are no face's.
        NothingLeft: no photo had usable landmarks.
        OutputError: the cache cannot be written.
    """
    if cache is None:
        memory = _Memory()
        return memory.faces(raw, size, _crops(raw, size, memory))
    folder = cache / f"faces-{size}-{short_hash([_VERSION, raw.fingerprint(), size])}"
    found = _read(folder, raw.title)
    if found is None:
        shutil.rmtree(folder, ignore_errors=True)  # a part of one, or damaged
        with atomic_folder(folder, option="--cache") as part, _Disk(part) as disk:
            disk.finish(raw, size, _crops(raw, size, disk))
        found = _read(folder, raw.title)
    if found is None:
        raise DatasetDamaged(f"{folder}: cannot be read back; choose another --cache")
    return found


class _Crops(Protocol):
    """Where crops go, one after the other."""

    def add(self, image: ByteArray, labels: ByteArray | None) -> None: ...


@dataclass(frozen=True)
class _Kept:
    """Which photos became crops, how, and why the others did not."""

    rows: IntArray
    matrices: FloatArray
    dropped: dict[str, int]


def _crops(raw: RawFaces, size: int, crops: _Crops) -> _Kept:
    """Align every photo in its order, on all cores: decoding and warping leave Python's lock alone."""
    rows: list[int] = []
    matrices: list[FloatArray] = []
    dropped: Counter[str] = Counter()
    sides: Counter[bool | None] = Counter()
    total = len(raw.names)
    with Progress(f"aligning {raw.title} at {size} px", total, unit="photos") as progress:
        for index, found in enumerate(_aligned(raw, size, total)):
            if isinstance(found, str):
                dropped[found] += 1
            else:
                matrix, image, labels = found
                rows.append(index)
                matrices.append(matrix)
                crops.add(image, labels)
                sides[None if labels is None else sides_exchanged(labels, raw.scheme)] += 1
            progress.update(index + 1)
    if dropped[_ABSURD] > max(len(rows), 1):
        raise DatasetDamaged(
            f"{raw.title}: the landmarks of {dropped[_ABSURD]} of {total} photos are no upright face's; are left and right "
            f"exchanged? left is the viewer's left, smaller x"
        )
    if dropped[_ELSEWHERE] > max(len(rows), 1):
        raise DatasetDamaged(
            f"{raw.title}: the landmarks of {dropped[_ELSEWHERE]} of {total} photos lie outside of them; are they of photos of "
            f"another size? use the list that belongs to these"
        )
    if sides[True] > max(sides[False], 1):
        raise DatasetDamaged(
            f"{raw.title}: a left eye or brow lies right of the right one in {sides[True]} of {total} label maps; left is the "
            f"viewer's left, smaller x: exchange the two classes, or name a scheme that says so"
        )
    if not rows:
        raise NothingLeft(f"{raw.title}: none of {total} photos has usable landmarks; add label maps or a landmarks file")
    if dropped:
        say(f"{raw.title}: left out " + ", ".join(f"{count} photos: {reason}" for reason, count in dropped.items()))
    return _Kept(np.array(rows, dtype=np.int64), np.stack(matrices), dict(dropped))


_ABSURD = "landmarks are no upright face's"
_ELSEWHERE = "landmarks lie outside of the photo"


def _aligned(raw: RawFaces, size: int, total: int) -> Iterator[tuple[FloatArray, ByteArray, ByteArray | None] | str]:
    """Matrix, image and label map of each photo, or why there is none."""

    def one(index: int) -> tuple[FloatArray, ByteArray, ByteArray | None] | str:
        photo = raw.photo(index)
        points = photo.landmarks
        if points is None and photo.labels is not None:
            points = landmarks_from_labels(photo.labels, raw.scheme)
        matrix = None if points is None else similarity(points, size)
        if matrix is None or points is None:
            return "no usable landmarks"
        if outside(points, photo.image.shape[:2]):
            return _ELSEWHERE
        if misfit(matrix, points, size) > LARGEST_MISFIT:
            return _ABSURD
        labels = None if photo.labels is None else warp_labels(photo.labels, matrix, size, classes=len(raw.scheme))
        return matrix, warp_image(photo.image, matrix, size), labels

    yield from in_order(one, range(total))


class _Memory:
    """Crops in memory."""

    def __init__(self) -> None:
        self._images: list[ByteArray] = []
        self._labels: list[ByteArray] = []

    def add(self, image: ByteArray, labels: ByteArray | None) -> None:
        self._images.append(image)
        self._labels += [] if labels is None else [labels]

    def faces(self, raw: RawFaces, size: int, kept: _Kept) -> FaceSet:
        labels = np.stack(self._labels) if self._labels else None
        return _face_set(raw.title, _record(raw, size, kept), np.stack(self._images), labels, kept.matrices)


_RECORD, _IMAGES, _LABELS, _MATRICES, _HASHES = "faces.json", "images.u8", "labels.u8", "matrices.npy", "hashes.npz"


class _Disk:
    """Crops in a folder, written as they come."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._images, self._labels = open(folder / _IMAGES, "wb"), open(folder / _LABELS, "wb")  # noqa: SIM115
        self._hashes: dict[str, list[bytes]] = {_IMAGES: [], _LABELS: []}

    def __enter__(self) -> _Disk:
        return self

    def __exit__(self, *_: object) -> None:
        self._images.close()
        self._labels.close()

    def add(self, image: ByteArray, labels: ByteArray | None) -> None:
        self._images.write(np.ascontiguousarray(image).data)
        self._hashes[_IMAGES].append(row_hash(image))
        if labels is not None:
            self._labels.write(np.ascontiguousarray(labels).data)
            self._hashes[_LABELS].append(row_hash(labels))

    def finish(self, raw: RawFaces, size: int, kept: _Kept) -> None:
        self.__exit__()
        np.save(self._folder / _MATRICES, kept.matrices)
        hashes = {name: np.frombuffer(b"".join(found), np.uint8).reshape(-1, 32) for name, found in self._hashes.items()}
        np.savez(self._folder / _HASHES, **hashes)  # type: ignore[arg-type]
        record = {**_record(raw, size, kept), "labelled": len(hashes[_LABELS]) > 0}
        (self._folder / _RECORD).write_text(json.dumps(record))


def _record(raw: RawFaces, size: int, kept: _Kept) -> dict[str, Any]:
    traits = raw.traits()
    unknown = np.full(len(raw.names), UNKNOWN, dtype=np.int64)
    return {
        "size": size,
        "names": [raw.names[row] for row in kept.rows],
        "male": traits.get("male", unknown)[kept.rows].tolist(),
        "identity": traits.get("identity", unknown)[kept.rows].tolist(),
        "dropped": kept.dropped,
        "scheme": asdict(raw.scheme),
    }


def _face_set(title: str, record: dict[str, Any], images: ByteArray, labels: ByteArray | None, matrices: FloatArray) -> FaceSet:
    return FaceSet(
        title=title,
        names=tuple(record["names"]),
        images=images,
        labels=labels,
        male=np.array(record["male"], dtype=np.int64),
        identity=np.array(record["identity"], dtype=np.int64),
        matrices=matrices,
        dropped=record["dropped"],
        scheme=from_dict(Scheme, record["scheme"], where=title),
    )


def _read(folder: Path, title: str) -> FaceSet | None:
    """What a cache holds; None where it is not there or not whole."""
    try:
        record = json.loads((folder / _RECORD).read_text())
        count, size = len(record["names"]), int(record["size"])
        with np.load(folder / _HASHES, allow_pickle=False) as hashes:
            images: Any = StoredRows(folder / _IMAGES, (count, size, size, 3), hashes[_IMAGES])
            labels: Any = None
            if record["labelled"]:
                labels = StoredRows(folder / _LABELS, (count, size, size), hashes[_LABELS])
        return _face_set(title, record, images, labels, np.load(folder / _MATRICES, allow_pickle=False))
    except (OSError, EOFError, ValueError, KeyError, TypeError, BadZipFile, ConfigError):
        return None
