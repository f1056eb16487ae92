"""What shards of every version must hold, checked when one is opened; older ones are read as the present version."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py

from faceaug.config import from_dict
from faceaug.errors import ConfigError, ShardDamaged
from faceaug.labels import HELEN_11, Scheme
from faceaug.shards.columns import COLUMNS, PIXELS
from faceaug.shards.writer import FORMAT, VERSION

_FIRST = ("target", "source", "target_male", "source_male", "row", "seed", "agreement")
REQUIRED: dict[int, tuple[str, ...]] = {
    1: _FIRST,
    2: (*_FIRST, "source_mirrored"),
    3: (*_FIRST, "source_mirrored"),
    4: tuple(column.name for column in COLUMNS.values() if column.required),
}
"""Columns of each version. What a version lacks is read as unknown; until 2 the only label scheme was Helen's."""


@dataclass(frozen=True)
class ShardFacts:
    """What a shard says of itself.

    Attributes:
        rows: how many faces it holds.
        size: side of the faces in pixels; 0 of an empty shard.
        scheme: of the labels.
        config: what its set was made from.
        generator: hash of the generator's weights.
        version: of its format.
    """

    rows: int
    size: int
    scheme: Scheme
    config: dict[str, Any]
    generator: str
    version: int


def facts_of(file: h5py.File, path: Path) -> ShardFacts:
    """Check an open shard.

    Raises:
        ShardDamaged: not of a known format, or datasets are missing or differ in length.
        OSError, RuntimeError, KeyError: HDF5's own, of damaged bytes.
    """
    attributes = dict(file.attrs)
    version = attributes.get("version")
    for key, accepted in (("format", (FORMAT,)), ("version", tuple(REQUIRED))):
        if attributes.get(key) not in accepted:
            needed = FORMAT if key == "format" else f"{min(REQUIRED)} to {VERSION}"
            raise ShardDamaged(f"{path}: {key} is {attributes.get(key)!r}, needed {needed!r}; generate the set anew")
    version = int(attributes["version"])
    shapes = {name: file[name].shape for name in (*PIXELS, *REQUIRED[version]) if name in file}
    lengths = {shape[0] if shape else -1 for shape in shapes.values()}
    complete = set(shapes) == {*PIXELS, *REQUIRED[version]}
    if not complete or len(lengths) != 1 or not _are_pictures(shapes):
        raise ShardDamaged(f"{path}: datasets are missing or differ in length; delete it and generate again")
    rows = int(lengths.pop())
    return ShardFacts(
        rows=rows,
        size=int(shapes["image"][1]) if rows else 0,
        scheme=_scheme_of(attributes, version, path),
        config=_config_of(attributes, path),
        generator=str(attributes.get("generator", "")),
        version=version,
    )


def _are_pictures(shapes: Mapping[str, tuple[int, ...]]) -> bool:
    image, label = shapes["image"], shapes["label"]
    return not image[0] or (len(image) == 4 and image[1:] == (image[1], image[1], 3) and label == image[:3])


def _config_of(attributes: Mapping[str, Any], path: Path) -> dict[str, Any]:
    try:
        found = json.loads(attributes["config"])
    except (KeyError, TypeError, ValueError) as error:
        raise ShardDamaged(f"{path}: says not what it was made from ({error}); generate the set anew") from error
    return found if isinstance(found, dict) else {}


def _scheme_of(attributes: Mapping[str, Any], version: int, path: Path) -> Scheme:
    if version <= 2:
        return HELEN_11
    try:
        return parse_scheme(json.loads(attributes["scheme"]), str(path))
    except (KeyError, TypeError, ValueError, ConfigError) as error:
        raise ShardDamaged(f"{path}: names no label scheme ({error}); generate the set anew") from error


def parse_scheme(found: Any, where: str) -> Scheme:
    """A scheme from what :func:`faceaug.config.to_dict` made of it.

    Raises:
        ConfigError: it is none.
    """
    return from_dict(Scheme, found, where=where)
