"""Parser and generator as modules from bytes to bytes: what comes before and after the network is inside of them.

What they compute is what :mod:`faceaug.parser.predict` and :mod:`faceaug.gan.inference` compute; :mod:`faceaug.export.check`
compares each exported file with those.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from faceaug.gan.components import anatomy
from faceaug.gan.network import GeneratorNetwork, Look
from faceaug.parser.confidence import expected_f1
from faceaug.parser.network import FloatOnCpu, fold_batch_norm
from faceaug.parser.predict import Parser


class ParserGraph(nn.Module):
    """Photos of any size to label maps.

    Args:
        parser: on the CPU.
        both_ways: average the probabilities of photo and mirror image, as :func:`~faceaug.parser.predict.predict_both_ways`.
    """

    def __init__(self, parser: Parser, *, both_ways: bool) -> None:
        super().__init__()
        self.network = _plain(fold_batch_norm(parser.network))
        self.size, self.both_ways = parser.config.size, both_ways
        self.mirror = list(parser.config.scheme.mirror)

    def forward(self, photo: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Label maps, confidence, and what they follow from.

        Args:
            photo: ``(N, H, W, 3)`` uint8 RGB, aligned faces.

        Returns:
            ``(N, H, W)`` uint8 label maps; ``(N,)`` float32, 0..1: the mean F1 that the parser expects of them; ``(N, K, H, W)``
            float32: logits, or both ways probabilities.
        """
        count, height, width, _ = photo.shape
        images = _image(photo)
        small = F.interpolate(images, (self.size, self.size), mode="bilinear", antialias=True)
        if self.both_ways:
            small = torch.cat([small, small.flip(-1)])
        scores = F.interpolate(self.network(small), (height, width), mode="bilinear", antialias=True)
        likely = scores.softmax(1)
        if self.both_ways:
            scores = likely = (likely[:count] + likely[count:].flip(-1)[:, self.mirror]) / 2
        return likely.argmax(1).to(torch.uint8), expected_f1(likely), scores


class EncodeGraph(nn.Module):
    """Source faces to latent codes, once for any number of targets.

    Args:
        network: on the CPU, in eval mode.
    """

    def __init__(self, network: GeneratorNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, source: Tensor, source_labels: Tensor) -> Tensor:
        """``(N, S, S, 3)`` uint8 RGB and ``(N, S, S)`` uint8 to ``(N, K, C)`` float32; see :func:`_known` for the labels."""
        scheme = self.network.config.scheme
        codes: Tensor = self.network.encode(_image(source), anatomy(_known(source_labels, len(scheme)), scheme)).codes
        return codes


class GenerateGraph(nn.Module):
    """Codes and targets to generated faces.

    Args:
        network: on the CPU, in eval mode.
    """

    def __init__(self, network: GeneratorNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(
        self,
        codes: Tensor,
        target: Tensor,
        target_labels: Tensor,
        source: Tensor | None = None,
        source_labels: Tensor | None = None,
    ) -> tuple[Tensor, Tensor]:
        """Generated faces.

        Args:
            codes: ``(N, K, C)`` float32, from :class:`EncodeGraph`.
            target: ``(N, S, S, 3)`` uint8 RGB; only the background is seen.
            target_labels: ``(N, S, S)`` uint8; see :func:`_known`.
            source: the photos that the codes are of, for networks that use their pixels.
            source_labels: likewise.

        Returns:
            ``(N, S, S, 3)`` uint8 RGB, and the same before rounding: ``(N, 3, S, S)`` float32 in [-1, 1].
        """
        scheme = self.network.config.scheme
        look = Look(codes)
        if source is not None and source_labels is not None:
            look = Look(codes, _image(source), anatomy(_known(source_labels, len(scheme)), scheme))
        pixels = self.network.generate(look, _image(target), _known(target_labels, len(scheme)))
        photo = pixels.add(1.0).mul(127.5).round().clamp(0, 255).to(torch.uint8).permute(0, 2, 3, 1)
        return photo, pixels


def _image(photo: Tensor) -> Tensor:
    """:func:`faceaug.tensors.to_float` of a tensor."""
    return photo.permute(0, 3, 1, 2).float() / 127.5 - 1.0


def _known(labels: Tensor, classes: int) -> Tensor:
    """Label maps as int64; what is no class (255) is background, where the target's own pixels are kept.

    :class:`~faceaug.gan.inference.Generator` gives such pixels their nearest class by OpenCV's distance transform, which no graph
    has: :func:`faceaug.labels.fill_ignored` before the graph does the same.
    """
    index = labels.long()
    return torch.where(index < classes, index, 0)


def _plain(network: nn.Module) -> nn.Module:
    """The convolutions of a copy made torch's own: the autocast that some enter is no part of a graph."""
    for layer in network.modules():
        if isinstance(layer, FloatOnCpu):
            layer.__class__ = nn.Conv2d  # type: ignore[assignment]
    return network
