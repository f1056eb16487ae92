"""Small sets of shards for tests, of random pictures, and one like those of each older version."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from faceaug.config import to_dict
from faceaug.files import write_json
from faceaug.labels import HELEN_11, Scheme
from faceaug.shards.index import common_facts
from faceaug.shards.writer import shard_name, write_shard

CONFIG = {
    "targets": {"title": "drawn targets", "count": 7},
    "sources": {"title": "drawn sources", "count": 9},
    "generator": "f" * 64,
    "parser": "e" * 64,
}
PROVENANCE = [
    {"role": "masks", "title": "drawn targets", "licence": "MIT (drawn by faceaug)"},
    {"role": "sources", "title": "drawn sources", "licence": "MIT (drawn by faceaug)"},
]


def content(count: int, seed: int = 0, *, size: int = 8, scheme: Scheme = HELEN_11) -> tuple[Any, Any, dict[str, Any]]:
    """Images, labels and columns of a shard."""
    rng = np.random.default_rng(seed)
    images = rng.integers(0, 256, (count, size, size, 3), dtype=np.uint8)
    labels = rng.integers(0, len(scheme), (count, size, size), dtype=np.uint8)
    labels[:, 0, 0] = 255
    columns = {
        "target": [f"t{i}" for i in range(count)],
        "source": [f"sé{i}" for i in range(count)],
        "target_male": np.ones(count),
        "source_male": -np.ones(count),
        "source_mirrored": np.arange(count) % 2,
        "row": np.arange(count),
        "seed": np.full(count, 2**64 - 1, dtype=np.uint64),
        "agreement": rng.random(count),
        "params": [json.dumps({"skin": i}) for i in range(count)],
        "ita": rng.normal(30, 10, count),
    }
    return images, labels, columns


def write_set(
    folder: Path, counts: Sequence[int], *, size: int = 8, scheme: Scheme = HELEN_11, facts: bool = True, seed: int = 0
) -> list[tuple[Any, Any, dict[str, Any]]]:
    """A whole set; without ``facts`` its index is like an older one. Gives what each shard holds."""
    made = [content(count, seed + number, size=size, scheme=scheme) for number, count in enumerate(counts)]
    entries = [
        write_shard(folder / shard_name(number), *one, number=number, scheme=scheme, generator="f" * 64, config=CONFIG)
        for number, one in enumerate(made)
    ]
    index = {
        **CONFIG,
        **(common_facts(size, scheme) if facts else {}),
        "provenance": PROVENANCE,
        "faces": sum(counts),
        "planned": sum(counts) + 2,
        "dropped": {"agreement too low": 2},
        "agreement": {"mean": 0.5, "p10": 0.1},
        "shards": entries,
    }
    write_json(folder / "complete.json", index)
    return made


def write_old_shard(path: Path, version: int, count: int, *, scheme: Scheme = HELEN_11) -> tuple[Any, Any, dict[str, Any]]:
    """A shard as version 1, 2 or 3 wrote it, by plain h5py."""
    images, labels, columns = content(count, version, scheme=scheme)
    kinds: dict[str, Any] = {
        "target": h5py.string_dtype(),
        "source": h5py.string_dtype(),
        "target_male": np.int8,
        "source_male": np.int8,
        **({"source_mirrored": np.int8} if version > 1 else {}),
        "row": np.int64,
        "seed": np.uint64,
        "agreement": np.float32,
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    with h5py.File(path, "w") as file:
        names = {"classes": json.dumps(scheme.classes)} if version < 3 else {"scheme": json.dumps(to_dict(scheme))}
        file.attrs.update(
            {"format": "faceaug-shard", "version": version, "labels": scheme.name, **names, "generator": "old", "shard": 0}
        )
        file.attrs["config"] = json.dumps(CONFIG)
        for name, values in (("image", images), ("label", labels)):
            file.create_dataset(name, data=values, chunks=(1, *values.shape[1:]), compression="lzf")
        for name, kind in kinds.items():
            text = name in ("target", "source")
            file.create_dataset(name, data=np.asarray(columns[name], dtype=object if text else kind), dtype=kind)
    return images, labels, {name: columns[name] for name in kinds}
