"""Training steps recorded once and replayed as a CUDA graph."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

WARM_UP = 3
"""Steps computed before one is recorded: cuDNN chooses its kernels in them, and the optimiser makes its state."""


class GraphedStep:
    """A step on batches of one shape; from the fourth one on a GPU it is replayed from a recording.

    A step on small faces is thousands of kernels of a few microseconds each, and starting them takes the host several times as
    long as computing them takes the GPU. A replay starts all of them at once. Elsewhere than on a GPU every step is computed.

    Args:
        compute: the step, from tensors on the device to one tensor on it. It must not copy anything to or from the host; learning
            rates have to be tensors (see :func:`set_rate`), and optimisers ``capturable``.
        clear: called before recording; drops gradients, so that the recorded step makes its own.
    """

    def __init__(self, compute: Callable[..., Tensor], clear: Callable[[], None]) -> None:
        self._compute, self._clear = compute, clear
        self._steps = 0
        self._graph: torch.cuda.CUDAGraph | None = None
        self._inputs: list[Tensor] = []
        self._output = torch.empty(0)

    def __call__(self, *inputs: Tensor) -> Tensor:
        """The step's result on these inputs, detached; they are copied, so they may change afterwards."""
        if inputs[0].device.type != "cuda":
            return self._compute(*inputs).detach()
        if not self._inputs:
            self._inputs = [torch.empty_like(tensor) for tensor in inputs]
        for kept, new in zip(self._inputs, inputs, strict=True):
            kept.copy_(new)
        self._steps += 1
        if self._steps <= WARM_UP:
            # Not on the default stream, whose allocations a recording cannot use.
            stream = torch.cuda.Stream()  # type: ignore[no-untyped-call]
            stream.wait_stream(torch.cuda.current_stream())
            with torch.cuda.stream(stream):
                result = self._compute(*self._inputs).detach().clone()
            torch.cuda.current_stream().wait_stream(stream)
            return result
        if self._graph is None:
            self._clear()
            graph = torch.cuda.CUDAGraph()
            with torch.cuda.graph(graph):
                self._output = self._compute(*self._inputs).detach()
            self._graph = graph
        self._graph.replay()
        return self._output.clone()


def set_rate(optimiser: torch.optim.Optimizer, rates: list[float]) -> None:
    """Set the learning rate of each of the optimiser's groups, in place where it is a tensor."""
    for group, rate in zip(optimiser.param_groups, rates, strict=True):
        if isinstance(group["lr"], Tensor):
            group["lr"].fill_(rate)
        else:
            group["lr"] = rate


def rates_on(optimiser: torch.optim.Optimizer, device: torch.device) -> None:
    """Make the learning rates tensors on a GPU, which recorded steps read; also after a state was loaded."""
    if device.type == "cuda":
        for group in optimiser.param_groups:
            group["lr"] = torch.tensor(float(group["lr"]), device=device)
