"""The order in which training sees faces: from the seed and a place alone, so that a resumed run goes on in it."""

from __future__ import annotations

import numpy as np

from faceaug.arrays import IntArray


class Shuffled:
    """Numbers in an endless order: each epoch has all of them once, in an order of its own.

    Args:
        numbers: ``(N,)``.
        seed: of the orders.
        stream: keeps orders of one seed apart.
    """

    def __init__(self, numbers: IntArray, *, seed: int, stream: int) -> None:
        self.numbers, self.seed, self.stream = numbers, seed, stream
        self._orders: dict[int, IntArray] = {}

    def get(self, start: int, count: int) -> IntArray:
        """``count`` numbers from place ``start`` on."""
        parts = []
        while count:
            epoch, within = divmod(start, len(self.numbers))
            part = self._order(epoch)[within : within + count]
            parts.append(part)
            start, count = start + len(part), count - len(part)
        return np.concatenate([np.empty(0, dtype=np.int64), *parts])

    def _order(self, epoch: int) -> IntArray:
        if epoch not in self._orders:
            self._orders = {old: order for old, order in self._orders.items() if old == epoch - 1}
            self._orders[epoch] = np.random.default_rng([self.seed, self.stream, epoch]).permutation(self.numbers)
        return self._orders[epoch]
