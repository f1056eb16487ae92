"""Generated faces as a torch dataset, alone or mixed with real ones."""

from __future__ import annotations

from collections.abc import Callable, Sized
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torchvision import tv_tensors

from faceaug.errors import ConfigError
from faceaug.labels import HELEN_11, IGNORE, Scheme
from faceaug.prepare.faces import LabelledFaces
from faceaug.shards.reader import ShardReader
from faceaug.training.order import Shuffled

from .samples import Sample, face_sample


class SyntheticFaces(torch.utils.data.Dataset[Sample]):
    """Faces of one or several sets of shards; a torch dataset of ``(Image, Mask)``.

    Works with DataLoader workers, forked or spawned: each process opens the files for itself.

    Args:
        folder: a folder of shards, one shard, or several of them.
        transforms: called as ``transforms(image, mask)``, for example a torchvision v2 transform.
        min_agreement: leave out faces whose agreement with their mask is lower.

    Attributes:
        scheme: of the masks.

    Raises:
        ShardDamaged: missing, unfinished, truncated, or not of this format.
        ConfigError: no face is left, or the sets' label schemes differ.
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
        self.scheme = self.readers[0].scheme
        for reader in self.readers:
            if reader.scheme != self.scheme:
                raise ConfigError(f"{reader.folder}: its labels are of {reader.scheme.name}, not {self.scheme.name}")
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

    @cached_property
    def faces(self) -> LabelledFaces:
        """The same faces as arrays in memory: what the benchmark trains on.

        Raises:
            ConfigError: the sets' faces differ in size.
        """
        sizes = {reader.size for reader in self.readers}
        if len(sizes) > 1:
            raise ConfigError(f"{self.readers[0].folder}: the sets' faces are {sorted(sizes)} px; name sets of one size")

        def column(name: str) -> npt.NDArray[Any]:
            chosen = np.array([number for number, _ in self._rows])
            rows = np.array([row for _, row in self._rows])
            return np.concatenate([reader.column(name)[rows[chosen == one]] for one, reader in enumerate(self.readers)])

        origins = [(reader.config["targets"]["title"], reader.config["sources"]["title"]) for reader in self.readers]
        found = LabelledFaces(
            "; ".join(dict.fromkeys(f"generated from {targets} and {sources}" for targets, sources in origins)),
            tuple(f"{target}+{source}" for target, source in zip(column("target"), column("source"), strict=True)),
            column("image"),
            column("label"),
            column("target_male").astype(np.int64),
            np.full(len(self), -1, dtype=np.int64),
            scheme=self.scheme,
        )
        for reader in self.readers:
            reader.close()
        return found


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
        self._count = round(len(real) * share / (1 - share))
        self._order = Shuffled(np.arange(len(synthetic)), seed=seed, stream=0) if self._count else None
        self._epoch = torch.zeros((), dtype=torch.int64)  # shared: persistent workers see a new epoch too
        self._epoch.share_memory_()  # type: ignore[no-untyped-call]
        self._drawn: tuple[int, npt.NDArray[np.int64]] = (-1, np.empty(0, dtype=np.int64))

    def set_epoch(self, epoch: int) -> None:
        """Choose the synthetic samples of an epoch: the next ones of an order in which all come before any comes again."""
        self._epoch.fill_(epoch)

    def __len__(self) -> int:
        return len(self.real) + self._count

    def __getitem__(self, index: int) -> Sample:
        if not 0 <= index < len(self):
            raise IndexError(index)
        sample: Sample
        if index < len(self.real) or self._order is None:
            sample = self.real[index]
            return sample
        epoch = int(self._epoch)
        if self._drawn[0] != epoch:
            self._drawn = epoch, self._order.get(epoch * self._count, self._count)
        sample = self.synthetic[int(self._drawn[1][index - len(self.real)])]
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
        scheme: of the masks.
    """

    def __init__(self, probability: float = 0.5, *, scheme: Scheme = HELEN_11) -> None:
        self.probability, self.scheme = probability, scheme

    def __call__(self, image: Any, mask: Any) -> Sample:
        """Mirror ``(..., H, W)`` image and mask (any integer type), or give both back.

        Raises:
            ConfigError: the mask has a class that the scheme lacks: left and right would be exchanged wrongly.
        """
        labels = mask[mask != IGNORE]
        if labels.numel() and int(labels.max()) >= len(self.scheme):
            raise ConfigError(
                f"FlipFaces: label {int(labels.max())} is not in {self.scheme.name}; give it the dataset's, FlipFaces(scheme=...)"
            )
        if torch.rand(()) >= self.probability:
            return image, mask
        table = torch.from_numpy(self.scheme.flip_table)
        turned = table[mask.flip(-1).long()].to(mask.dtype)
        return tv_tensors.wrap(image.flip(-1), like=image), tv_tensors.wrap(turned, like=mask)
