"""Which discriminators see what is wrong with a generator's faces, while it stands still: what each could tell a GAN."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from torch import Tensor, nn

from faceaug.config import check, to_dict
from faceaug.evaluate.two_sample import TwoSampleConfig, two_sample_auc
from faceaug.files import write_json
from faceaug.gan.discriminator import Judgement, PatchDiscriminator, ProjectedDiscriminator
from faceaug.gan.features import ImageNetFeatures
from faceaug.gan.inference import Generator
from faceaug.generate.plan import plan_pairs
from faceaug.labels import check_schemes
from faceaug.prepare.faces import LabelledFaces
from faceaug.progress import say

from .worth import transfer


class OnPhotos(nn.Module):
    """A discriminator on features, from photos."""

    def __init__(self, classes: int) -> None:
        super().__init__()
        self.features = ImageNetFeatures()
        self.judge = ProjectedDiscriminator(self.features.channels, classes=classes)

    def forward(self, images: Tensor, condition: Tensor) -> list[Judgement]:
        """As :class:`~faceaug.gan.discriminator.PatchDiscriminator`."""
        judged: list[Judgement] = self.judge(self.features(images), condition)
        return judged


@dataclass(frozen=True)
class Row:
    """A discriminator and what it sees."""

    name: str
    build: Callable[[int], nn.Module] = field(repr=False)
    shifted: bool
    rate: float = 8e-4


def _patches(width: int, levels: int) -> Callable[[int], nn.Module]:
    return lambda classes: PatchDiscriminator(width, levels, classes=classes)


ROWS = (
    Row("patches of 16 px, width 16, shifted", _patches(16, 1), True),
    Row("patches of 16 px, width 64, shifted", _patches(64, 1), True),
    Row("patches of 70 px, width 32, shifted", _patches(32, 3), True),
    Row("patches of 70 px, width 32, shifted, 4 times the rate", _patches(32, 3), True, 3.2e-3),
    Row("patches of 70 px, width 32, in place", _patches(32, 3), False),
    Row("projected features, shifted", OnPhotos, True),
    Row("projected features, in place", OnPhotos, False),
)
"""Compared; the first was the default's, the one but last is."""


@dataclass(frozen=True)
class DiscriminatorBench:
    """How long each trains, and on what."""

    steps: int = 150
    """Steps of 8 photos and 8 generated faces."""
    masks: int = 600
    """Photos whose masks are generated on, two faces each."""
    rounds: int = 200
    """Bootstrap resamples of the intervals."""

    def __post_init__(self) -> None:
        check(
            {
                f"--steps {self.steps}: must be 1 or more": self.steps < 1,
                f"--masks {self.masks}: must be 10 or more": self.masks < 10,
            }
        )


def bench_discriminators(
    out: Path | None,
    targets: LabelledFaces,
    sources: LabelledFaces,
    generator: Generator,
    bench: DiscriminatorBench,
    *,
    record: dict[str, Any],
) -> dict[str, Any]:
    """Train each of :data:`ROWS` on photos against the generator's faces on their masks.

    Args:
        out: JSON file for the result; None keeps none.
        targets: labelled faces.
        sources: photos with label maps.
        generator: stands still.
        bench: how long.
        record: what else to keep.

    Raises:
        CheckpointMismatch: label schemes differ.
        OutputError: the file cannot be written.
    """
    check_schemes("bench-discriminators", faces=targets.scheme, generator=generator.config.scheme)
    some = targets.select(range(min(bench.masks, len(targets))))
    plan = plan_pairs(some, sources, per_mask=2, mode="any", seed=0)
    generated = transfer(generator, some, sources, plan)
    rows = {}
    for row in ROWS:
        config = TwoSampleConfig(steps=bench.steps, rate=row.rate, shifted=row.shifted)
        rows[row.name] = two_sample_auc(
            np.asarray(some.images),
            some.labels,
            generated,
            plan.target,
            config,
            generator.compute,
            scheme=some.scheme,
            rounds=bench.rounds,
            build=row.build,
        )
        say(f"{row.name}: AUC {rows[row.name]['value']:.3f}, loss {rows[row.name]['losses'][-1]:.3f} of 1.386")
    result = {
        **record,
        "bench": to_dict(bench),
        "generator": generator.hash,
        "data": some.title,
        "compute": str(generator.compute),
        "rows": rows,
    }
    if out is not None:
        write_json(out, result)
    return result


def table(result: dict[str, Any]) -> pd.DataFrame:
    """Rows by area under the curve and loss at the end."""
    rows = {
        name: {
            "AUC on unseen masks": f"{row['value']:.3f} [{row['low']:.3f}, {row['high']:.3f}]",
            "loss (chance 1.386)": f"{row['losses'][0]:.3f} -> {row['losses'][-1]:.3f}",
        }
        for name, row in result["rows"].items()
    }
    return pd.DataFrame.from_dict(rows, orient="index")
