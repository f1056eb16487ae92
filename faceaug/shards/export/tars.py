"""Export for WebDataset: tar files of pictures and JSON."""

from __future__ import annotations

import json
from pathlib import Path

from faceaug.errors import ConfigError
from faceaug.labels import Scheme
from faceaug.marks import marked_png
from faceaug.shards.export.faces import Faces

PER_FILE = 1000
"""Faces in one tar file."""


def write_webdataset(part: Path, faces: Faces, scheme: Scheme) -> None:
    """``faces-000000.tar``, ...: for each face ``image.png``, ``mask.png`` (grey, label numbers) and ``json`` with its columns.

    Raises:
        ConfigError: webdataset is not installed.
    """
    try:
        from webdataset import ShardWriter
    except ImportError as error:
        raise ConfigError("--to webdataset: needs the package webdataset; pip install 'faceaug[export]'") from error
    # A fixed time: the same set gives the same bytes.
    with ShardWriter(str(part / "faces-%06d.tar"), maxcount=PER_FILE, verbose=0, mtime=0, user="faceaug", group="faceaug") as tar:
        for face in faces:
            about = {**face.values, "params": json.loads(face.values["params"]), "scheme": scheme.name, "ai_generated": True}
            tar.write(
                {
                    "__key__": face.name,
                    "image.png": marked_png(face.image),
                    "mask.png": marked_png(face.labels),
                    "json": json.dumps(about).encode(),
                }
            )
