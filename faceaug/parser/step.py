"""One training step of a parser: class-balanced cross-entropy (Eq. 7), AdamW with a slower encoder."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from faceaug.compute.device import Compute
from faceaug.parser.config import ParserConfig, ParserTraining
from faceaug.parser.losses import balanced_cross_entropy
from faceaug.training.graphs import GraphedStep, rates_on, set_rate


class ParserStep:
    """Trains a network in place, a batch at a time.

    Args:
        network: left in training mode by every step.
        parser: its shape.
        training: rates and weight decay.
        weights: ``(K,)`` of the classes, on the device.
        compute: device and precision.
    """

    def __init__(
        self, network: nn.Module, parser: ParserConfig, training: ParserTraining, weights: Tensor, compute: Compute
    ) -> None:
        self._network, self._weights, self._compute = network, weights, compute
        on_gpu = compute.device.type == "cuda"
        self._optimiser = torch.optim.AdamW(parameter_groups(network, parser, training), fused=True, capturable=on_gpu)
        rates_on(self._optimiser, compute.device)
        self._step = GraphedStep(self._train, lambda: self._optimiser.zero_grad(set_to_none=True))

    def __call__(self, images: Tensor, labels: Tensor, rows: Tensor | None = None, *, rate: float) -> Tensor:
        """Train on a batch.

        Args:
            images: ``(N, 3, S, S)`` float32 in [-1, 1].
            labels: ``(N, S, S)`` uint8 of the scheme, or 255.
            rows: ``(N,)`` float32 weights of the faces; all alike where None.
            rate: the decoder's learning rate.

        Returns:
            The loss, a detached scalar on the device.
        """
        self._network.train()
        set_rate(self._optimiser, [rate * group["ratio"] for group in self._optimiser.param_groups])
        weighted = () if rows is None else (rows.to(self._compute.device),)
        return self._step(self._compute.image(images), labels.to(self._compute.device, torch.int64), *weighted)

    def _train(self, images: Tensor, labels: Tensor, rows: Tensor | None = None) -> Tensor:
        with self._compute.autocast():
            logits = self._network(images)
        loss = balanced_cross_entropy(logits.float(), labels, self._weights, rows)
        self._optimiser.zero_grad(set_to_none=True)
        torch.autograd.backward([loss])
        self._optimiser.step()
        return loss

    def state_dict(self) -> dict[str, Any]:
        """The optimiser's."""
        return self._optimiser.state_dict()

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on with an optimiser's state."""
        self._optimiser.load_state_dict(state)
        for group in self._optimiser.param_groups:
            group["capturable"] = self._compute.device.type == "cuda"  # the state may come from another device
        rates_on(self._optimiser, self._compute.device)


def parameter_groups(network: nn.Module, parser: ParserConfig, training: ParserTraining) -> list[dict[str, Any]]:
    """AdamW's groups: a pretrained encoder moves slower (``ratio``), and only matrices and kernels decay."""
    groups = []
    for encoder in (True, False):
        for decays in (True, False):
            chosen = [
                weight
                for name, weight in network.named_parameters()
                if name.startswith("encoder.") == encoder and (weight.ndim > 1) == decays
            ]
            ratio = training.encoder_ratio if encoder and parser.pretrained else 1.0
            groups.append({"params": chosen, "weight_decay": training.weight_decay if decays else 0.0, "ratio": ratio})
    return groups
