"""The devices that train one network together: same weights everywhere, a share of every batch each."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
import torch.distributed
from torch import Tensor, nn

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class World:
    """One process's place among all.

    The default is a process alone, for which every method does nothing. More than one process needs an initialised process
    group of :mod:`torch.distributed`, see :func:`faceaug.compute.device.launch`.

    Attributes:
        rank: 0 is the one that writes and speaks.
        size: how many there are.
    """

    rank: int = 0
    size: int = 1

    @property
    def first(self) -> bool:
        """Whether this process writes and speaks."""
        return self.rank == 0

    def wait(self) -> None:
        """Wait for all others to come here."""
        if self.size > 1:
            torch.distributed.barrier()

    @contextlib.contextmanager
    def first_goes_ahead(self) -> Iterator[None]:
        """The first process runs the body, then all others: they find what it has left on disk."""
        if not self.first:
            self.wait()
        yield
        if self.first:
            self.wait()

    def mean_gradients(self, modules: Sequence[nn.Module]) -> None:
        """Replace the gradients of ``modules`` by their mean over all processes, in one exchange."""
        if self.size == 1:
            return
        gradients = [weight.grad for module in modules for weight in module.parameters() if weight.grad is not None]
        flat = torch.cat([gradient.reshape(-1) for gradient in gradients])
        self._sum(flat)
        flat /= self.size
        begin = 0
        for gradient in gradients:
            gradient.copy_(flat[begin : begin + gradient.numel()].view(gradient.shape))
            begin += gradient.numel()

    def mean(self, values: dict[str, float], device: torch.device) -> dict[str, float]:
        """Means of numbers over all processes; all must have the same keys in the same order."""
        if self.size == 1:
            return values
        flat = torch.tensor(list(values.values()), dtype=torch.float64, device=device)
        self._sum(flat)
        return dict(zip(values, (flat / self.size).tolist(), strict=True))

    def shared(self, function: Callable[[Array], Array], rows: Array) -> Array:
        """``function(rows)`` for a function of single rows, each process with a part of them; all get the whole.

        Args:
            function: from an array to one with as many rows.
            rows: the same in all processes, at least one row a process.
        """
        if self.size == 1:
            return function(rows)
        bounds = np.linspace(0, len(rows), self.size + 1).astype(np.int64)
        parts: list[Any] = [None] * self.size
        torch.distributed.all_gather_object(parts, function(rows[bounds[self.rank] : bounds[self.rank + 1]]))
        return np.concatenate(parts)

    def _sum(self, flat: Tensor) -> None:
        torch.distributed.all_reduce(flat)
