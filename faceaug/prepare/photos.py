"""Ordinary photos: which files, which faces in them, aligned crops on disk, and a record of what became of each photo."""

from __future__ import annotations

import csv
import io
import itertools
import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from faceaug.arrays import ByteArray, FloatArray
from faceaug.compute.parallel import in_order
from faceaug.errors import ConfigError, DatasetDamaged, DatasetNotFound, NothingLeft
from faceaug.files import ensure_folder, write_text
from faceaug.images import PHOTO_SUFFIXES, read_rgb, write_png
from faceaug.pictures import sheet
from faceaug.prepare.align import LARGEST_MISFIT, misfit, outside, similarity, warp_image
from faceaug.prepare.detect import MIN_CONFIDENCE, MIN_SIZE, Detection, detect
from faceaug.prepare.landmark_files import LandmarkFiles
from faceaug.progress import Progress
from faceaug.runs.log import JsonLog, read_log

Row = dict[str, Any]
"""What became of a photo, as JSON: ``file``, ``outcome``, ``reason`` and ``faces``."""

ALIGNED, SKIPPED = "aligned", "skipped"
IMAGES, LANDMARKS, REPORT, SHEET, RECORD = "images", "landmarks.csv", "report.csv", "contact_sheet.png", "photos.jsonl"

_ENLARGED, _OUTSIDE = 1.5, 0.15
"""Scale of a crop, and share of it outside of the photo, above which the report has a remark."""

_SHOWN = 60

_NOTHING: ByteArray = np.zeros((0, 0, 3), dtype=np.uint8)


@dataclass(frozen=True)
class FaceChoice:
    """Which faces of a photo are taken.

    Attributes:
        faces: ``largest`` or ``every``.
        min_size: shorter side of a face's box in pixels of the photo.
        min_confidence: of the detector, 0..1.
    """

    faces: str = "largest"
    min_size: int = MIN_SIZE
    min_confidence: float = MIN_CONFIDENCE

    def __post_init__(self) -> None:
        if self.faces not in ("largest", "every"):
            raise ConfigError(f"--faces {self.faces}: unknown; choose from largest, every")
        if self.min_size < 1:
            raise ConfigError(f"--min-size {self.min_size}: must be 1 or more pixels")
        if not 0 <= self.min_confidence <= 1:
            raise ConfigError(f"--min-confidence {self.min_confidence}: must be within 0..1")


@dataclass(frozen=True)
class Face:
    """A face at its place in a photo.

    Attributes:
        landmarks: ``(5, 2)`` in pixels of the photo; NaN where they are not known.
        matrix: ``(2, 3)`` from pixels of the photo to pixels of the crop.
        box: left, top, right, bottom; None where the landmarks came from a file.
        confidence: of the detector; None likewise.
    """

    landmarks: FloatArray
    matrix: FloatArray
    box: tuple[float, float, float, float] | None
    confidence: float | None

    def record(self, number: int, name: str) -> Row:
        """The face as JSON; ``number`` counts the faces of its photo from 1."""
        inside = self.landmarks @ self.matrix[:, :2].T + self.matrix[:, 2]
        return {
            "face": number,
            "name": name,
            "box": None if self.box is None else [round(value, 1) for value in self.box],
            "confidence": None if self.confidence is None else round(self.confidence, 4),
            "matrix": self.matrix.tolist(),
            "landmarks": np.round(inside, 2).tolist() if np.isfinite(inside).all() else None,
        }


def find_photos(sources: Sequence[Path], *, but: Path | None = None) -> dict[str, Path]:
    """Photos by name: files as they are given, and of folders all files with a picture's extension, at any depth.

    Args:
        sources: files and folders.
        but: a folder for results: of folders, what is in it is left out.

    Returns:
        Name to file, sorted: the path below the folder where there is one source, else the path as it was given.

    Raises:
        DatasetNotFound: a source is not there, or there is no photo.
        ConfigError: a photo is among the results, see :func:`check_apart`.
    """
    found: dict[str, Path] = {}
    if but is not None:
        check_apart(but, [source for source in sources if not source.is_dir()])
    for source in sources:
        if not source.exists():
            raise DatasetNotFound(f"{source}: no such file or folder; name photos or a folder of photos")
        for file in _below(source, but) if source.is_dir() else [source]:
            short = file.name if file == source else file.relative_to(source).as_posix()
            found[short if len(sources) == 1 else file.as_posix()] = file
    if not found:
        known = " ".join(sorted(PHOTO_SUFFIXES))
        where = "" if but is None else f" outside of --out {but}"
        raise DatasetNotFound(
            f"{', '.join(map(str, sources))}: no photo there{where}; files with these extensions count: {known}"
        )
    return dict(sorted(found.items()))


def check_apart(out: Path, inputs: Sequence[Path]) -> None:
    """Raise ConfigError where a file that is read lies where results are written, and one of them might take its name."""
    places = [folder.resolve() for folder in (out, out / IMAGES)]
    for file in inputs:
        if file.resolve().parent in places:
            raise ConfigError(f"{file}: lies in --out {out}, where a result may take its place; name another folder")


def _below(folder: Path, but: Path | None) -> Iterator[Path]:
    for file in sorted(folder.rglob("*")):
        hidden = any(part.startswith(".") for part in file.relative_to(folder).parts)
        ours = but is not None and file.resolve().is_relative_to(but.resolve())
        if file.suffix.lower() in PHOTO_SUFFIXES and not hidden and not ours and (file.is_file() or file.is_symlink()):
            yield file


def find_faces(image: ByteArray, size: int, choice: FaceChoice, *, landmarks: FloatArray | None = None) -> tuple[list[Face], str]:
    """Faces of a photo for crops of a size.

    Args:
        image: ``(H, W, 3)`` uint8 RGB.
        size: side of the crops.
        choice: which.
        landmarks: ``(5, 2)`` of its one face, from a file; nothing is detected then.

    Returns:
        The faces, largest first, and a remark: why there are none, or what is left out.
    """
    if landmarks is not None:
        if outside(landmarks, image.shape[:2]):
            return [], "landmarks lie outside of the photo"
        detected = [Detection((0, 0, 0, 0), landmarks, 1.0)]
    else:
        seen = detect(image, min_size=choice.min_size, min_confidence=0.0)
        detected = [one for one in seen if one.confidence >= choice.min_confidence]
        if not detected:
            sure = f"; the likeliest has confidence {max(one.confidence for one in seen):.2f}" if seen else ""
            return [], f"no face of {choice.min_size} px and confidence {choice.min_confidence:g} found{sure}"
    faces = []
    for one in detected:
        matrix = similarity(one.landmarks, size)
        if matrix is not None and misfit(matrix, one.landmarks, size) <= LARGEST_MISFIT:
            known = landmarks is None
            faces.append(Face(one.landmarks, matrix, one.box if known else None, one.confidence if known else None))
    if not faces:
        return [], "landmarks are no upright face's"
    if choice.faces == "largest" and len(faces) > 1:
        return faces[:1], f"the largest of {len(faces)} faces"
    return faces, ""


def _remarks(faces: list[Face], image: ByteArray, size: int) -> Iterator[str]:
    """What a user should know of crops that were made all the same."""
    scale = max((float(np.hypot(face.matrix[0, 0], face.matrix[1, 0])) for face in faces), default=0.0)
    if scale > _ENLARGED:
        yield f"enlarged {scale:.1f} times"
    beyond = max((_outside(face.matrix, size, image) for face in faces), default=0.0)
    if beyond > _OUTSIDE:
        yield f"{100 * beyond:.0f} % of the crop outside of the photo"


def _outside(matrix: FloatArray, size: int, image: ByteArray) -> float:
    """The share of a crop that is outside of its photo."""
    y, x = np.mgrid[:32, :32] * (size / 32)
    shifted = np.stack([x, y], axis=-1) - matrix[:, 2]
    points = shifted @ np.linalg.inv(matrix[:, :2]).T
    inside = (points > -0.5) & (points < np.array(image.shape[1::-1]) - 0.5)
    return float(1 - inside.all(axis=-1).mean())


class Record:
    """What became of the photos of a folder, kept as they come: the same command goes on where it was stopped.

    Photos that changed since lose what was written for them. Results of photos that are not among these stay: they may have been
    asked for by another call.

    Args:
        folder: where results go.
        photos: by name, see :func:`find_photos`.
        again: an outcome of photos that have to be tried again: what they lacked may be there now.
        reserved: stems that no photo's results get.
    """

    def __init__(self, folder: Path, photos: dict[str, Path], *, again: str = "", reserved: Sequence[str] = ()) -> None:
        self.folder, self.photos = ensure_folder(folder), photos
        file = folder / RECORD
        self._rows: dict[str, Row] = {}
        self._taken: set[str] = set(reserved)
        for row in read_log(file) if file.is_file() else []:
            if again and row["outcome"] == again and row["file"] in photos:
                continue
            if self._holds(row):
                self._keep(row)
            else:
                for name in row["files"]:
                    (folder / name).unlink(missing_ok=True)
        self._log = JsonLog(file, keep=lambda row: self._rows.get(row["file"]) == row)
        self.left = [name for name in photos if name not in self._rows]

    def _keep(self, row: Row) -> None:
        self._rows[row["file"]] = row
        self._taken |= {face["name"].lower() for face in row["faces"]} | {Path(file).stem.lower() for file in row["files"]}

    def _holds(self, row: Row) -> bool:
        photo = self.photos.get(row["file"])
        whole = all((self.folder / name).is_file() for name in row["files"])
        return whole and (photo is None or row["stamp"] == _stamp(photo))

    def add(self, name: str, row: Row, files: Sequence[str]) -> None:
        """A photo is done, and these files of the folder were written for it."""
        full = {"file": name, "stamp": _stamp(self.photos[name]), "files": list(files), **row}
        self._log.add(**full)
        self._keep(json.loads(json.dumps(full)))

    def rows(self) -> list[Row]:
        """The photos' rows, in the order of their names."""
        return [self._rows[name] for name in self.photos if name in self._rows]

    def every(self) -> list[Row]:
        """The photos' rows, then those of other photos whose results are in the folder."""
        return [*self.rows(), *(row for name, row in self._rows.items() if name not in self.photos)]

    def fresh_name(self, name: str, *endings: str) -> str:
        """A stem for a photo's results that no other photo's have, with neither of some endings behind it."""
        plain = name.removesuffix(Path(name).suffix) if Path(name).suffix.lower() in PHOTO_SUFFIXES else name
        joined = name.strip("/").replace("/", "_")
        choices = (plain.rsplit("/", 1)[-1], plain.strip("/").replace("/", "_"), joined.replace(".", "_"))
        numbered = (f"{joined}-{number}" for number in itertools.count(2))
        return next(one for one in itertools.chain(choices, [joined], numbered) if self._free(one, endings))

    def _free(self, stem: str, endings: Sequence[str]) -> bool:
        """Whether no name of a result is taken, in whatever case."""
        return not any(f"{stem}{ending}".lower() in self._taken for ending in ("", *endings))


def _stamp(photo: Path) -> list[int]:
    """Size and time of a file; of one that is gone, nothing."""
    try:
        about = photo.stat()
    except OSError:
        return []
    return [about.st_size, about.st_mtime_ns]


@dataclass(frozen=True)
class Looked:
    """A photo that was read and searched.

    Attributes:
        image: ``(H, W, 3)`` uint8 RGB; empty where it cannot be read.
        faces: those taken.
        remark: why there are none, or what a user should know.
    """

    image: ByteArray
    faces: list[Face]
    remark: str

    def crops(self, size: int) -> list[ByteArray]:
        """The aligned faces, ``(size, size, 3)`` each."""
        return [warp_image(self.image, face.matrix, size) for face in self.faces]


def numbered(record: Record, stem: str, number: int) -> str:
    """The name of a photo's face: the stem, and from the second on its number behind it."""
    return stem if number == 1 else record.fresh_name(f"{stem}-{number}")


def work_through(
    record: Record,
    look: Callable[[str], Looked],
    write: Callable[[str, Looked], tuple[list[Row], list[str]]],
    *,
    label: str,
    done: str,
) -> None:
    """Read and search the photos that are left on all cores, and write their results in order.

    Args:
        record: which are left; gets their rows.
        look: called with a photo's name.
        write: called with a stem for the results and what was found, where there is a face; returns a row for each face and the
            files that it wrote.
        label: name for the progress line.
        done: the outcome of photos with faces.
    """
    total = len(record.photos)
    with Progress(label, total, start=total - len(record.left), unit="photos") as progress:
        for count, (name, looked) in enumerate(zip(record.left, in_order(look, record.left), strict=True), 1):
            faces, files = write(record.fresh_name(name), looked) if looked.faces else ([], [])
            record.add(name, {"outcome": done if faces else SKIPPED, "reason": looked.remark, "faces": faces}, files)
            progress.update(total - len(record.left) + count)


class Look:
    """Reads a photo and finds its faces; call it with the photo's name.

    Args:
        photos: by name.
        size: side of the crops.
        choice: which faces.
        landmarks: from files; the photos are then not turned upright, since landmarks lie on the stored pixels.
    """

    def __init__(self, photos: dict[str, Path], size: int, choice: FaceChoice, landmarks: LandmarkFiles | None = None) -> None:
        self._photos, self._size, self._choice, self._landmarks = photos, size, choice, landmarks

    def __call__(self, name: str) -> Looked:
        """Read and search one photo."""
        try:
            image = read_rgb(self._photos[name], upright=self._landmarks is None)
            points = None if self._landmarks is None else self._landmarks.of(name)
        except DatasetDamaged as error:
            return Looked(_NOTHING, [], str(error).removeprefix(f"{self._photos[name]}: "))
        if self._landmarks is not None and points is None:
            return Looked(image, [], f"has no landmarks in {self._landmarks.path}")
        faces, remark = find_faces(image, self._size, self._choice, landmarks=points)
        return Looked(image, faces, "; ".join(filter(None, [remark, *_remarks(faces, image, self._size)])))


def prepare(
    photos: dict[str, Path],
    out: Path,
    *,
    size: int = 256,
    choice: FaceChoice | None = None,
    landmarks: LandmarkFiles | None = None,
) -> list[Row]:
    """Aligned faces of ordinary photos.

    Writes ``images/<stem>.png`` (a photo's further faces ``<stem>-2.png``, ...), ``landmarks.csv`` in pixels of the crops,
    ``report.csv`` with the matrices, ``contact_sheet.png``, and ``photos.jsonl``, from which an interrupted call goes on.

    Args:
        photos: by name, see :func:`find_photos`.
        out: the folder.
        size: side of the crops in pixels.
        choice: which faces; the largest where None.
        landmarks: from files, instead of detection.

    Returns:
        A row for each photo.

    Raises:
        ConfigError: the detector is not installed.
        NothingLeft: no photo has a usable face; the report says why.
        OutputError: something cannot be written.
    """
    record = Record(out, photos)
    look = Look(photos, size, choice or FaceChoice(), landmarks)

    def write(stem: str, looked: Looked) -> tuple[list[Row], list[str]]:
        rows, files = [], []
        for number, (face, crop) in enumerate(zip(looked.faces, looked.crops(size), strict=True), 1):
            name = numbered(record, stem, number)
            files.append(f"{IMAGES}/{name}.png")
            write_png(out / files[-1], crop)
            rows.append(face.record(number, name))
        return rows, files

    work_through(record, look, write, label=f"aligning at {size} px", done=ALIGNED)
    every = record.every()
    _write_landmarks(out / LANDMARKS, every)
    write_png(out / SHEET, _contact_sheet(photos, out, every, landmarks is None))
    write_report(out / REPORT, every)
    return record.rows()


def is_finished(out: Path, photos: dict[str, Path]) -> bool:
    """Whether a folder holds the results for these photos."""
    return (out / REPORT).is_file() and not Record(out, photos).left


def summary(rows: list[Row]) -> str:
    """Counts of outcomes and reasons in one sentence, for people."""
    faces = sum(len(row["faces"]) for row in rows)
    skipped = Counter(_kind(row["reason"]) for row in rows if row["outcome"] == SKIPPED)
    told = ", ".join(f"{count} {reason}" for reason, count in skipped.most_common())
    return f"{faces:,} faces from {len(rows):,} photos; skipped: {told or 'none'}"


def check_any(rows: list[Row], report: Path) -> None:
    """Raise NothingLeft where no photo gave a face."""
    if not any(row["faces"] for row in rows):
        raise NothingLeft(f"{report}: none of {len(rows)} photos has a usable face ({summary(rows).split('skipped: ')[1]})")


def _kind(reason: str) -> str:
    for kind in ("no readable image", "cannot be read", "has no landmarks"):
        if kind in reason:
            return kind
    return reason.split(";")[0]


def write_report(path: Path, rows: list[Row], further: Sequence[str] = ()) -> None:
    """Write a CSV with a row for each face, and for each photo without one.

    Args:
        path: the file.
        rows: of the photos.
        further: keys of faces that have a column of their own.
    """
    corners = [f"box_{side}" for side in ("left", "top", "right", "bottom")]
    matrix = [f"m{row}{column}" for row in range(2) for column in range(3)]
    table: list[list[Any]] = [["file", "outcome", "reason", "face", "name", *corners, "confidence", *matrix, *further]]
    for row in rows:
        first = [row["file"], row["outcome"], row["reason"]]
        table += [] if row["faces"] else [[*first, *[""] * (len(table[0]) - 3)]]
        for face in row["faces"]:
            numbers = [f"{value:.8g}" for line in face["matrix"] or [] for value in line] or [""] * 6
            box = face["box"] or [""] * 4
            own = [face["face"], face["name"], *box, face["confidence"], *numbers, *(face[key] for key in further)]
            table.append([*first, *own])
    _write_csv(path, table)


def _write_landmarks(path: Path, rows: list[Row]) -> None:
    table: list[list[Any]] = [["name", *(f"{axis}{number}" for number in range(1, 6) for axis in "xy")]]
    for row in rows:
        table += [[f"{IMAGES}/{face['name']}.png", *np.ravel(face["landmarks"]).tolist()] for face in row["faces"]]
    _write_csv(path, table)


def _write_csv(path: Path, table: list[list[Any]]) -> None:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(table)
    write_text(path, text.getvalue())


def _contact_sheet(photos: dict[str, Path], out: Path, rows: list[Row], upright: bool) -> ByteArray:
    """Up to sixty crops and skipped photos, evenly chosen."""
    cells: list[tuple[str, Path]] = []
    for row in rows:
        cells += [(face["name"], out / IMAGES / f"{face['name']}.png") for face in row["faces"]]
        if not row["faces"] and row["file"] in photos:
            cells.append((f"skipped: {row['file']}", photos[row["file"]]))
    chosen = [cells[i] for i in np.unique(np.linspace(0, len(cells) - 1, min(len(cells), _SHOWN)).round().astype(int))]
    return sheet([(caption, _shown(path, upright)) for caption, path in chosen])


def _shown(path: Path, upright: bool) -> ByteArray | None:
    try:
        return read_rgb(path, upright=upright)
    except DatasetDamaged:
        return None


def about(size: int, choice: FaceChoice, landmarks: LandmarkFiles | None) -> Row:
    """The settings, for a folder's ``config.json``."""
    return {"size": size, **asdict(choice), "landmarks": None if landmarks is None else landmarks.about()}
