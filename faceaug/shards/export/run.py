"""Exporting a set: which forms there are, and what all have in common."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from faceaug.errors import ConfigError
from faceaug.files import atomic_folder, write_json
from faceaug.labels import CELEBAMASK_19, HELEN_11, IGNORE, Remap, Scheme, remap
from faceaug.marks import SOURCE_TYPE
from faceaug.progress import say
from faceaug.shards.card import licences
from faceaug.shards.export.faces import Faces
from faceaug.shards.export.folders import write_celebamask, write_folder, write_helen
from faceaug.shards.export.parquet import write_parquet
from faceaug.shards.export.tars import write_webdataset
from faceaug.shards.index import read_index
from faceaug.shards.reader import ShardReader


@dataclass(frozen=True)
class Form:
    """A form of export.

    Attributes:
        write: writes the faces into a folder.
        scheme: the only one that the form has; None where it takes any.
        holds_unknown: whether its label maps have a value for unknown pixels.
    """

    write: Callable[[Path, Faces, Scheme], None]
    scheme: Scheme | None = None
    holds_unknown: bool = True


FORMS: dict[str, Form] = {
    "folder": Form(write_folder),
    "helen": Form(write_helen, HELEN_11, holds_unknown=False),
    "celebamask": Form(write_celebamask, CELEBAMASK_19, holds_unknown=False),
    "webdataset": Form(write_webdataset),
    "parquet": Form(write_parquet),
}
"""What ``--to`` takes."""


def export(folder: Path, to: str, out: Path, *, min_agreement: float = 0.0) -> int:
    """Export a finished set into a folder, whole or not at all.

    Args:
        folder: the set.
        to: one of :data:`FORMS`.
        out: the new folder.
        min_agreement: leave out faces whose agreement with their masks is lower.

    Returns:
        How many faces were written.

    Raises:
        ConfigError: no such form, the labels do not fit it, a library is missing, no face is left, or ``out`` is there.
        ShardDamaged, CheckpointMismatch: the set is not finished, or damaged.
        OutputError: the folder cannot be written.
    """
    form = FORMS.get(to)
    if form is None:
        raise ConfigError(f"--to {to}: unknown; choose from {', '.join(FORMS)}")
    if not 0 <= min_agreement <= 1:
        raise ConfigError(f"--min-agreement {min_agreement}: must be within 0..1")
    if out.exists():
        raise ConfigError(f"--out {out}: is there already; name another folder")
    index, reader = read_index(folder), ShardReader(folder)
    converted = _remap(reader.scheme, form.scheme, to)
    scheme = form.scheme or reader.scheme
    faces = Faces(reader, min_agreement=min_agreement, remap=converted)
    with atomic_folder(out) as part:
        form.write(part, faces, scheme)
        write_json(
            part / "faceaug.json",
            {
                "title": f"generated faces ({folder.resolve().name})",
                "ai_generated": True,
                "digitalSourceType": SOURCE_TYPE,
                "faces": len(faces),
                "labels": scheme.name,
                "classes": list(scheme.classes),
                "licences": licences(index),
                "provenance": index.get("provenance", []),
                "not_for": "face recognition or identification of people",
            },
        )
    share = faces.unknown / (len(faces) * reader.size**2)
    if faces.unknown and not form.holds_unknown:
        say(f"export: {to} has no value for unknown: {share:.1%} of the pixels became background; --to folder keeps them")
    reader.close()
    return len(faces)


def _remap(source: Scheme, target: Scheme | None, to: str) -> Remap | None:
    """How a set's labels become those of the form."""
    if target is None or source == target:
        return None
    try:
        found = remap(source, target)
    except ConfigError as error:
        raise ConfigError(f"--to {to}: needs {target.name}, the set has {source.name} ({error}); use --to folder") from error
    lost = [name for label, name in enumerate(source.classes) if found.table[label] == IGNORE]
    if lost:
        raise ConfigError(
            f"--to {to}: needs {target.name}, which keeps apart what {source.name} has in {', '.join(lost)}; use --to folder"
        )
    for loss in found.losses:
        say(f"export: {loss}")
    return found
