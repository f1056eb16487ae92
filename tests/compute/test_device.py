import subprocess
import sys

import pytest
import torch

from faceaug.compute import device
from faceaug.compute.device import Compute, choose_compute
from faceaug.errors import ConfigError


def test_names():
    assert choose_compute("cpu", "fp32") == Compute(torch.device("cpu"), "fp32")
    assert choose_compute("cpu", "auto").precision in ("bf16", "fp32")
    with pytest.raises(ConfigError, match="--device gpu"):
        choose_compute("gpu", "auto")
    with pytest.raises(ConfigError, match="--precision fp8: unknown"):
        choose_compute("cpu", "fp8")


def test_bf16_computes_products_in_bf16_and_keeps_weights():
    compute = Compute(torch.device("cpu"), "bf16")
    layer = compute.module(torch.nn.Conv2d(3, 4, 3))
    with compute.autocast():
        assert layer(compute.image(torch.zeros(1, 3, 8, 8))).dtype == torch.bfloat16
    assert layer.weight.dtype == torch.float32
    assert layer.weight.is_contiguous(memory_format=torch.channels_last)


@pytest.mark.parametrize(("gain", "precision"), [(0.6, "fp32"), (2.0, "bf16")])
def test_auto_takes_what_is_measured_to_be_faster(monkeypatch, gain, precision):
    monkeypatch.setattr(device.torch.cpu, "_is_avx512_bf16_supported", lambda: True)
    monkeypatch.setattr(device, "_measured_gain", lambda: gain)
    assert choose_compute("cpu", "auto").precision == precision


def test_without_the_instructions_nothing_is_measured(monkeypatch):
    for name in ("_is_avx512_bf16_supported", "_is_amx_tile_supported"):
        monkeypatch.setattr(device.torch.cpu, name, lambda: False)
    monkeypatch.setattr(device, "_measured_gain", lambda: pytest.fail("measured"))
    assert choose_compute("cpu", "auto").precision == "fp32"


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="glibc's setting")
def test_large_tensors_do_not_come_from_new_pages_every_time():
    script = (
        "import resource, torch\n"
        "from faceaug.compute.device import choose_compute\n"
        "choose_compute('cpu', 'fp32')\n"
        "faults = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_minflt\n"
        "for _ in range(20): torch.empty(2**24).fill_(1)\n"
        "before = faults()\n"
        "for _ in range(20): torch.empty(2**24).fill_(1)\n"
        "print(faults() - before)\n"
    )
    printed = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    assert int(printed) < 10 * 2**26 / 4096  # each of the twenty has 16,384 pages; now and then the heap finds a new place


@pytest.mark.parametrize("name", ["meta", "hpu", "vulkan", "cuda:77", ""])
def test_devices_that_cannot_compute_here_are_one_line(name):
    with pytest.raises(ConfigError, match=f"--device {name}: not usable here .*; try --device cpu") as caught:
        choose_compute(name, "fp32")
    assert "\n" not in str(caught.value)
