"""Generated faces as a torch dataset."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from faceaug.arrays import IntArray
from faceaug.errors import ConfigError
from faceaug.prepare.faces import LabelledFaces
from faceaug.shards.dropped import rows_without
from faceaug.shards.reader import ShardReader

from .samples import Form, Sample, check_form, face_sample
from .shard_rows import ShardRows


def _listed(paths: str | Path | Sequence[str | Path]) -> Sequence[str | Path]:
    return [paths] if isinstance(paths, (str, Path)) else paths


class SyntheticFaces(torch.utils.data.Dataset[Sample]):
    """Faces of one or several sets of shards; a torch dataset of ``(Image, Mask)``.

    A face is read when it is asked for and not kept: memory does not depend on how many there are. Works with DataLoader
    workers, forked or spawned, and pickles small: each process opens the files for itself.

    Args:
        folder: a folder of shards, one shard, or several of them.
        transforms: called as ``transforms(image, mask)``, for example a torchvision v2 transform; of dictionaries as
            ``transforms(image=image, mask=mask)``.
        min_agreement: leave out faces whose agreement with their mask is lower.
        without: lists of rows that are left out, JSON files that ``faceaug web`` writes; the order of the others stays.
        form: ``pair`` gives ``tv_tensors``; ``dict`` gives ``{"image": (S, S, 3), "mask": (S, S)}``, uint8 arrays.

    Attributes:
        scheme: of the masks.

    Raises:
        ShardDamaged: missing, unfinished, truncated, or not of this format.
        ConfigError: no face is left, the sets' label schemes differ, an unknown form, or a list of another set or of rows that
            its set does not have.
    """

    def __init__(
        self,
        folder: str | Path | Sequence[str | Path],
        *,
        transforms: Callable[..., Any] | None = None,
        min_agreement: float = 0.0,
        without: str | Path | Sequence[str | Path] = (),
        form: Form = "pair",
    ) -> None:
        check_form(form)
        self.readers = [ShardReader(one) for one in _listed(folder)]
        self.transforms, self.form = transforms, form
        if not self.readers:
            raise ConfigError("SyntheticFaces: no folder is named; give it one or several")
        self.scheme = self.readers[0].scheme
        for reader in self.readers:
            if reader.scheme != self.scheme:
                raise ConfigError(f"{reader.folder}: its labels are of {reader.scheme.name}, not {self.scheme.name}")
        self._starts = np.cumsum([0, *(len(reader) for reader in self.readers)])
        self._chosen = self._agreeing(min_agreement) if min_agreement > 0 else None
        if not len(self):
            raise ConfigError(f"min_agreement {min_agreement}: no face of {folder} reaches it; lower it")
        lists = [Path(one) for one in _listed(without)]
        if lists:
            self._chosen = self._left_by(lists)
            if not len(self):
                raise ConfigError(f"{', '.join(map(str, lists))}: no face of {folder} is left; drop fewer")

    def _agreeing(self, least: float) -> IntArray:
        """Rows of all sets, one after the other, whose agreement is high enough."""
        found = np.concatenate([reader.column("agreement") for reader in self.readers])
        for reader in self.readers:
            reader.close()
        return np.flatnonzero(found >= least)

    def _left_by(self, lists: Sequence[Path]) -> IntArray:
        """Rows of all sets that are chosen and that no list has; no shard is opened for it."""
        kept = np.zeros(self._starts[-1], dtype=bool)
        kept[slice(None) if self._chosen is None else self._chosen] = True
        for start, rows in zip(self._starts[:-1], rows_without(self.readers, lists), strict=True):
            kept[start + np.array(rows, dtype=np.int64)] = False
        return np.flatnonzero(kept)

    def __len__(self) -> int:
        return int(self._starts[-1]) if self._chosen is None else len(self._chosen)

    def _locate(self, index: int) -> tuple[ShardReader, int]:
        if not 0 <= index < len(self):
            raise IndexError(index)
        row = int(index if self._chosen is None else self._chosen[index])
        if len(self.readers) == 1:
            return self.readers[0], row
        number = int(np.searchsorted(self._starts, row, side="right")) - 1
        return self.readers[number], row - int(self._starts[number])

    def __getitem__(self, index: int) -> Sample:
        reader, row = self._locate(index)
        image, labels = reader.face(row)
        return face_sample(image, labels, self.transforms, self.form)

    def about(self, index: int) -> dict[str, Any]:
        """Target, source, genders, row, seed and agreement of one face."""
        reader, row = self._locate(index)
        return reader.about(row)

    @property
    def size(self) -> int:
        """Side of the faces in pixels.

        Raises:
            ConfigError: the sets' faces differ in size.
        """
        sizes = {reader.size for reader in self.readers}
        if len(sizes) > 1:
            raise ConfigError(f"{self.readers[0].folder}: the sets' faces are {sorted(sizes)} px; name sets of one size")
        return sizes.pop()

    @cached_property
    def faces(self) -> LabelledFaces:
        """The same faces as arrays whose pictures are read when they are asked for: what the benchmark trains on.

        Raises:
            ConfigError: the sets' faces differ in size.
        """
        _ = self.size
        images: Any = ShardRows(self.readers, "image", self._chosen)
        labels: Any = ShardRows(self.readers, "label", self._chosen)

        def column(name: str) -> npt.NDArray[Any]:
            found = np.concatenate([reader.column(name) for reader in self.readers])
            return found if self._chosen is None else found[self._chosen]

        origins = [(reader.config["targets"]["title"], reader.config["sources"]["title"]) for reader in self.readers]
        found = LabelledFaces(
            "; ".join(dict.fromkeys(f"generated from {targets} and {sources}" for targets, sources in origins)),
            tuple(f"{target}+{source}" for target, source in zip(column("target"), column("source"), strict=True)),
            images,
            labels,
            column("target_male").astype(np.int64),
            np.full(len(self), -1, dtype=np.int64),
            scheme=self.scheme,
        )
        for reader in self.readers:
            reader.close()
        return found
