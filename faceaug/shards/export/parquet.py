"""Export as Parquet files that the ``datasets`` library reads with decoded pictures."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from faceaug.errors import ConfigError
from faceaug.labels import Scheme
from faceaug.marks import marked_png
from faceaug.shards.columns import TEXT
from faceaug.shards.export.faces import Exported, Faces

PER_FILE, PER_GROUP = 5000, 100
"""Faces in one file, and in one of its row groups."""


def write_parquet(part: Path, faces: Faces, scheme: Scheme) -> None:
    """``data/train-00000-of-00001.parquet``, ...: ``image`` and ``mask`` (grey, label numbers) as PNG, and the columns.

    Raises:
        ConfigError: pyarrow is not installed.
    """
    try:
        import pyarrow as arrow
        from pyarrow import parquet
    except ImportError as error:
        raise ConfigError("--to parquet: needs the package pyarrow; pip install 'faceaug[export]'") from error
    kinds = {name: faces.kind(name) for name in faces.columns}
    picture = arrow.struct([("bytes", arrow.binary()), ("path", arrow.string())])
    fields = [("image", picture), ("mask", picture)]
    fields += [(name, arrow.string() if kind == TEXT else arrow.type_for_alias(kind)) for name, kind in kinds.items()]
    schema = arrow.schema(fields, metadata={"huggingface": json.dumps({"info": {"features": _features(kinds)}})})
    (part / "data").mkdir()
    count, rows, writer = -(-len(faces) // PER_FILE), [], None
    for face in faces:
        if face.number % PER_FILE == 0:
            if writer is not None:
                writer.close()
            path = part / "data" / f"train-{face.number // PER_FILE:05d}-of-{count:05d}.parquet"
            writer = parquet.ParquetWriter(path, schema)
        assert writer is not None  # the first face opens one
        rows.append(_row(face))
        if len(rows) == PER_GROUP or face.number % PER_FILE == PER_FILE - 1 or face.number == len(faces) - 1:
            writer.write_table(arrow.Table.from_pylist(rows, schema=schema))
            rows = []
    if writer is not None:
        writer.close()


def _row(face: Exported) -> dict[str, Any]:
    pictures = {"image": marked_png(face.image), "mask": marked_png(face.labels)}
    return {name: {"bytes": data, "path": f"{face.name}_{name}.png"} for name, data in pictures.items()} | face.values


def _features(kinds: dict[str, str]) -> dict[str, Any]:
    """The columns in the words of the ``datasets`` library, which else would see structs of bytes."""
    values = {name: {"dtype": "string" if kind == TEXT else kind, "_type": "Value"} for name, kind in kinds.items()}
    return {"image": {"_type": "Image"}, "mask": {"_type": "Image"}, **values}
