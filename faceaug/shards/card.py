"""A set's card, ``README.md``: what it holds, what it was made from, what it may be used for; as model hubs read it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from faceaug.files import write_text
from faceaug.hub import CARD
from faceaug.markdown import LABEL_HEADER, front_matter, label_rows, table
from faceaug.shards.croissant import write_croissant
from faceaug.shards.index import read_index
from faceaug.shards.reader import ShardReader
from faceaug.shards.writer import FORMAT, VERSION, shard_name

_SIZES = (("n<1K", 1e3), ("1K<n<10K", 1e4), ("10K<n<100K", 1e5), ("100K<n<1M", 1e6), ("1M<n<10M", 1e7))
_DRAWN = "MIT"


def write_card(folder: Path, *, name: str | None = None) -> Path:
    """Write ``README.md`` and ``croissant.json`` of a finished set, from its index and its columns.

    Args:
        folder: the set.
        name: what it is called; else as its folder.

    Returns:
        The path of ``README.md``.

    Raises:
        ShardDamaged, CheckpointMismatch: not a finished set, or a damaged one.
        OutputError: it cannot be written.
    """
    index, reader = read_index(folder), ShardReader(folder)
    write_text(folder / CARD, card(index, reader, name or folder.resolve().name))
    reader.close()
    describe(folder, name=name)
    return folder / CARD


def describe(folder: Path, *, name: str | None = None, url: str | None = None) -> None:
    """Write ``croissant.json`` alone; ``url`` is the page of a published set, the rest as :func:`write_card`."""
    index, reader = read_index(folder), ShardReader(folder)
    write_croissant(folder, index, reader, name=name or folder.resolve().name, licence=_licence(index), url=url)
    reader.close()


def card(index: dict[str, Any], reader: ShardReader, title: str) -> str:
    """The text of the card."""
    parts = [_head(index, reader, title), f"# {title}", _intro(reader), _counts(index, reader), _provenance(index, reader)]
    parts += [_models(index, reader), _scheme(reader), _balance(reader), _USE, _reading(reader)]
    return "\n\n".join(part for part in parts if part) + "\n"


def licences(index: dict[str, Any]) -> list[str]:
    """The licences of what a set was made from, each once; those that are not recorded are unknown."""
    found = [str(one.get("licence") or "unknown") for one in index.get("provenance", ())]
    return list(dict.fromkeys(found)) or ["unknown"]


def _licence(index: dict[str, Any]) -> str:
    """The set's licence in a few words: MIT of faces made from drawn ones alone, else that of the sources."""
    found = licences(index)
    return "MIT" if all(one.startswith(_DRAWN) for one in found) else "; ".join(found)


def _head(index: dict[str, Any], reader: ShardReader, title: str) -> str:
    licence = _licence(index)
    named = ["license: mit"] if licence == "MIT" else ["license: other", f"license_name: {json.dumps(licence)}"]
    size = next((label for label, bound in _SIZES if len(reader) < bound), "10M<n<100M")
    tags = ("synthetic", "ai-generated", "faces", "face-parsing", "hdf5", "croissant", reader.scheme.name)
    lines = [*named, f"pretty_name: {json.dumps(title)}", "task_categories:", "- image-segmentation"]
    return front_matter([*lines, "size_categories:", f"- {size}"], tags, last=["viewer: false"])


def _intro(reader: ShardReader) -> str:
    return (
        f"{len(reader):,} generated faces of {reader.size} × {reader.size} pixels, each with a label map of {len(reader.scheme)} "
        f"classes ({reader.scheme.name}), for training face parsers. **All images are AI-generated**: a network put the skin of "
        "one photo on the layout of another's label map. Every shard says so (`ai_generated`, `digitalSourceType`), and so do "
        "exported pictures."
    )


def _counts(index: dict[str, Any], reader: ShardReader) -> str:
    rows = [("planned", index["planned"]), *(((f"dropped: {reason}"), count) for reason, count in index["dropped"].items())]
    rows += [("faces", len(reader)), ("shards", len(reader.paths))]
    fits = index.get("agreement") or {}
    told = ""
    if fits.get("mean") is not None:
        told = (
            f"\n\nAgreement of a parser's prediction with the label map (mean F1): {fits['mean']:.3f} on average, "
            f"{fits['p10']:.3f} or more for nine faces in ten."
        )
    return "## Counts\n\n" + table(("", "count"), [(name, f"{count:,}") for name, count in rows]) + told


def _provenance(index: dict[str, Any], reader: ShardReader) -> str:
    recorded = index.get("provenance") or [
        {"role": "masks", "title": _of(reader.config, "targets", "title"), "count": _of(reader.config, "targets", "count")},
        {"role": "sources", "title": _of(reader.config, "sources", "title"), "count": _of(reader.config, "sources", "count")},
    ]
    rows = [
        (one.get("role", ""), one.get("title", ""), _number(one.get("count")), one.get("licence") or "not recorded")
        for one in recorded
    ]
    text = "## Provenance and licence\n\n" + table(("role", "what", "photos", "licence"), rows)
    return text + "\n\nThe faces derive from these photos: their licences hold for the set too."


def _of(config: dict[str, Any], part: str, key: str) -> Any:
    found = config.get(part)
    return found.get(key, "unknown") if isinstance(found, dict) else "unknown"


def _number(value: Any) -> str:
    return f"{value:,}" if isinstance(value, int) else ""


def _models(index: dict[str, Any], reader: ShardReader) -> str:
    rows = [(name, f"`{reader.config[name]}`") for name in ("generator", "parser") if reader.config.get(name)]
    if not rows:
        return ""
    of = index.get("trained_on")
    told = f"The generator was trained on {of}.\n\n" if of else ""
    return f"## Models\n\n{told}" + table(("model", "SHA-256 of its weights and shape"), rows)


def _scheme(reader: ShardReader) -> str:
    scheme = reader.scheme
    rows = [*label_rows(scheme), ("255", "unknown", "", "")]
    return f"## Labels: {scheme.name}\n\n" + table(LABEL_HEADER, rows)


def _balance(reader: ShardReader) -> str:
    lines = []
    male = reader.column("target_male")
    if (male >= 0).any():
        counts = [(word, int((male == value).sum())) for word, value in (("male", 1), ("female", 0), ("unknown", -1))]
        rows = [(word, f"{count:,}", f"{count / len(male):.1%}") for word, count in counts]
        lines.append(table(("gender of the mask's photo", "faces", "share"), rows))
    angles = reader.column("ita")
    known = angles[np.isfinite(angles)]
    if len(known):
        marks = (0.05, 0.25, 0.5, 0.75, 0.95)
        values = [f"{value:.0f}°" for value in np.quantile(known, marks)]
        lines.append(
            "Skin tone (individual typology angle; above 41° light, 10° to 41° medium, below 10° dark), quantiles over "
            f"{len(known):,} faces:\n\n" + table([f"{mark:.0%}" for mark in marks], [values])
        )
    return "## Balance\n\n" + "\n\n".join(lines) if lines else ""


_USE = """## Use

For training and testing face parsers. **Not for face recognition or identification of people**: faces are blends of real people's
photos, whom they may resemble and do not show. Label maps are those of the masks' photos, as far as filters left them (255 is
unknown): a share of the pixels shows something else than its label says."""


def _reading(reader: ShardReader) -> str:
    return f"""## Reading

HDF5 shards ({FORMAT}, format {VERSION}), listed with their SHA-256 in `complete.json`. With h5py alone:

```python
import h5py
file = h5py.File("{next(iter(reader.paths)).name if reader.paths else shard_name(0)}")
image, label, source = file["image"][0], file["label"][0], file["source"].asstr()[0]
```

With faceaug, over all shards, as a torch dataset:

```python
from faceaug import SyntheticFaces
faces = SyntheticFaces(".")
image, mask = faces[0]
```"""
