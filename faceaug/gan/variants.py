"""Which system is trained: the framework, what the paper takes away from it, and what it compares it with."""

from __future__ import annotations

from faceaug.gan.ablations import GlobalSetting, LocalSetting
from faceaug.gan.config import GeneratorConfig
from faceaug.gan.generator import Framework
from faceaug.gan.network import GeneratorNetwork
from faceaug.gan.peers import BicycleGan, Pix2PixHD

_BUILD: dict[str, type[GeneratorNetwork]] = {
    "full": Framework,
    "local": LocalSetting,
    "global": GlobalSetting,
    "pix2pixhd": Pix2PixHD,
    "bicyclegan": BicycleGan,
}


def build_generator(config: GeneratorConfig) -> GeneratorNetwork:
    """A fresh network of ``config.variant``."""
    return _BUILD[config.variant](config)  # type: ignore[call-arg]
