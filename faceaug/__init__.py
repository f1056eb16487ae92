"""Labelled synthetic faces that make face parsers better.

    from faceaug import AlignedFaces, SyntheticFaces, MixedFaces, FlipFaces, GanAugment, Folder, find_scheme, Editor

gives torch datasets of ``tv_tensors``, what augments their samples, readers of datasets' own layouts, and an editor of photos;
``from_pretrained`` and ``save_pretrained`` read and write models. All else is in the sub-packages, in the data's order:
``prepare``, ``parser``, ``gan``, ``generate``, ``shards``, ``edit``, ``export``, ``datasets``, ``benchmarks``, ``cli``.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from faceaug.datasets.aligned import AlignedFaces as AlignedFaces
    from faceaug.datasets.celeba import CelebA as CelebA
    from faceaug.datasets.celebamask import CelebAMaskHQ as CelebAMaskHQ
    from faceaug.datasets.facesynthetics import FaceSynthetics as FaceSynthetics
    from faceaug.datasets.fasseg import Fasseg as Fasseg
    from faceaug.datasets.folder import Folder as Folder
    from faceaug.datasets.folder import PhotoFolder as PhotoFolder
    from faceaug.datasets.helen import Helen as Helen
    from faceaug.datasets.helen import HelenStar as HelenStar
    from faceaug.datasets.lapa import LaPa as LaPa
    from faceaug.datasets.looks import LookBank as LookBank
    from faceaug.datasets.mixed import MixedFaces as MixedFaces
    from faceaug.datasets.repaint import GanAugment as GanAugment
    from faceaug.datasets.synthetic import SyntheticFaces as SyntheticFaces
    from faceaug.datasets.transforms import CutFaces as CutFaces
    from faceaug.datasets.transforms import FlipFaces as FlipFaces
    from faceaug.datasets.transforms import MoveFaces as MoveFaces
    from faceaug.datasets.transforms import strong_transforms as strong_transforms
    from faceaug.edit.editor import Editor as Editor
    from faceaug.export.hub import from_pretrained as from_pretrained
    from faceaug.export.hub import save_pretrained as save_pretrained
    from faceaug.labels import Scheme as Scheme
    from faceaug.labels import find_scheme as find_scheme
    from faceaug.labels import remap as remap

__version__ = "0.1.0"

_HOMES = {
    "AlignedFaces": "faceaug.datasets.aligned",
    "CelebA": "faceaug.datasets.celeba",
    "CelebAMaskHQ": "faceaug.datasets.celebamask",
    "CutFaces": "faceaug.datasets.transforms",
    "Editor": "faceaug.edit.editor",
    "FaceSynthetics": "faceaug.datasets.facesynthetics",
    "Fasseg": "faceaug.datasets.fasseg",
    "FlipFaces": "faceaug.datasets.transforms",
    "Folder": "faceaug.datasets.folder",
    "GanAugment": "faceaug.datasets.repaint",
    "Helen": "faceaug.datasets.helen",
    "HelenStar": "faceaug.datasets.helen",
    "LaPa": "faceaug.datasets.lapa",
    "LookBank": "faceaug.datasets.looks",
    "MixedFaces": "faceaug.datasets.mixed",
    "MoveFaces": "faceaug.datasets.transforms",
    "PhotoFolder": "faceaug.datasets.folder",
    "Scheme": "faceaug.labels",
    "SyntheticFaces": "faceaug.datasets.synthetic",
    "find_scheme": "faceaug.labels",
    "from_pretrained": "faceaug.export.hub",
    "remap": "faceaug.labels",
    "save_pretrained": "faceaug.export.hub",
    "strong_transforms": "faceaug.datasets.transforms",
}

__all__ = [
    "AlignedFaces",
    "CelebA",
    "CelebAMaskHQ",
    "CutFaces",
    "Editor",
    "FaceSynthetics",
    "Fasseg",
    "FlipFaces",
    "Folder",
    "GanAugment",
    "Helen",
    "HelenStar",
    "LaPa",
    "LookBank",
    "MixedFaces",
    "MoveFaces",
    "PhotoFolder",
    "Scheme",
    "SyntheticFaces",
    "__version__",
    "find_scheme",
    "from_pretrained",
    "remap",
    "save_pretrained",
    "strong_transforms",
]


def __getattr__(name: str) -> Any:
    # Loaded on first use: `import faceaug` and `faceaug --help` stay instant.
    if name not in _HOMES:
        raise AttributeError(f"module 'faceaug' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)
