"""Generated faces as a torch dataset, alone or mixed with real ones."""

from __future__ import annotations

from collections.abc import Callable, Sized
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torchvision import tv_tensors

from faceaug.errors import ConfigError
from faceaug.labels import FLIP_TABLE
from faceaug.prepare.faces import FaceSet
from faceaug.shards.reader import ShardReader

from .samples import Sample, face_sample


class SyntheticFaces(torch.utils.data.Dataset[Sample]):
    """Faces of one or several sets of shards; a torch dataset of ``(Image, Mask)``.

    Works with DataLoader workers, forked or spawned: each process opens the files for itself.

    Args:
        folder: a folder of shards, one shard, or several of them.
        transforms: called as ``transforms(image, mask)``, for example a torchvision v2 transform.
        min_agreement: leave out faces whose agreement with their mask is lower.

    Raises:
        ShardDamaged: missing, unfinished, truncated, or not of this format.
        ConfigError: no face is left.
    """

    def __init__(
        self,
        folder: str | Path | list[str | Path],
        *,
        transforms: Callable[..., Any] | None = None,
        min_agreement: float = 0.0,
    ) -> None:
        self.readers = [ShardReader(one) for one in (folder if isinstance(folder, list) else [folder])]
        self.transforms = transforms
        rows: list[tuple[int, int]] = []
        for number, reader in enumerate(self.readers):
            fits = reader.column("agreement") >= min_agreement
            reader.close()
            rows += [(number, int(row)) for row in np.flatnonzero(fits)]
        if not rows:
            raise ConfigError(f"min_agreement {min_agreement}: no face of {folder} reaches it; lower it")
        self._rows = rows

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, index: int) -> Sample:
        reader, row = self._rows[index]
        image, labels = self.readers[reader].face(row)
        return face_sample(image, labels, self.transforms)

    def about(self, index: int) -> dict[str, Any]:
        """Target, source, genders, row, seed and agreement of one face."""
        reader, row = self._rows[index]
        return self.readers[reader].about(row)


class MixedFaces(torch.utils.data.Dataset[Sample]):
    """Real and synthetic samples, a fixed share of each; one epoch shows every real sample once.

    Args:
        real: a dataset of samples.
        synthetic: another.
        share: of synthetic samples, 0 <= share < 1.
        seed: which synthetic samples the first epoch has; :meth:`set_epoch` changes them.

    Raises:
        ConfigError: the share is out of range, or there are no samples for it.
    """

    def __init__(self, real: Any, synthetic: Any, *, share: float = 0.5, seed: int = 0) -> None:
        if not 0 <= share < 1:
            raise ConfigError(f"share {share}: must be at least 0 and below 1")
        if not len(_sized(real)) or (share > 0 and not len(_sized(synthetic))):
            raise ConfigError("MixedFaces: a dataset is empty; give it samples, or use share 0")
        self.real, self.synthetic, self.share, self.seed = real, synthetic, share, seed
        self.set_epoch(0)

    def set_epoch(self, epoch: int) -> None:
        """Choose the synthetic samples of an epoch: a new draw without repetition as long as they last."""
        count = round(len(self.real) * self.share / (1 - self.share))
        rng = np.random.default_rng([self.seed, epoch])
        rounds = -(-count // len(self.synthetic)) if count else 0
        drawn = [rng.permutation(len(self.synthetic)) for _ in range(rounds)]
        self._drawn = np.concatenate(drawn)[:count] if drawn else np.empty(0, dtype=np.int64)

    def __len__(self) -> int:
        return len(self.real) + len(self._drawn)

    def __getitem__(self, index: int) -> Sample:
        if not 0 <= index < len(self):
            raise IndexError(index)
        sample: Sample
        sample = self.real[index] if index < len(self.real) else self.synthetic[int(self._drawn[index - len(self.real)])]
        return sample


def _sized(dataset: Any) -> Sized:
    if not hasattr(dataset, "__len__"):
        raise ConfigError("MixedFaces: needs datasets with a length")
    return dataset  # type: ignore[no-any-return]


class FlipFaces:
    """A transform for ``transforms=``: mirrors image and mask together and exchanges left and right classes.

    torchvision's own flip would leave a mirrored left eye labelled as left.

    Args:
        probability: of mirroring, drawn from torch's random state.
    """

    def __init__(self, probability: float = 0.5) -> None:
        self.probability = probability

    def __call__(self, image: Any, mask: Any) -> Sample:
        """Mirror ``(..., H, W)`` image and uint8 mask, or give both back."""
        if torch.rand(()) >= self.probability:
            return image, mask
        table = torch.from_numpy(FLIP_TABLE)
        return tv_tensors.wrap(image.flip(-1), like=image), tv_tensors.wrap(table[mask.flip(-1).long()], like=mask)


def open_synthetic(folder: Path) -> FaceSet:
    """A whole set in memory, as aligned faces for a training loop.

    Raises:
        ShardDamaged: see :class:`~faceaug.shards.reader.ShardReader`.
    """
    reader = ShardReader(folder)
    unknown = np.full(len(reader), -1, dtype=np.int64)
    names = tuple(f"{target}+{source}" for target, source in zip(reader.column("target"), reader.column("source"), strict=True))
    title = f"generated from {reader.config['targets']['title']} and {reader.config['sources']['title']}"
    male = reader.column("target_male").astype(np.int64)
    faces = FaceSet(title, names, reader.column("image"), reader.column("label"), male, unknown)
    reader.close()
    return faces
