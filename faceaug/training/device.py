"""Where and in what arithmetic a run computes."""

from __future__ import annotations

import contextlib
import functools
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, TypeVar, get_args

import torch
from torch import Tensor, nn

from faceaug.errors import ConfigError

Precision = Literal["bf16", "fp32"]
M = TypeVar("M", bound=nn.Module)


@dataclass(frozen=True)
class Compute:
    """A device with an arithmetic.

    Attributes:
        device: the torch device.
        precision: ``bf16`` computes convolutions and products in bfloat16 by autocast, weights stay float32.
    """

    device: torch.device
    precision: Precision

    @contextlib.contextmanager
    def autocast(self) -> Iterator[None]:
        """The context in which networks run."""
        if self.precision == "fp32":
            yield
            return
        with torch.autocast(self.device.type, dtype=torch.bfloat16):
            yield

    def module(self, module: M) -> M:
        """Move a network to the device, its convolutions to channels_last."""
        return module.to(self.device).to(memory_format=torch.channels_last)

    def image(self, tensor: Tensor) -> Tensor:
        """Move a 4-D batch to the device in channels_last."""
        return tensor.to(self.device, non_blocking=True, memory_format=torch.channels_last)

    def __str__(self) -> str:
        where = torch.cuda.get_device_name(self.device) if self.device.type == "cuda" else self.device.type
        threads = f", {torch.get_num_threads()} threads" if self.device.type == "cpu" else ""
        return f"{where}{threads}, {self.precision}"


def choose_compute(device: str = "auto", precision: str = "auto") -> Compute:
    """Resolve ``--device`` and ``--precision``.

    Args:
        device: ``auto`` (a GPU where there is one), ``cpu``, ``cuda``, ``cuda:1``, ``mps``.
        precision: ``auto`` (bf16 where it is the faster one: native on a GPU, measured on a CPU), ``bf16``, ``fp32``.

    Raises:
        ConfigError: an unknown name, or a device this machine lacks.
    """
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        resolved = torch.device(device)
        torch.empty(1, device=resolved)
    except (RuntimeError, AssertionError) as error:
        reason = str(error).splitlines()[0]
        raise ConfigError(f"--device {device}: not usable here ({reason}); try --device cpu") from error
    if precision == "auto":
        precision = "bf16" if _faster_in_bf16(resolved) else "fp32"
    if precision not in get_args(Precision):
        raise ConfigError(f"--precision {precision}: unknown; use auto, bf16 or fp32")
    return Compute(resolved, precision)  # type: ignore[arg-type]


def _faster_in_bf16(device: torch.device) -> bool:
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    if device.type == "cpu":
        return bool(torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()) and _measured_gain() > _WORTH_IT
    return False


_WORTH_IT = 1.15


@functools.cache
def _measured_gain() -> float:
    """How much faster this CPU convolves in bf16 than in float32, forward and backward; takes a fifth of a second.

    The instructions being there does not tell: with AMX or on AMD's cores bf16 is twice as fast, on Intel's without AMX it was
    seen to be 1.6 times slower.
    """

    def seconds(dtype: torch.dtype) -> float:
        layer = nn.Conv2d(128, 128, 3, padding=1).to(dtype).to(memory_format=torch.channels_last)
        photo = torch.ones(4, 128, 16, 16, dtype=dtype).to(memory_format=torch.channels_last).requires_grad_()
        times = []
        for _ in range(8):
            began = time.perf_counter()
            torch.autograd.backward([layer(photo).sum()])
            times.append(time.perf_counter() - began)
        return min(times)

    return seconds(torch.float32) / seconds(torch.bfloat16)
