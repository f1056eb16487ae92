"""Augmentation of an image together with its mask, as torchvision v2 has it: what it lacks for faces, and a strong whole.

Every transform here is called ``transform(image, mask)`` with ``tv_tensors``, or ``transform(image=..., mask=...)`` with arrays
``(H, W, 3)`` and ``(H, W)``, as albumentations calls its own; then it gives a dictionary of arrays. Random numbers come from
torch's own state, which a DataLoader seeds for each worker.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import torch
from torch import Tensor
from torchvision import tv_tensors
from torchvision.transforms import v2
from torchvision.transforms.v2 import functional as F

from faceaug.arrays import ByteArray, FloatArray
from faceaug.errors import ConfigError
from faceaug.labels import HELEN_11, IGNORE, Scheme, find_scheme
from faceaug.parser.photometric import photometric

from .samples import as_image


class _ByName:
    """Beside torchvision's calling convention, albumentations'."""

    def forward(self, *inputs: Any, **named: Any) -> Any:
        """Transform a sample; see the module."""
        transform: Any = super()
        if not named:
            return transform.forward(*inputs)
        if inputs or set(named) != {"image", "mask"}:
            raise ConfigError(
                f"{type(self).__name__}: called with {', '.join(named)}; call it with image= and mask=, or by place"
            )
        pixels = np.asarray(named["image"])
        if pixels.dtype != np.uint8 or pixels.ndim != 3:
            raise ConfigError(
                f"{type(self).__name__}: image is {pixels.dtype} {pixels.shape}; call it before what changes uint8 (H, W, 3)"
            )
        image, mask = transform.forward(as_image(pixels), tv_tensors.Mask(torch.from_numpy(np.array(named["mask"]))))
        return {"image": np.ascontiguousarray(image.permute(1, 2, 0).numpy()), "mask": mask.numpy()}


class FlipFaces(_ByName, v2.Transform):  # type: ignore[misc]
    """Mirrors image and mask together and exchanges left and right classes.

    torchvision's own flip would leave a mirrored left eye labelled as left.

    Args:
        probability: of mirroring.
        scheme: of the masks, or its name.

    Raises:
        ConfigError: an unknown scheme; when called: a mask has a class that the scheme lacks, so left and right would be
            exchanged wrongly; or the mask is no ``tv_tensors.Mask``, so it would be left as it is.
    """

    def __init__(self, probability: float = 0.5, *, scheme: Scheme | str = HELEN_11) -> None:
        super().__init__()
        self.probability, self.scheme = probability, find_scheme(scheme) if isinstance(scheme, str) else scheme

    def check_inputs(self, flat_inputs: list[Any]) -> None:
        """See Raises."""
        tensors = [found for found in flat_inputs if isinstance(found, Tensor) and found.ndim > 1]
        masks = [found for found in tensors if isinstance(found, tv_tensors.Mask)]
        if not masks and len(tensors) > 1:
            raise ConfigError("FlipFaces: found no tv_tensors.Mask among the tensors; wrap the mask, tv_tensors.Mask(mask)")
        for mask in masks:
            worst = int(torch.where(mask == IGNORE, 0, mask).max())
            if worst >= len(self.scheme):
                raise ConfigError(
                    f"FlipFaces: label {worst} is not in {self.scheme.name}; give it the dataset's, FlipFaces(scheme=...)"
                )

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        """``mirrored``: whether this sample is."""
        return {"mirrored": bool(torch.rand(()) < self.probability)}

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """Mirror one part of a sample, or give it back."""
        if not params["mirrored"]:
            return inpt
        if not isinstance(inpt, tv_tensors.Mask):
            return self._call_kernel(F.horizontal_flip, inpt)
        table = torch.from_numpy(self.scheme.flip_table).to(inpt.device)
        return tv_tensors.wrap(table[inpt.flip(-1).long()].to(inpt.dtype), like=inpt)


class MoveFaces(_ByName, v2.RandomAffine):  # type: ignore[misc]
    """Rotates, scales and shifts image and mask together.

    As ``v2.RandomAffine``, whose parameters these are, but the image is continued by reflection and the mask by 255, and a pixel
    of the mask takes the class that covers most of it: at 64 px a lip is two pixels high, and the half pixel that the nearest one
    is off would be seen. OpenCV computes it, several times as fast as torchvision.

    Args:
        degrees: largest turn to either side.
        translate: largest shifts along x and y, as shares of the sides.
        scale: smallest and largest.
    """

    def __init__(
        self,
        degrees: float = 10.0,
        translate: tuple[float, float] = (0.05, 0.05),
        scale: tuple[float, float] = (0.9, 1.1),
    ) -> None:
        super().__init__(degrees, translate, scale)

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """Move one part of a sample: an image of any number of channels or a mask, with any leading axes."""
        if not isinstance(inpt, Tensor):
            raise ConfigError(f"MoveFaces: cannot move a {type(inpt).__name__}; give it tensors, v2.ToImage()(image)")
        height, width = inpt.shape[-2:]
        matrix = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), params["angle"], params["scale"])
        matrix[:, 2] += params["translate"]
        move = _moved_labels if isinstance(inpt, tv_tensors.Mask) else _moved_plane
        planes = inpt.cpu().numpy().reshape(-1, height, width)
        found = np.stack([move(plane, np.asarray(matrix)) for plane in planes]).reshape(inpt.shape)
        return tv_tensors.wrap(torch.from_numpy(found).to(inpt.device), like=inpt)


def _moved_plane(plane: Any, matrix: FloatArray) -> Any:
    """One channel, uint8 or float32."""
    return cv2.warpAffine(plane, matrix, plane.shape[::-1], flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101)


def _moved_labels(labels: Any, matrix: FloatArray) -> Any:
    """One label map of any integer type; 255 where neither a class nor the inside of the photo covers most of a pixel."""
    present = np.unique(labels[labels != IGNORE])
    if not len(present):
        return np.full_like(labels, IGNORE)
    covers = [
        cv2.warpAffine((labels == one) * np.uint8(255), matrix, labels.shape[::-1], flags=cv2.INTER_LINEAR) for one in present
    ]
    cover: ByteArray = np.stack(covers)
    unknown = 255 - cover.sum(0, dtype=np.int32)
    return np.where(unknown > cover.max(0), IGNORE, present[cover.argmax(0)]).astype(labels.dtype)


class CutFaces(_ByName, v2.RandomErasing):  # type: ignore[misc]
    """Covers a rectangle of the image with its mean colour, and of the mask with 255.

    What lies under the patch cannot be known, so nothing is asked of a parser there; around it, it has to do with less of the
    face. ``v2.RandomErasing``, which chooses the rectangle, would leave the mask as it is.

    Args:
        p: probability of a patch.
        scale: smallest and largest area, as a share of the image's.
        ratio: smallest and largest ratio of its sides.
    """

    def __init__(self, p: float = 0.5, scale: tuple[float, float] = (0.02, 0.2), ratio: tuple[float, float] = (0.3, 3.3)) -> None:
        super().__init__(p, scale, ratio)

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """Cover the rectangle of one part of a sample."""
        if params["v"] is None:  # no rectangle fitted
            return inpt
        mask = isinstance(inpt, tv_tensors.Mask)
        value = torch.tensor(IGNORE) if mask else inpt.float().mean((-2, -1), keepdim=True)
        found = inpt.clone().as_subclass(Tensor)
        found[..., params["i"] : params["i"] + params["h"], params["j"] : params["j"] + params["w"]] = value.to(inpt.dtype)
        return tv_tensors.wrap(found, like=inpt)


class _Compose(_ByName, v2.Compose):  # type: ignore[misc]
    """One after the other, in either calling convention."""


def strong_transforms(scheme: Scheme = HELEN_11, *, size: int = 256) -> Any:
    """A strong augmentation of samples, geometric and photometric: a ``v2.Compose`` to use or to take apart.

    Its strengths are those that are usual for photos of some 300 px. They are more than a short training can use: at 64 px they
    cost a parser 1.2 points of mean F1 (benchmarks/README.md); measure before you take them.

    Args:
        scheme: of the masks.
        size: side of the images in pixels; the blur is as wide as a share of it.
    """
    return _Compose(
        [
            FlipFaces(scheme=scheme),
            v2.RandomApply([MoveFaces()], p=0.5),
            *photometric(size),
            CutFaces(),
        ]
    )
