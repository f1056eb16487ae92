"""Real and synthetic samples in a fixed proportion, epoch by epoch."""

from __future__ import annotations

from collections.abc import Sized
from typing import Any

import numpy as np
import torch

from faceaug.arrays import IntArray
from faceaug.errors import ConfigError
from faceaug.labels import Scheme

from .samples import Sample


class MixedFaces(torch.utils.data.Dataset[Sample]):
    """Real and synthetic samples, a fixed share of each; one epoch shows every real sample once.

    Which synthetic samples an epoch has follows from the seed and the epoch alone, so all ranks of a ``DistributedSampler``
    divide one set between them. Call :meth:`set_epoch` before each epoch, beside the sampler's own.

    Args:
        real: a dataset of samples.
        synthetic: another, of samples of the same form.
        share: of synthetic samples, 0 <= share < 1; as exact as whole samples allow.
        seed: of the order of the synthetic samples.

    Raises:
        ConfigError: the share is out of range, there are no samples for it, or the two differ in label scheme or size, where they
            have such.
    """

    def __init__(self, real: Any, synthetic: Any, *, share: float = 0.5, seed: int = 0) -> None:
        if not 0 <= share < 1:
            raise ConfigError(f"share {share}: must be at least 0 and below 1")
        if not len(_sized(real)) or (share > 0 and not len(_sized(synthetic))):
            raise ConfigError("MixedFaces: a dataset is empty; give it samples, or use share 0")
        for what, kind in (("scheme", Scheme), ("size", int)):  # datasets of other packages may have neither
            ours, theirs = getattr(real, what, None), getattr(synthetic, what, None)
            if share > 0 and isinstance(ours, kind) and isinstance(theirs, kind) and ours != theirs:
                names = [getattr(one, "name", one) for one in (ours, theirs)]
                raise ConfigError(f"MixedFaces: real faces have {what} {names[0]}, synthetic ones {names[1]}; they must be alike")
        self.real, self.synthetic, self.share, self.seed = real, synthetic, share, seed
        count = round(len(real) * share / (1 - share))
        self._draws = Draws(len(synthetic), count, seed=seed) if count else None
        # In shared memory: persistent workers see a new epoch too, forked or spawned.
        self._epoch = torch.zeros((), dtype=torch.int64).share_memory_()  # type: ignore[no-untyped-call]

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        if not self._epoch.is_shared():  # a copy by pickle has an epoch of its own, and later workers are to see that
            self._epoch.share_memory_()

    def set_epoch(self, epoch: int) -> None:
        """Choose the synthetic samples of an epoch: the next ones of an order in which all come before any comes again."""
        self._epoch.fill_(epoch)

    def __len__(self) -> int:
        return len(self.real) + (0 if self._draws is None else self._draws.count)

    def __getitem__(self, index: int) -> Sample:
        if not 0 <= index < len(self):
            raise IndexError(index)
        if index < len(self.real) or self._draws is None:
            return self.real[index]
        return self.synthetic[int(self._draws.get(int(self._epoch))[index - len(self.real)])]


_NOTHING: tuple[int, IntArray] = (-1, np.empty(0, dtype=np.int64))


class Draws:
    """``count`` of ``total`` numbers for each epoch: all come before any comes again, and none twice in an epoch.

    Where an epoch needs more than there are, it has each number equally often, give or take one.

    Args:
        total: numbers 0..total-1.
        count: an epoch's.
        seed: of their order.
    """

    def __init__(self, total: int, count: int, *, seed: int) -> None:
        self.total, self.count, self.seed = total, count, seed
        self._whole, self._part = divmod(count, total)
        self._round = self._drawn = _NOTHING

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_round": _NOTHING, "_drawn": _NOTHING}  # drawn again rather than sent to workers

    def get(self, epoch: int) -> IntArray:
        """``(count,)`` of an epoch, from 0 on."""
        if self._drawn[0] != epoch:
            self._drawn = epoch, np.concatenate([*[np.arange(self.total)] * self._whole, self._next(epoch)])
        return self._drawn[1]

    def _next(self, epoch: int) -> IntArray:
        """The epoch's part of the rounds, each of which is an order of all numbers."""
        if not self._part:
            return np.empty(0, dtype=np.int64)
        number, within = divmod(epoch * self._part, self.total)
        first = self._order(number)[within : within + self._part]
        rest = self._part - len(first)
        return np.concatenate([first, self._order(number + 1)[:rest]]) if rest else first

    def _order(self, number: int) -> IntArray:
        """One round: random, but it begins with numbers that the epoch it shares with the round before does not have yet."""
        known, order = self._round
        for at in range(known + 1 if known <= number else 0, number + 1):
            fresh = np.random.default_rng([self.seed, at]).permutation(self.total)
            shared = at * self.total % self._part  # how many of the round before are in the epoch that begins this one
            if shared:
                new = ~np.isin(fresh, order[-shared:])
                head = np.flatnonzero(new)[: self._part - shared]
                fresh = np.concatenate([fresh[head], np.delete(fresh, head)])
            order = fresh
            self._round = at, order
        return order


def _sized(dataset: Any) -> Sized:
    if not hasattr(dataset, "__len__"):
        raise ConfigError("MixedFaces: needs datasets with a length")
    return dataset  # type: ignore[no-any-return]
