"""Several sets as one."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from faceaug.arrays import IntArray
from faceaug.errors import ConfigError
from faceaug.files import atomic_folder, write_json
from faceaug.images import write_png
from faceaug.progress import Progress
from faceaug.shards.card import write_card
from faceaug.shards.index import COMPLETE, common_facts, read_index
from faceaug.shards.preview import evenly, preview
from faceaug.shards.reader import ShardReader
from faceaug.shards.writer import shard_name, write_shard


def merge(folders: Sequence[Path], out: Path) -> dict[str, Any]:
    """Write one set with the faces of several, in their order, in the present format.

    ``row`` counts on over the sets; the ``merged_from`` of a face's params has the set and the row that it came from.

    Args:
        folders: finished sets.
        out: the new set's folder, made whole or not at all.

    Returns:
        The new set's index.

    Raises:
        ConfigError: ``out`` is there, there are fewer than two sets, or their label schemes or sizes differ.
        ShardDamaged, CheckpointMismatch: a set is not finished, or damaged.
        OutputError: the folder cannot be written.
    """
    if len({folder.resolve() for folder in folders}) < len(folders) or len(folders) < 2:
        raise ConfigError(f"merge: {len(folders)} sets are named; name two or more, each once")
    if out.exists():
        raise ConfigError(f"--out {out}: is there already; name another folder")
    indices = [read_index(folder) for folder in folders]
    readers = [ShardReader(folder) for folder in folders]
    first = readers[0]
    for reader in readers[1:]:
        if reader.scheme != first.scheme:
            raise ConfigError(
                f"{reader.folder}: its labels are of {reader.scheme.name}, those of {first.folder} of {first.scheme.name}; "
                "name sets of one label scheme"
            )
        if reader.size != first.size:
            raise ConfigError(
                f"{reader.folder}: its faces are {reader.size} px, those of {first.folder} {first.size} px; name sets of one size"
            )
    config = _config(readers)
    entries: list[dict[str, Any]] = []
    with atomic_folder(out) as part, Progress("merge", sum(map(len, readers)), unit="faces") as progress:
        offset = 0
        for reader, index in zip(readers, indices, strict=True):
            for start, stop in reader.spans:
                entries.append(_copy(reader, np.arange(start, stop), part, len(entries), offset, config))
                progress.update(progress.count + stop - start)
            offset += max(int(index["planned"]), int(reader.column("row").max()) + 1)
            reader.close()
        summary = _summary(folders, readers, indices, entries, config)
        write_json(part / "config.json", config)
        write_json(part / COMPLETE, summary)
        merged = ShardReader(part)
        write_png(part / "faces.png", preview(merged, evenly(merged, 24)))
        merged.close()
        write_card(part, name=out.resolve().name)
    return summary


def _copy(reader: ShardReader, rows: IntArray, folder: Path, number: int, offset: int, config: dict[str, Any]) -> dict[str, Any]:
    """Write some rows of a set as a shard of the new one."""
    columns: dict[str, Any] = {name: reader.rows(name, rows) for name in reader.columns}
    origin, planned = reader.folder.resolve().name, np.asarray(columns["row"])
    columns["params"] = [
        json.dumps({**json.loads(params), "merged_from": {"set": origin, "row": int(row)}})
        for params, row in zip(columns["params"], planned, strict=True)
    ]
    columns["row"] = planned + offset
    return write_shard(
        folder / shard_name(number),
        reader.rows("image", rows),
        reader.rows("label", rows),
        columns,
        number=number,
        scheme=reader.scheme,
        generator=reader.generator,
        config=config,
    )


def _config(readers: Sequence[ShardReader]) -> dict[str, Any]:
    """What the new set was made from: titles and counts of all, and each set's own record."""
    records = [reader.config for reader in readers]

    def joined(key: str) -> dict[str, Any]:
        found = [record.get(key) or {} for record in records]
        titles = dict.fromkeys(str(one.get("title", "unknown")) for one in found)
        return {"title": "; ".join(titles), "count": sum(int(one.get("count", 0)) for one in found)}

    def together(key: str) -> str:
        return "+".join(dict.fromkeys(str(record.get(key, "unknown")) for record in records))

    return {
        "targets": joined("targets"),
        "sources": joined("sources"),
        "generator": together("generator"),
        "parser": together("parser"),
        "size": readers[0].size,
        "merged": records,
    }


def _summary(
    folders: Sequence[Path],
    readers: Sequence[ShardReader],
    indices: Sequence[dict[str, Any]],
    entries: list[dict[str, Any]],
    config: dict[str, Any],
) -> dict[str, Any]:
    dropped: Counter[str] = Counter()
    for index in indices:
        dropped.update(index["dropped"])
    fits = np.concatenate([reader.column("agreement") for reader in readers])
    measured = fits[np.isfinite(fits)]
    provenance = [dict(one) for index in indices for one in index.get("provenance", ())]
    return {
        **config,
        **common_facts(readers[0].size, readers[0].scheme),
        "provenance": [one for number, one in enumerate(provenance) if one not in provenance[:number]],
        "merged_from": [
            {
                "set": reader.folder.resolve().name,
                "faces": len(reader),
                "sha256": hashlib.sha256((folder / COMPLETE).read_bytes()).hexdigest(),
            }
            for folder, reader in zip(folders, readers, strict=True)
        ],
        "faces": sum(map(len, readers)),
        "planned": sum(int(index["planned"]) for index in indices),
        "dropped": dict(dropped),
        "agreement": agreement_of(measured),
        "shards": entries,
    }


def agreement_of(measured: npt.NDArray[np.float32]) -> dict[str, Any]:
    """Mean and tenth percentile of measured agreements, as the index has them; None where none was measured."""
    if not len(measured):
        return {"mean": None, "p10": None}
    return {"mean": round(float(measured.mean()), 4), "p10": round(float(np.quantile(measured, 0.1)), 4)}
