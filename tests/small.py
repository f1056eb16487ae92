"""What tests share by name: the smallest networks, and what fixtures give back."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from faceaug.gan.config import GeneratorConfig
from faceaug.parser.config import ParserConfig
from faceaug.prepare.faces import LabelledFaces

PARSER = ParserConfig(size=64, encoder="mobilenet_v2", pretrained=False, decoder=(16, 16, 8, 8, 8))
GENERATOR = GeneratorConfig(size=64, width=8, code=16, blocks=1)


def noise_faces(count: int, size: int = 64, seed: int = 0) -> LabelledFaces:
    """Random pictures with random blocky labels."""
    rng = np.random.default_rng(seed)
    blocks = rng.integers(0, 11, (count, size // 8, size // 8), dtype=np.uint8)
    unknown = np.full(count, -1, dtype=np.int64)
    images = rng.integers(0, 256, (count, size, size, 3), dtype=np.uint8)
    names = tuple(f"noise{i}" for i in range(count))
    return LabelledFaces("noise", names, images, blocks.repeat(8, 1).repeat(8, 2), unknown, unknown)


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
