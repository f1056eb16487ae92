"""Aligned labelled faces as a torch dataset: the crops that generated faces go with."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from faceaug.config import check
from faceaug.prepare.faces import FaceSet

from .names import data_root, open_labelled
from .samples import Form, Sample, check_form, face_sample


class AlignedFaces(torch.utils.data.Dataset[Sample]):
    """Labelled faces in the canonical crop, like generated ones; a torch dataset of ``(Image, Mask)``.

    Args:
        faces: ``NAME``, ``NAME:DIR``, or aligned faces that are at hand.
        split: ``train``, ``tuning`` or ``testing``.
        size: side of the crops in pixels; of faces at hand, their own.
        limit: only the first so many of the split.
        root: where a bare ``NAME`` is looked for; else ``$FACEAUG_DATA``, else ``./data``.
        cache: folder that keeps the crops, so that the next process reads them back.
        transforms: called as ``transforms(image, mask)``, for example a torchvision v2 transform; of dictionaries as
            ``transforms(image=image, mask=mask)``.
        form: ``pair`` gives ``tv_tensors``; ``dict`` gives ``{"image": (S, S, 3), "mask": (S, S)}``, uint8 arrays.

    Attributes:
        faces: the crops as arrays.
        scheme: of the masks.
        size: side of the crops, pixels.

    Raises:
        ConfigError: not a labelled dataset's name, or an unknown form.
        DatasetNotFound: no such folder.
        DatasetDamaged: a photo or its labels cannot be used.
        ValueError: faces at hand without label maps.
    """

    def __init__(
        self,
        faces: str | FaceSet = "helen",
        split: str = "train",
        *,
        size: int = 256,
        limit: int | None = None,
        root: Path | None = None,
        cache: Path | None = None,
        transforms: Callable[..., Any] | None = None,
        form: Form = "pair",
    ) -> None:
        check_form(form)
        check({f"size {size}: must be within 16..4096 pixels": not 16 <= size <= 4096})
        if isinstance(faces, str):
            faces = open_labelled(faces, split, size=size, root=data_root(root), cache=cache, limit=limit)
        self.faces = faces.labelled()
        self.scheme, self.size = faces.scheme, faces.size
        self.transforms, self.form = transforms, form

    def __len__(self) -> int:
        return len(self.faces)

    def __getitem__(self, index: int) -> Sample:
        if not 0 <= index < len(self):
            raise IndexError(index)
        return face_sample(self.faces.images[index], self.faces.labels[index], self.transforms, self.form)
