"""What the framework and all systems it is compared with have in common: sources to codes, codes and targets to faces."""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from faceaug.gan.config import GeneratorConfig
from faceaug.labels import BACKGROUND


@dataclass(frozen=True)
class Look:
    """What a network knows of source faces.

    Attributes:
        codes: ``(N, K, C)`` float32 latent codes.
        image: ``(N, 3, S, S)`` float in [-1, 1]: the photos, of networks that use their pixels; else None.
        anatomy: ``(N, S, S)`` uint8: which part of the face each pixel is, likewise.
        known: ``(N, S, S)`` bool: pixels that may be used; all where None.
        owner: ``(N, 5)`` int64: of a look mixed from M people, whose each component is; None where all are one person's. Photos
            and anatomies have a second axis of M then.
    """

    codes: Tensor
    image: Tensor | None = None
    anatomy: Tensor | None = None
    known: Tensor | None = None
    owner: Tensor | None = None

    def __len__(self) -> int:
        return len(self.codes)

    def map(self, function: Callable[[Tensor], Tensor]) -> Look:
        """Every tensor changed by a function."""
        return dataclasses.replace(self, **{name: function(value) for name, value in vars(self).items() if value is not None})

    def __getitem__(self, rows: Any) -> Look:
        return self.map(lambda tensor: tensor[rows])

    @classmethod
    def join(cls, looks: Sequence[Look]) -> Look:
        """Several in a row; all of one network."""
        rows = [vars(look) for look in looks]
        known = [name for name, value in rows[0].items() if value is not None]
        return cls(**{name: torch.cat([row[name] for row in rows]) for name in known})

    @classmethod
    def mix(cls, people: Sequence[Look], owner: Tensor) -> Look:
        """Looks whose components are of several people.

        Args:
            people: M looks of N faces each, of a network with a code for each component; none is a mixture.
            owner: ``(N, 5)`` int64, 0..M-1: whose each component is, in the order of :data:`faceaug.gan.components.COMPONENTS`.
        """
        codes = torch.stack([look.codes for look in people], 1)
        index = owner[:, None, :, None].expand(-1, 1, -1, codes.shape[-1])

        def beside(name: str) -> Tensor | None:
            found = [getattr(look, name) for look in people]
            return None if found[0] is None else torch.stack(found, 1)

        return cls(codes.gather(1, index)[:, 0], beside("image"), beside("anatomy"), beside("known"), owner)


class GeneratorNetwork(nn.Module, ABC):
    """A generator of the comparison.

    Attributes:
        config: its shape.
        paired_only: trained on reconstructions alone, without unpaired steps.
        sampled: in use its codes are drawn from a standard normal distribution instead of being encoded from sources.
    """

    config: GeneratorConfig
    paired_only = False
    sampled = False

    @abstractmethod
    def encode(self, images: Tensor, anatomies: Tensor) -> Look:
        """The look of source faces, ``(N, 3, S, S)`` float32 in [-1, 1] with anatomies ``(N, S, S)`` uint8."""

    @abstractmethod
    def generate(self, look: Look, images: Tensor, labels: Tensor) -> Tensor:
        """Faces with a look on the targets' label maps, of ``config.scheme``, and backgrounds: ``(N, 3, S, S)`` in [-1, 1]."""

    def embed(
        self, images: Tensor, anatomies: Tensor, guides: Tensor, noise: Tensor, *, paired: bool
    ) -> tuple[Look, dict[str, Tensor]]:
        """The look of a training batch's sources, and the terms of the loss that come with it.

        Args:
            images: ``(N, 3, S, S)`` float32 sources in [-1, 1].
            anatomies: ``(N, S, S)`` uint8.
            guides: ``(N, S, S)`` uint8: anatomies of other faces, for paired steps.
            noise: ``(N, 64)`` float32, standard normal.
            paired: whether the sources are the targets.
        """
        return self.encode(images, anatomies), {}

    def read_back(self, picture: Tensor, labels: Tensor, codes: Tensor, *, paired: bool) -> dict[str, Tensor]:
        """Terms of the loss that look at the generated picture through the network's own networks."""
        return {}

    def forward(self, source: Tensor, source_anatomy: Tensor, target: Tensor, target_labels: Tensor) -> Tensor:
        """G(x_s, m_s, x_t, m_t); shapes as in :meth:`encode` and :meth:`generate`."""
        return self.generate(self.encode(source, source_anatomy), target, target_labels)


def paste_background(face: Tensor, images: Tensor, anatomies: Tensor) -> Tensor:
    """The targets' own pixels where they are kept (settings 1 and 2 of Section 4.1), the generated ones elsewhere."""
    return torch.where((anatomies == BACKGROUND)[:, None], images.to(face.dtype), face)
