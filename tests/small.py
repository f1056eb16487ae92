"""What tests share by name: the smallest networks, and what fixtures give back."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from faceaug.gan.config import GeneratorConfig
from faceaug.parser.config import ParserConfig

PARSER = ParserConfig(size=64, encoder="mobilenet_v2", pretrained=False, decoder=(16, 16, 8, 8, 8))
GENERATOR = GeneratorConfig(size=64, width=8, code=16, blocks=1)


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
