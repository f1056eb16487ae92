"""What is wrong with a dataset: missing, broken and contradictory files, doubtful labels, and faces that splits share."""

from __future__ import annotations

import hashlib
import os
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from faceaug.arrays import ByteArray, FloatArray
from faceaug.errors import DatasetDamaged, DatasetNotFound
from faceaug.labels import IGNORE, Scheme
from faceaug.prepare.align import outside
from faceaug.progress import Progress

from .folder import PhotoFolder
from .label_maps import LabelOutOfRange, SizesDiffer
from .layout import Layout
from .listing import SPLITS
from .names import open_reader, resolve

MISSING, BROKEN, SIZES, RANGE = "missing", "broken", "sizes differ", "label out of range"
EMPTY, SKINLESS, SIDES = "empty class", "no skin", "sides exchanged"
DUPLICATE, SIMILAR, SHARED_PHOTO, SHARED_PERSON = "duplicate", "similar", "photo in two splits", "person in two splits"
KINDS = (MISSING, BROKEN, SIZES, RANGE, EMPTY, SKINLESS, SIDES, DUPLICATE, SIMILAR, SHARED_PHOTO, SHARED_PERSON)
"""What can be found, in the order of reports."""

_SIDE = 32
"""Photos are compared at this size."""
_ALIKE = 3.0
"""Mean difference of grey values, at that size, below which two photos are taken for one."""


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong.

    Attributes:
        kind: one of :data:`KINDS`.
        split: where; empty for the whole set.
        name: the face; empty for the whole split.
        file: the file at fault.
        text: what is wrong with it.
    """

    kind: str
    split: str
    name: str
    file: str
    text: str


@dataclass(frozen=True)
class Report:
    """What was found.

    Attributes:
        title: of the dataset.
        scheme: of its label maps; None for photos alone.
        faces: how many each split has.
        findings: in the order of :data:`KINDS`.
    """

    title: str
    scheme: str | None
    faces: dict[str, int]
    findings: tuple[Finding, ...]

    def counts(self) -> dict[str, int]:
        """Findings of each kind that there are."""
        found = Counter(one.kind for one in self.findings)
        return {kind: found[kind] for kind in KINDS if found[kind]}

    def summary(self) -> str:
        """One line: the set, its size, and the counts."""
        sizes = ", ".join(f"{count:,} {split}" for split, count in self.faces.items())
        scheme = f" in {self.scheme}" if self.scheme else ""
        counts = ", ".join(f"{count} {kind}" for kind, count in self.counts().items())
        return f"{self.title}{scheme}: {sizes}; {counts or 'nothing is wrong'}"

    def as_dict(self) -> dict[str, Any]:
        """The report as JSON."""
        return {**asdict(self), "counts": self.counts()}


@dataclass
class _Face:
    """What is known of one face after reading it once."""

    name: str
    split: str
    file: Path
    digest: str = ""
    grey: ByteArray | None = None
    classes: frozenset[int] = frozenset()
    person: str = ""
    origin: str = ""
    findings: list[Finding] = field(default_factory=list)

    def found(self, kind: str, file: Path | str, text: str) -> None:
        self.findings.append(Finding(kind, self.split, self.name, str(file), text))


def check(spec: str, *, root: Path, against: str | None = None, similar: bool = False) -> Report:
    """Read every file of a dataset, in all its splits.

    Args:
        spec: the dataset, ``NAME``, ``NAME:DIR`` or ``NAME:DIR@OPTION``.
        root: the data root.
        against: another dataset, whose photos and people this one should not share.
        similar: also look for photos that are not equal byte for byte, but look alike.

    Raises:
        ConfigError: an unknown dataset, or its label scheme is not known.
        DatasetNotFound: no such folder.
    """
    readers, findings = _readers(spec, root)
    faces: list[_Face] = []
    for reader in readers:
        faces += _read(reader, full=True, similar=similar)
    findings += [finding for face in faces for finding in face.findings]
    if readers and readers[0].labelled:
        findings += _empty_classes(faces, readers[0].scheme)
    findings += _shared(faces, similar=similar)
    if against is not None:
        others = [face for reader in _readers(against, root)[0] for face in _read(reader, full=False, similar=similar)]
        for face in others:
            face.split = against
        findings += _shared_with(faces, others, similar=similar)
    findings.sort(key=lambda one: KINDS.index(one.kind))
    first = readers[0] if readers else None
    scheme = first.scheme.name if first is not None and first.labelled else None
    counts = {reader.split: len(reader) for reader in readers}
    return Report(spec if first is None else first.title, scheme, counts, tuple(findings))


def _readers(spec: str, root: Path) -> tuple[list[Layout], list[Finding]]:
    """A reader of each split, and what keeps the others from being opened."""
    readers: list[Layout] = []
    findings: list[Finding] = []
    errors: list[Exception] = []
    # The splits of plain photos are made by hash: nothing is wrong with what they share.
    for split in ("all",) if resolve(spec, root).name == PhotoFolder.key else SPLITS:
        try:
            readers.append(open_reader(spec, split, root=root, whole=False))
        except (DatasetNotFound, DatasetDamaged) as error:
            kind = MISSING if isinstance(error, DatasetNotFound) else BROKEN
            file, _, text = str(error).partition(": ")
            if not any(text == other.text and file == other.file for other in findings):
                findings.append(Finding(kind, split, "", file, text))
            errors.append(error)
    if not readers and isinstance(errors[0], DatasetNotFound):
        raise errors[0]
    return readers, findings


def _read(reader: Layout, *, full: bool, similar: bool) -> list[_Face]:
    """All faces of a split; of one that is only compared with, just its photos."""
    persons, origins = reader.persons(), reader.origins()
    faces = [_Face(name, reader.split, Path(name)) for name in reader.names]
    for index, face in enumerate(faces):
        face.person = persons[index] if persons else ""
        face.origin = origins[index] if origins else ""

    def read(index: int) -> None:
        _examine(reader, index, faces[index], full=full, similar=similar)

    with Progress(f"checking {reader.title}, {reader.split}", len(faces), unit="faces") as progress:
        for done, _ in enumerate(_on_all_cores(read, len(faces)), 1):
            progress.update(done)
    return faces


def _on_all_cores(function: Callable[[int], None], count: int) -> Iterator[None]:
    with ThreadPoolExecutor(min(os.cpu_count() or 1, 8)) as pool:
        yield from pool.map(function, range(count))


def _examine(reader: Layout, index: int, face: _Face, *, full: bool, similar: bool) -> None:
    lacking = reader.lacks(face.name)
    for kind in lacking if full else ():
        path, near = reader.place(face.name, kind)
        face.found(MISSING, path, f"no {kind}{near}")
    if "photo" in lacking:
        return
    try:
        face.file = reader.photo_file(face.name)
        face.digest = hashlib.sha256(face.file.read_bytes()).hexdigest()
        if lacking or not (full or similar):
            return
        image, labels = reader.pixels(index)
        listed = reader.landmarks(index) if full else None
    except (DatasetDamaged, DatasetNotFound, OSError) as error:
        _told(face, error, full=full)
        return
    if similar:
        grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
        face.grey = np.asarray(cv2.resize(grey, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA))
    if labels is not None and full:
        _examine_labels(face, labels, reader)
    if listed is not None:
        _examine_landmarks(face, listed, image.shape[:2])


def _told(face: _Face, error: Exception, *, full: bool) -> None:
    """The finding that an error is."""
    if not full:
        return
    kinds: dict[type[Exception], str] = {LabelOutOfRange: RANGE, SizesDiffer: SIZES}
    if isinstance(error, OSError):
        face.found(BROKEN, face.file, f"cannot be read ({error.strerror})")
        return
    file, _, text = str(error).partition(": ")
    face.found(kinds.get(type(error), BROKEN), file, text)


def _examine_labels(face: _Face, labels: ByteArray, reader: Layout) -> None:
    present = np.flatnonzero(np.bincount(labels.ravel(), minlength=256))
    face.classes = frozenset(int(label) for label in present if label != IGNORE)
    files = reader.label_files(face.name)
    file = files[0] if len(files) == 1 else files[0].parent / f"{face.name}*"
    skin = reader.scheme.where("skin")
    if skin and not face.classes & set(skin):
        face.found(SKINLESS, file, f"no pixel is {' or '.join(reader.scheme.classes[label] for label in skin)}")
    for part in ("eye", "brow"):
        left, right = (_middle(labels, reader.scheme, f"{side}_{part}") for side in ("left", "right"))
        if left is not None and right is not None and left > right:
            names = [_class_names(reader.scheme, f"{side}_{part}") for side in ("left", "right")]
            face.found(SIDES, file, f"{names[0]} lies at x = {left:.0f}, right of {names[1]} at {right:.0f}")


def _class_names(scheme: Scheme, part: str) -> str:
    return " or ".join(scheme.classes[label] for label in scheme.where(part))


def _middle(labels: ByteArray, scheme: Scheme, part: str) -> float | None:
    """Mean x of a part; None where it is absent."""
    xs = np.nonzero(np.isin(labels, scheme.where(part)))[1]
    return float(xs.mean()) if len(xs) else None


def _examine_landmarks(face: _Face, points: FloatArray, size: tuple[int, int]) -> None:
    if outside(points, size):
        face.found(BROKEN, face.file, f"its landmarks lie outside of the photo of {size[1]}x{size[0]}")
    for what, left, right in (("eye", 0, 1), ("mouth corner", 3, 4)):
        if points[left, 0] > points[right, 0]:
            x, other = points[left, 0], points[right, 0]
            text = f"the left {what} of its landmarks is at x = {x:.0f}, right of the right one at {other:.0f}"
            face.found(SIDES, face.file, text)


def _empty_classes(faces: Sequence[_Face], scheme: Scheme) -> list[Finding]:
    present = {label for face in faces for label in face.classes}
    if not present:
        return []
    return [
        Finding(EMPTY, "", "", "", f"no face has {name} ({label} of {scheme.name})")
        for label, name in enumerate(scheme.classes)
        if label not in present
    ]


def _groups(faces: Iterable[_Face], key: Callable[[_Face], str]) -> list[list[_Face]]:
    """Faces of equal keys that are not empty, where there are several."""
    groups: dict[str, list[_Face]] = defaultdict(list)
    for face in faces:
        if key(face):
            groups[key(face)].append(face)
    return [group for group in groups.values() if len(group) > 1]


def _shared(faces: Sequence[_Face], *, similar: bool) -> list[Finding]:
    """Photos that are there twice, and photos and people in two splits."""
    findings = []
    for group in _groups(faces, lambda face: face.digest):
        findings += [_pair(group[0], other, "the same file as") for other in group[1:]]
    for one, other in _look_alike(faces) if similar else ():
        findings.append(_pair(one, other, "looks like", SIMILAR))
    for group in _groups(faces, lambda face: face.person):
        first, splits = group[0], {face.split: face for face in reversed(group)}
        for split, face in splits.items():
            if split != first.split:
                findings.append(_finding(SHARED_PERSON, face, f"the person of {first.name} in {first.split}"))
    return findings


def _pair(first: _Face, other: _Face, relation: str, kind: str = DUPLICATE) -> Finding:
    if first.split != other.split:
        return _finding(SHARED_PHOTO, other, f"{relation} {first.file.name} in {first.split}")
    return _finding(kind, other, f"{relation} {first.file.name}")


def _finding(kind: str, face: _Face, text: str) -> Finding:
    return Finding(kind, face.split, face.name, str(face.file), text)


def _shared_with(faces: Sequence[_Face], others: Sequence[_Face], *, similar: bool) -> list[Finding]:
    """Photos and people of one set that are in another: by bytes, by origin, by looks, by identity."""
    findings = []
    keys: list[tuple[str, Callable[[_Face], str], str]] = [
        (SHARED_PHOTO, lambda face: face.digest, "the same file as"),
        (SHARED_PHOTO, lambda face: face.origin, "made from the photo of"),
        (SHARED_PERSON, lambda face: face.person, "the person of"),
    ]
    for kind, key, relation in keys:
        there = {key(face): face for face in reversed(others) if key(face)}
        hits = [(face, there[key(face)]) for face in faces if key(face) in there]
        findings += [_finding(kind, face, f"{relation} {other.name} in {other.split}") for face, other in hits]
    if similar:
        mine = {id(face) for face in faces}
        for one, other in _look_alike([*others, *faces]):
            if id(other) in mine and id(one) not in mine:
                findings.append(_finding(SHARED_PHOTO, other, f"looks like {one.name} in {one.split}"))
    return findings


def _look_alike(faces: Sequence[_Face]) -> Iterator[tuple[_Face, _Face]]:
    """Pairs of photos, an earlier and a later one, that differ in bytes but hardly in looks.

    Only photos are compared that share a quarter of a hash of 64 bits.
    """
    buckets: dict[tuple[int, bytes], list[_Face]] = defaultdict(list)
    for face in faces:
        if face.grey is None:
            continue
        keys = _hash_quarters(face.grey)
        for other in {id(one): one for key in keys for one in buckets[key]}.values():
            if face.digest != other.digest and _difference(face, other) < _ALIKE:
                yield other, face
                break
        for key in keys:
            buckets[key].append(face)


def _hash_quarters(grey: ByteArray) -> list[tuple[int, bytes]]:
    """Where the brightness of a picture, reduced to 9 by 8 cells, rises to the right: four keys of 16 bits."""
    coarse = cv2.resize(grey, (9, 8), interpolation=cv2.INTER_AREA).astype(np.int16)
    bits = np.packbits(coarse[:, 1:] > coarse[:, :-1]).tobytes()
    return [(at, bits[at : at + 2]) for at in range(0, 8, 2)]


def _difference(one: _Face, other: _Face) -> float:
    assert one.grey is not None  # only such faces are compared
    assert other.grey is not None
    return float(np.abs(one.grey.astype(np.int16) - other.grey).mean())
