"""How fast generated faces are read from shards: beside pictures in a folder, and beside HDF5 without any of our code."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterable
from itertools import count
from pathlib import Path
from typing import Any

import cv2
import h5py
import numpy as np
from faceaug.datasets.drawn.drawing import Frame, draw_face
from faceaug.datasets.drawn.traits import draw_person, draw_shot
from faceaug.datasets.synthetic import SyntheticFaces
from PIL import Image

from faceaug.arrays import ByteArray, IntArray
from faceaug.files import ensure_folder, write_json
from faceaug.labels import HELEN_11, Scheme
from faceaug.shards.reader import COMPLETE
from faceaug.shards.writer import shard_name, write_shard

_DRAWN = 16
_PER_SHARD = 500
_PER_ROUND = 64
_OPENED_SIZE = 8

Read = Callable[[int], Any]


def measure_reads(
    folder: Path, *, rows: int = 1000, size: int = 256, seconds: float = 20.0, opened: int = 100_000
) -> dict[str, Any]:
    """Measure random reads of faces with labels, all ways in one process, in turn, from a warm page cache.

    The faces are drawn, with the noise of a sensor, so that neither format sees flat colour. h5py and PNG give arrays, and so
    does ``SyntheticFaces(form="dict")``; for ``tv_tensors`` it makes planes of each image too, which a batch needs of any.

    Args:
        folder: for scratch files; they stay there.
        rows: faces to read from.
        size: their side in pixels.
        seconds: that reading takes in all; there are three rounds at least.
        opened: rows of the set whose opening is timed, at 8 px.

    Returns:
        ``per_second`` of ``synthetic_faces``, ``synthetic_arrays``, ``h5py``, ``png_cv2`` and ``png_pil`` (an RGB picture and a
        palette mask), medians over ``rounds``; ``ratio_png``, of ``synthetic_faces`` to the faster one of the two,
        ``ratio_h5py`` likewise and ``ratio_h5py_arrays``, of ``synthetic_arrays``: medians of each round's ratios;
        ``open_seconds``, the median time until the first face of a set of ``opened`` rows is there, opened anew.

    Raises:
        OutputError: the folder cannot be written.
    """
    images, labels = _drawn(min(rows, _DRAWN), size)
    shards = _write_set(folder / f"shards-{rows}-{size}", images, labels, rows)
    pictures = _write_pictures(folder / f"pictures-{rows}-{size}", images, labels, rows)
    faces = SyntheticFaces(shards)
    bare = _bare(faces.readers[0].paths)
    ways: dict[str, Read] = {
        "synthetic_faces": faces.__getitem__,
        "synthetic_arrays": SyntheticFaces(shards, form="dict").__getitem__,
        "h5py": bare,
        "png_cv2": lambda row: (_by_cv2(pictures / f"{row}.png"), _by_pil(pictures / f"{row}-mask.png")),
        "png_pil": lambda row: (_by_pil(pictures / f"{row}.png"), _by_pil(pictures / f"{row}-mask.png")),
    }
    rates = _alternated(ways, rows, seconds)
    best = [max(pair) for pair in zip(rates["png_cv2"], rates["png_pil"], strict=True)]
    return {
        "rows": rows,
        "size": size,
        "rounds": len(best),
        "per_second": {name: round(statistics.median(found), 1) for name, found in rates.items()},
        "ratio_png": _ratio(rates["synthetic_faces"], best),
        "ratio_h5py": _ratio(rates["synthetic_faces"], rates["h5py"]),
        "ratio_h5py_arrays": _ratio(rates["synthetic_arrays"], rates["h5py"]),
        "opened": opened,
        "open_seconds": _opening(folder / f"shards-{opened}-{_OPENED_SIZE}", opened),
    }


def _ratio(ours: Iterable[float], theirs: Iterable[float]) -> float:
    return round(statistics.median(one / other for one, other in zip(ours, theirs, strict=True)), 3)


def _alternated(ways: dict[str, Read], rows: int, seconds: float) -> dict[str, list[float]]:
    """Rows a second of each way in each round; in a round all ways read the same rows, in every other one in reverse turn."""
    for row in range(rows):  # the page cache is warm, every file is open
        for read in ways.values():
            read(row)
    rates: dict[str, list[float]] = {name: [] for name in ways}
    rng = np.random.default_rng(0)
    began = time.perf_counter()
    for number in count():
        if number >= 3 and time.perf_counter() - began > seconds:
            return rates
        chosen = rng.integers(rows, size=_PER_ROUND)
        for name in list(ways)[:: 1 if number % 2 else -1]:
            rates[name].append(_PER_ROUND / _seconds(ways[name], chosen))
    raise AssertionError("count() ends")


def _seconds(read: Read, chosen: IntArray) -> float:
    began = time.perf_counter()
    for row in chosen.tolist():
        read(row)
    return time.perf_counter() - began


def _opening(folder: Path, rows: int) -> float:
    blank = np.zeros((1, _OPENED_SIZE, _OPENED_SIZE), dtype=np.uint8)
    _write_set(folder, blank[..., None].repeat(3, -1), blank, rows)
    return round(statistics.median(_seconds(lambda row: SyntheticFaces(folder)[row], np.array([row])) for row in (0, 1, 2)), 3)


def _bare(paths: list[Path]) -> Read:
    """Rows by h5py alone: every file and both its pictures open.

    Without HDF5's cache of chunks: of a set as large as they are in use no row is in it, and of this one it would hold all.
    """
    files = [h5py.File(path, "r", locking=False, rdcc_nbytes=0) for path in paths]
    columns = [(file["image"], file["label"]) for file in files]

    def read(row: int) -> tuple[ByteArray, ByteArray]:
        image, label = columns[row // _PER_SHARD]
        return image[row % _PER_SHARD], label[row % _PER_SHARD]

    return read


def _by_cv2(path: Path) -> Any:
    picture: Any = cv2.imread(str(path), cv2.IMREAD_COLOR)
    return cv2.cvtColor(picture, cv2.COLOR_BGR2RGB)


def _by_pil(path: Path) -> ByteArray:
    with Image.open(path) as picture:
        return np.asarray(picture)


def _drawn(number: int, size: int) -> tuple[ByteArray, ByteArray]:
    """Some drawn faces in the canonical crop, with their labels."""
    frame = Frame(size, size, eyes=(127 / 256 * size, 117 / 256 * size), unit=60 / 256 * size)
    found = []
    for one in range(number):
        rng = np.random.default_rng([0, one])
        found.append(draw_face(draw_person(rng), draw_shot(rng), frame))
    return np.stack([face.image for face in found]), np.stack([face.soft.argmax(0).astype(np.uint8) for face in found])


def _write_set(folder: Path, images: ByteArray, labels: ByteArray, rows: int, scheme: Scheme = HELEN_11) -> Path:
    """A finished set whose rows repeat the pictures; one that is there is kept."""
    if (folder / COMPLETE).is_file():
        return folder
    ensure_folder(folder)
    shards = []
    for number, start in enumerate(range(0, rows, _PER_SHARD)):
        some = np.arange(start, min(start + _PER_SHARD, rows))
        columns = {
            "target": [f"t{row}" for row in some],
            "source": [f"s{row}" for row in some],
            "row": some,
            "seed": some,
            "params": ["{}"] * len(some),
            **{name: np.zeros(len(some)) for name in ("target_male", "source_male", "source_mirrored", "agreement")},
        }
        path = folder / shard_name(number)
        pictures = images[some % len(images)], labels[some % len(labels)]
        write_shard(path, *pictures, columns, number=number, scheme=scheme, generator="", config={})
        shards.append({"file": path.name, "rows": len(some)})
    write_json(folder / COMPLETE, {"shards": shards})
    return folder


def _write_pictures(folder: Path, images: ByteArray, labels: ByteArray, rows: int) -> Path:
    """The same as PNG pairs: RGB, and a mask with the scheme's palette."""
    ensure_folder(folder)
    for row in range(rows):
        image, mask = images[row % len(images)], Image.fromarray(labels[row % len(labels)])
        Image.fromarray(image).save(folder / f"{row}.png")
        mask.putpalette([value for colour in HELEN_11.colours for value in colour])
        mask.save(folder / f"{row}-mask.png")
    return folder
