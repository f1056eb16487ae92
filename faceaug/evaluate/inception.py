"""Inception-2015 features from a weights file that the user names: what FID and KID without a surname are computed from."""

from __future__ import annotations

import pickle
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from faceaug.compute.device import Compute
from faceaug.errors import CheckpointMismatch, ConfigError
from faceaug.imagenet import in_batches

FEATURES = 2048


class InceptionFeatures:
    """The pooled features of the network that FID is defined by (Heusel et al., NeurIPS 2017), resized as its authors did.

    Always in float32: FID is compared between publications.

    Args:
        path: its weights as torch-fidelity and pytorch-fid publish them, ``pt_inception-2015-12-05-6726825d.pth``.
        compute: where to run.

    Raises:
        ConfigError: torch-fidelity is not installed.
        CheckpointMismatch: missing, not loadable without executing it, or of another network.
    """

    def __init__(self, path: Path, compute: Compute) -> None:
        try:
            from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3
        except ImportError as error:
            raise ConfigError("--inception: needs torch-fidelity; pip install 'faceaug[fid]'") from error
        with tempfile.TemporaryDirectory() as folder:
            # torch-fidelity loads its file as a whole pickle, which may execute; it gets a copy of the tensors alone.
            copy = Path(folder) / "tensors.pth"
            try:
                torch.save(torch.load(path, map_location="cpu", weights_only=True), copy)
                network: Any = FeatureExtractorInceptionV3("inception", [str(FEATURES)], feature_extractor_weights_path=str(copy))
            except Exception as error:  # whatever a foreign file does to its reader
                told = {OSError: "cannot be read", pickle.UnpicklingError: "not a file of tensors alone"}
                reason = next((text for kind, text in told.items() if isinstance(error, kind)), "other tensors")
                raise CheckpointMismatch(
                    f"{path}: holds no Inception-2015 weights ({reason}); name pt_inception-2015-12-05-6726825d.pth of "
                    f"torch-fidelity or pytorch-fid with --inception"
                ) from error
        self._network = network.to(compute.device)
        self._device = compute.device

    @torch.inference_mode()
    def __call__(self, images: npt.NDArray[np.uint8], *, batch: int = 32, label: str = "") -> npt.NDArray[np.float32]:
        """Features of ``(N, S, S, 3)`` uint8 RGB pictures, each resized to 299 px: ``(N, 2048)`` float32.

        Args:
            images: the pictures.
            batch: how many at once.
            label: name for a progress line; none where empty.
        """
        return in_batches(lambda rows: self._network(rows.to(self._device))[0], images, FEATURES, batch=batch, label=label)
