"""What tests share by name: the smallest networks, and what fixtures give back."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from faceaug.files import write_json
from faceaug.gan.config import GeneratorConfig
from faceaug.parser.config import ParserConfig
from faceaug.prepare.faces import LabelledFaces
from faceaug.shards.writer import shard_name, write_shard

PARSER = ParserConfig(size=64, encoder="mobilenet_v2", pretrained=False, decoder=(8, 8, 8))
GENERATOR = GeneratorConfig(size=64, width=8, code=16, blocks=1)


def noise_faces(count: int, size: int = 64, seed: int = 0) -> LabelledFaces:
    """Random pictures with random blocky labels."""
    rng = np.random.default_rng(seed)
    blocks = rng.integers(0, 11, (count, size // 8, size // 8), dtype=np.uint8)
    unknown = np.full(count, -1, dtype=np.int64)
    images = rng.integers(0, 256, (count, size, size, 3), dtype=np.uint8)
    names = tuple(f"noise{i}" for i in range(count))
    return LabelledFaces("noise", names, images, blocks.repeat(8, 1).repeat(8, 2), unknown, unknown)


def write_set(folder: Path, faces: LabelledFaces, rows_per_shard: int = 5) -> Path:
    """Faces as a finished set of shards; the agreement of row i of n is i / n."""
    shards = []
    for number, start in enumerate(range(0, len(faces), rows_per_shard)):
        rows = np.arange(start, min(start + rows_per_shard, len(faces)))
        columns = {
            "target": [f"t{row - start}" for row in rows],
            "source": [f"s{number}{row - start}" for row in rows],
            "target_male": np.ones(len(rows)),
            "source_male": np.ones(len(rows)),
            "source_mirrored": np.zeros(len(rows)),
            "row": rows,
            "seed": rows,
            "agreement": rows / len(faces),
            "params": ["{}"] * len(rows),
        }
        path = folder / shard_name(number)
        config = {"targets": {"title": "T"}, "sources": {"title": "S"}}
        pictures = faces.images[rows], faces.labels[rows]
        write_shard(path, *pictures, columns, number=number, scheme=faces.scheme, generator="g", config=config)
        shards.append({"file": path.name, "rows": len(rows)})
    counts = {"faces": len(faces), "planned": len(faces), "dropped": {}, "agreement": {"mean": 0.5, "p10": 0.1}}
    write_json(folder / "complete.json", {**counts, "shards": shards})
    return folder


@dataclass(frozen=True)
class Trained:
    """Weights files of a hardly trained parser and GAN: real files of real networks."""

    parser: Path
    gan: Path


@dataclass(frozen=True)
class Outcome:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def error(self) -> str:
        """The last line on standard error: a failed command's message."""
        lines = self.err.strip().splitlines()
        return lines[-1] if lines else ""
