"""Labelled synthetic faces that make face parsers better.

    from faceaug import AlignedFaces, SyntheticFaces, MixedFaces, FlipFaces, Helen, CelebA

gives torch datasets of ``tv_tensors``; everything else is in the sub-packages, in the data's order: ``prepare``, ``parser``,
``gan``, ``generate``, ``shards``, ``datasets``, ``benchmarks``, ``cli``.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from faceaug.datasets.aligned import AlignedFaces as AlignedFaces
    from faceaug.datasets.celeba import CelebA as CelebA
    from faceaug.datasets.helen import Helen as Helen
    from faceaug.datasets.synthetic import FlipFaces as FlipFaces
    from faceaug.datasets.synthetic import MixedFaces as MixedFaces
    from faceaug.datasets.synthetic import SyntheticFaces as SyntheticFaces

__version__ = "0.1.0"

_HOMES = {
    "AlignedFaces": "faceaug.datasets.aligned",
    "CelebA": "faceaug.datasets.celeba",
    "Helen": "faceaug.datasets.helen",
    "FlipFaces": "faceaug.datasets.synthetic",
    "MixedFaces": "faceaug.datasets.synthetic",
    "SyntheticFaces": "faceaug.datasets.synthetic",
}

__all__ = ["AlignedFaces", "CelebA", "FlipFaces", "Helen", "MixedFaces", "SyntheticFaces", "__version__"]


def __getattr__(name: str) -> Any:
    # Loaded on first use: `import faceaug` and `faceaug --help` stay instant.
    if name not in _HOMES:
        raise AttributeError(f"module 'faceaug' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)
