"""Writing one shard, whole or not at all."""

from __future__ import annotations

import hashlib
import io
import json
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import numpy.typing as npt

from faceaug.config import to_dict
from faceaug.files import atomic_file
from faceaug.labels import Scheme

FORMAT, VERSION = "faceaug-shard", 3

COLUMNS: dict[str, Any] = {
    "target": h5py.string_dtype(),
    "source": h5py.string_dtype(),
    "target_male": np.int8,
    "source_male": np.int8,
    "source_mirrored": np.int8,
    "row": np.int64,
    "seed": np.uint64,
    "agreement": np.float32,
    "params": h5py.string_dtype(),
    "mask_read": np.int8,
    "unknown": np.float32,
    "ita": np.float32,
}
"""Datasets with one value a row; ``image`` and ``label`` come on top."""


def shard_name(number: int) -> str:
    """``shard-00007.h5``."""
    return f"shard-{number:05d}.h5"


def write_shard(
    path: Path,
    images: npt.NDArray[np.uint8],
    labels: npt.NDArray[np.uint8],
    columns: dict[str, Any],
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
        columns: the values of :data:`COLUMNS`, N each.
        number: the shard's.
        scheme: of the labels.
        generator: hash of the generator's weights.
        config: what the set was made from, JSON-able.

    Returns:
        Its entry in the set's index: ``file``, ``rows``, ``bytes``, ``sha256``.

    Raises:
        OutputError: it cannot be written.
    """
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
            }
        )
        for name, values in (("image", images), ("label", labels)):
            # One chunk a row: random access reads no more than it needs.
            layout = {"chunks": (1, *values.shape[1:]), "compression": "lzf"} if len(values) else {}
            file.create_dataset(name, data=values, **layout)
        for name, kind in COLUMNS.items():
            file.create_dataset(
                name, data=np.asarray(columns[name], dtype=object if kind is COLUMNS["target"] else kind), dtype=kind
            )
    with atomic_file(path) as part:
        part.write_bytes(content.getbuffer())
    digest = hashlib.sha256(content.getbuffer()).hexdigest()
    return {"file": path.name, "rows": len(images), "bytes": len(content.getbuffer()), "sha256": digest}
