"""Writing one shard, whole or not at all; the same content gives the same bytes."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import numpy.typing as npt

from faceaug.config import to_dict
from faceaug.files import atomic_file
from faceaug.labels import Scheme
from faceaug.marks import SOURCE_TYPE
from faceaug.shards.columns import COLUMNS, PIXELS, TEXT, Column, encoded, kind_of

FORMAT, VERSION = "faceaug-shard", 4

_GZIP = {"compression": "gzip", "compression_opts": 4}
_CHUNK = 2**16
"""Bytes of a chunk of a column, at most: one value is read without much beside it."""


def shard_name(number: int) -> str:
    """``shard-00007.h5``."""
    return f"shard-{number:05d}.h5"


def write_shard(
    path: Path,
    images: npt.NDArray[np.uint8],
    labels: npt.NDArray[np.uint8],
    columns: Mapping[str, Any],
    *,
    number: int,
    scheme: Scheme,
    generator: str,
    config: dict[str, Any],
) -> dict[str, Any]:
    """Write a shard atomically.

    Args:
        path: its final name.
        images: ``(N, S, S, 3)`` uint8 RGB; N may be 0.
        labels: ``(N, S, S)`` uint8 of the scheme, or 255.
        columns: N values each: all that :data:`~faceaug.shards.columns.COLUMNS` requires, others of it, any of one's own.
        number: the shard's.
        scheme: of the labels.
        generator: hash of the generator's weights.
        config: what the set was made from, JSON-able.

    Returns:
        Its entry in the set's index: ``file``, ``rows``, ``bytes``, ``sha256``.

    Raises:
        ValueError: a required column is missing, one has another length, or shapes do not fit.
        OutputError: it cannot be written.
    """
    lacking = [column.name for column in COLUMNS.values() if column.required and column.name not in columns]
    if lacking:
        raise ValueError(f"write_shard: columns lack {', '.join(lacking)}")
    if images.ndim != 4 or images.shape[3] != 3 or labels.shape != images.shape[:3]:
        raise ValueError(f"write_shard: images {images.shape} and labels {labels.shape} are not (N, S, S, 3) and (N, S, S)")
    # Composed in memory: on a full disk HDF5 raises errors of its own, and again where its handles are given up.
    content = io.BytesIO()
    with h5py.File(content, "w") as file:
        file.attrs.update(
            {
                "format": FORMAT,
                "version": VERSION,
                "labels": scheme.name,
                "scheme": json.dumps(to_dict(scheme)),
                "generator": generator,
                "config": json.dumps(config),
                "shard": number,
                "ai_generated": True,
                "digitalSourceType": SOURCE_TYPE,
            }
        )
        for name, values in (("image", images), ("label", labels)):
            _add_pixels(file, PIXELS[name], values)
        for name in [*(one for one in COLUMNS if one in columns), *sorted(set(columns) - set(COLUMNS))]:
            _add_column(file, name, encoded(name, columns[name], len(images)))
    with atomic_file(path) as part:
        part.write_bytes(content.getbuffer())
    digest = hashlib.sha256(content.getbuffer()).hexdigest()
    return {"file": path.name, "rows": len(images), "bytes": len(content.getbuffer()), "sha256": digest}


def _add_pixels(file: h5py.File, column: Column, values: npt.NDArray[np.uint8]) -> None:
    """One chunk a row: random access reads no more than it needs. FORMAT.md has what led to these filters."""
    layout: dict[str, Any] = {}
    if len(values):
        layout = {"chunks": (1, *values.shape[1:]), "fletcher32": True, **(_GZIP if column.name == "label" else {})}
    _describe(file.create_dataset(column.name, data=values, track_times=False, **layout), column)


def _add_column(file: h5py.File, name: str, values: npt.NDArray[Any]) -> None:
    layout: dict[str, Any] = {}
    if len(values):
        many = max(1, min(len(values), _CHUNK * len(values) // max(values.nbytes, 1)))
        layout = {"chunks": (many, *values.shape[1:]), "fletcher32": True, **(_GZIP if kind_of(values) == TEXT else {})}
    made = file.create_dataset(name, data=values, track_times=False, **layout)
    _describe(made, COLUMNS.get(name) or Column(name, kind_of(made), False, "a column that faceaug does not know"))


def _describe(dataset: h5py.Dataset, column: Column) -> None:
    dataset.attrs.update({"about": column.about, "required": column.required, "type": column.kind})
