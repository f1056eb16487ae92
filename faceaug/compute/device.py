"""Where and in what arithmetic a run computes."""

from __future__ import annotations

import contextlib
import ctypes
import datetime
import functools
import os
import resource
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar, get_args

import torch
from torch import Tensor, nn

from faceaug.compute.threads import FreeCores, free_cores
from faceaug.compute.world import World
from faceaug.errors import ConfigError
from faceaug.progress import be_quiet

Precision = Literal["bf16", "fp32"]
M = TypeVar("M", bound=nn.Module)


@dataclass(frozen=True)
class Compute:
    """A device with an arithmetic.

    Attributes:
        device: the torch device.
        precision: ``bf16`` computes convolutions and products in bfloat16 by autocast, weights stay float32.
        world: the processes that train together.
        threads: the choice of threads on a CPU, where it is left to the program.
    """

    device: torch.device
    precision: Precision
    world: World = field(default_factory=World)
    threads: FreeCores | None = field(default=None, compare=False)

    @contextlib.contextmanager
    def autocast(self) -> Iterator[None]:
        """The context in which networks run."""
        if self.threads is not None:
            self.threads.adapt()
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
        together = f", {self.world.size} processes" if self.world.size > 1 else ""
        return f"{where}{threads}, {self.precision}{together}"


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
        float(torch.ones(1, device=resolved))  # there are devices without numbers: meta
    except (RuntimeError, AssertionError, ImportError) as error:
        reason = str(error).splitlines()[0].split(". ")[0]
        raise ConfigError(f"--device {device}: not usable here ({reason}); try --device cpu") from error
    keep_memory()
    if precision == "auto":
        precision = "bf16" if _faster_in_bf16(resolved) else "fp32"
    if precision not in get_args(Precision):
        raise ConfigError(f"--precision {precision}: unknown; use auto, bf16 or fp32")
    return Compute(resolved, precision, threads=free_cores() if resolved.type == "cpu" else None)  # type: ignore[arg-type]


def launch(device: str = "auto", precision: str = "auto", *, devices: int = 1, nodes: int = 1) -> Compute:
    """As :func:`choose_compute`, for several devices.

    Started plainly, this process starts the others with its own command line; under torchrun or SLURM they are there already
    and are found by their environment. From here on only the first one reports.

    Args:
        device: as there; the kind of all devices.
        precision: as there; the first process decides for all where it is ``auto``.
        devices: processes on this host.
        nodes: hosts.

    Raises:
        ConfigError: as there; lightning-fabric is not installed, devices are fewer than wanted, nothing says which host this is.
    """
    started = "TORCHELASTIC_RUN_ID" in os.environ
    if devices < 1 or nodes < 1:
        raise ConfigError(f"--devices {devices}, --nodes {nodes}: must be 1 or more")
    if devices * nodes == 1 and not started:
        return choose_compute(device, precision)
    if nodes > 1 and not (started or "SLURM_NTASKS" in os.environ or "MASTER_ADDR" in os.environ):
        raise ConfigError(
            f"--nodes {nodes}: nothing says which host this is; start the command with srun or torchrun, or set MASTER_ADDR, "
            f"MASTER_PORT and NODE_RANK on each"
        )
    try:
        from lightning_fabric import Fabric
        from lightning_fabric.strategies.ddp import DDPStrategy
    except ImportError as error:
        raise ConfigError("--devices: needs lightning-fabric; pip install 'faceaug[multi]'") from error
    if precision == "auto" and os.environ.get(_DECIDED):
        precision = os.environ[_DECIDED]
    alone = choose_compute(device, precision)
    os.environ[_DECIDED] = alone.precision  # processes that this one starts inherit it
    if alone.device.type == "cuda" and not started and torch.cuda.device_count() < devices:
        raise ConfigError(f"--devices {devices}: there are {torch.cuda.device_count()} GPUs here; choose fewer")
    if alone.device.type == "cpu":
        torch.set_num_threads(max(torch.get_num_threads() // devices, 1))
    # Others may wait long for the first one, which prepares the data for all.
    strategy = DDPStrategy(timeout=datetime.timedelta(days=1))
    fabric: Any = Fabric(
        accelerator="gpu" if alone.device.type == "cuda" else alone.device.type,
        devices=int(os.environ["LOCAL_WORLD_SIZE"]) if started else devices,
        num_nodes=nodes,
        strategy=strategy,
    )
    fabric.launch()
    if fabric.global_rank > 0:
        be_quiet()
    return Compute(fabric.device, alone.precision, World(fabric.global_rank, fabric.world_size))


_DECIDED = "FACEAUG_PRECISION"


@functools.cache
def keep_memory() -> None:
    """Let the process keep the memory that it frees, where the C library is glibc.

    By default every large tensor is mapped anew, and the kernel fills each of its pages with zeros at the first touch: a fifth of
    a parser's training step on two cores. The peak does not change, but is held until the process ends.
    """
    if not sys.platform.startswith("linux"):
        return
    with contextlib.suppress(AttributeError, OSError):  # another C library has no mallopt
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(_M_MMAP_THRESHOLD, 2**30)
        mallopt(_M_TRIM_THRESHOLD, 2**31 - 1)


# From malloc.h.
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3


def peak_memory(device: torch.device) -> int:
    """MiB at most so far: of the GPU's memory, or of the whole process on a CPU."""
    if device.type == "cuda":
        return int(torch.cuda.max_memory_allocated(device) // 2**20)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # KiB, on macOS bytes
    return int(peak // (2**20 if sys.platform == "darwin" else 2**10))


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

    A CPU that supports bf16 is not always faster in it: with AMX or on AMD's cores it is twice as fast, on Intel's without AMX
    1.6 times slower.
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
