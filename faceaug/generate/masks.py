"""Masks that a parser predicts for unlabelled photos: new shapes, and less certain ones than people's."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from faceaug.errors import NothingLeft
from faceaug.parser.labelling import KEPT, label_photos
from faceaug.parser.predict import Parser
from faceaug.prepare.faces import FaceSet, LabelledFaces
from faceaug.prepare.rows import ChangedRows
from faceaug.shapes.plausible import implausible, without_islands

_AT_ONCE = 256


def read_masks(
    parser: Parser, photos: FaceSet, *, detailed: FaceSet | None = None, keep: float = KEPT, cache: Path | None = None
) -> LabelledFaces:
    """Photos as targets, with predicted label maps.

    They are predicted on photo and mirror image; the least confident faces are left out, tiny islands removed, and faces left out
    whose label map can be no face's (:mod:`faceaug.shapes.plausible`).

    Args:
        parser: P_F.
        photos: aligned photos; of labelled ones the label maps are predicted all the same.
        detailed: the same photos, larger, by which they are labelled; else by themselves.
        keep: share of the photos that is kept, the most confident ones.
        cache: see :func:`faceaug.parser.labelling.label_photos`.

    Raises:
        NothingLeft: no label map is a face's.
    """
    bare = replace(photos, labels=None)
    found = label_photos(parser, bare, detailed=detailed, keep=keep, cache=cache, label="predicting masks")
    # Cleaned when they are read, as the photos are: a set may be larger than memory.
    labels: Any = ChangedRows(found.labels, without_islands)
    reasons = [
        implausible(found.scheme.anatomy(one)) for at in range(0, len(found), _AT_ONCE) for one in labels[at : at + _AT_ONCE]
    ]
    kept = np.flatnonzero([not reason for reason in reasons])
    if not len(kept):
        raise NothingLeft(f"{photos.title}: none of {len(found)} predicted masks is a face's; train the parser longer")
    dropped = Counter(found.dropped) + Counter(f"mask: {reason}" for reason in reasons if reason)
    chosen = replace(found, labels=labels).select(kept, lazily=True)
    return replace(chosen, title=f"{photos.title}, predicted masks", dropped=dict(dropped))
