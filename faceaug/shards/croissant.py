"""``croissant.json``: a set described to machines, in MLCommons' Croissant 1.0 (JSON-LD on schema.org's words)."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any

from faceaug.files import write_json
from faceaug.shards.columns import COLUMNS, PIXELS, TEXT
from faceaug.shards.index import COMPLETE
from faceaug.shards.reader import ShardReader
from faceaug.shards.verify import file_hash

CROISSANT = "croissant.json"
CONFORMS_TO = "http://mlcommons.org/croissant/1.0"
_HDF5 = "application/x-hdf5"

_CONTEXT: dict[str, Any] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "cr": "http://mlcommons.org/croissant/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataBiases": "rai:dataBiases",
    "dataCollection": "rai:dataCollection",
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "equivalentProperty": "cr:equivalentProperty",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "extract": "cr:extract",
    "field": "cr:field",
    "fileObject": "cr:fileObject",
    "fileProperty": "cr:fileProperty",
    "fileSet": "cr:fileSet",
    "format": "cr:format",
    "includes": "cr:includes",
    "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath",
    "key": "cr:key",
    "md5": "cr:md5",
    "parentField": "cr:parentField",
    "path": "cr:path",
    "personalSensitiveInformation": "rai:personalSensitiveInformation",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "recordSet": "cr:recordSet",
    "references": "cr:references",
    "regex": "cr:regex",
    "repeated": "cr:repeated",
    "replace": "cr:replace",
    "samplingRate": "cr:samplingRate",
    "sc": "https://schema.org/",
    "separator": "cr:separator",
    "source": "cr:source",
    "subField": "cr:subField",
    "transform": "cr:transform",
}
"""The words of the standard, as its own examples have them."""


def write_croissant(
    folder: Path, index: dict[str, Any], reader: ShardReader, *, name: str, licence: str, url: str | None = None
) -> None:
    """Write ``croissant.json`` of a set.

    Args:
        folder: the set.
        index: its ``complete.json``.
        reader: of the set.
        name: what it is called.
        licence: SPDX's name of one, or what is known in words.
        url: its page, where it is published; else the folder's own name stands there.

    Raises:
        OutputError: it cannot be written.
    """
    write_json(folder / CROISSANT, croissant(folder, index, reader, name=name, licence=licence, url=url))


def croissant(
    folder: Path, index: dict[str, Any], reader: ShardReader, *, name: str, licence: str, url: str | None = None
) -> dict[str, Any]:
    """What ``croissant.json`` holds; arguments as :func:`write_croissant`."""
    finished = datetime.datetime.fromtimestamp((folder / COMPLETE).stat().st_mtime, tz=datetime.timezone.utc)
    shards = [shard for shard in index["shards"] if shard["rows"]]
    return {
        "@context": _CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": CONFORMS_TO,
        "name": name,
        "description": (
            f"{len(reader):,} AI-generated faces of {reader.size} pixels with label maps of {len(reader.scheme)} classes "
            f"({reader.scheme.name}), for training face parsers; not for face recognition or identification of people."
        ),
        "license": f"https://spdx.org/licenses/{licence}.html" if licence == "MIT" else licence,
        "url": url or f"https://localhost/{folder.resolve().name}",
        "creator": {"@type": "sc:Organization", "name": "faceaug"},
        "datePublished": finished.date().isoformat(),
        "version": "1.0.0",
        "isLiveDataset": False,
        "keywords": ["synthetic", "AI-generated", "faces", "face parsing", "segmentation", reader.scheme.name],
        "personalSensitiveInformation": "Generated from photos of people, whom faces may resemble.",
        "distribution": [
            *(_file(folder, shard) for shard in shards),
            {
                "@type": "cr:FileSet",
                "@id": "shards",
                "name": "shards",
                "description": "All shards of the set.",
                "containedIn": [{"@id": shard["file"]} for shard in shards],
                "encodingFormat": _HDF5,
                "includes": "*.h5",
            },
        ],
        "recordSet": [
            {
                "@type": "cr:RecordSet",
                "@id": "faces",
                "name": "faces",
                "description": "One record a face; each field is a dataset of that name in every shard.",
                "field": [_field(column, reader) for column in (*PIXELS, *reader.columns)],
            },
            _classes(reader),
        ],
    }


def _file(folder: Path, shard: dict[str, Any]) -> dict[str, Any]:
    path = folder / shard["file"]
    return {
        "@type": "cr:FileObject",
        "@id": path.name,
        "name": path.name,
        "description": f"{shard['rows']} faces",
        "contentUrl": path.name,
        "contentSize": f"{shard.get('bytes') or path.stat().st_size} B",
        "encodingFormat": _HDF5,
        "sha256": shard.get("sha256") or file_hash(path),
    }


def _field(name: str, reader: ShardReader) -> dict[str, Any]:
    known = PIXELS.get(name) or COLUMNS.get(name)
    kind = known.kind if known else ("float32" if reader.rows(name, [0]).dtype.kind == "f" else TEXT)
    types = {TEXT: "sc:Text", "float32": "sc:Float"}
    return {
        "@type": "cr:Field",
        "@id": f"faces/{name}",
        "name": name,
        "description": known.about if known else "a column that faceaug does not know",
        "dataType": "sc:ImageObject" if name in PIXELS else types.get(kind, "sc:Integer"),
        "source": {"fileSet": {"@id": "shards"}, "extract": {"column": name}},
    }


def _classes(reader: ShardReader) -> dict[str, Any]:
    fields = [
        {"@type": "cr:Field", "@id": f"classes/{name}", "name": name, "dataType": kind}
        for name, kind in (("label", "sc:Integer"), ("class", "sc:Text"))
    ]
    return {
        "@type": "cr:RecordSet",
        "@id": "classes",
        "name": "classes",
        "description": f"The classes of {reader.scheme.name}; 255 in a label map is unknown.",
        "key": {"@id": "classes/label"},
        "field": fields,
        "data": [{"classes/label": label, "classes/class": name} for label, name in enumerate(reader.scheme.classes)],
    }
