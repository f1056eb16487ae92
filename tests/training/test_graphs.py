import pytest
import torch

from faceaug.training.graphs import WARM_UP, GraphedStep, rates_on, set_rate


def trained(device: str, *, graphed: bool) -> tuple[list[float], torch.Tensor]:
    """Losses and the final weight of eight steps, each with a rate and a batch of its own."""
    torch.manual_seed(0)
    layer = torch.nn.Linear(4, 1).to(device)
    optimiser = torch.optim.AdamW(layer.parameters(), fused=True, capturable=device == "cuda")
    rates_on(optimiser, torch.device(device))

    def compute(inputs: torch.Tensor, wanted: torch.Tensor) -> torch.Tensor:
        loss = (layer(inputs)[:, 0] - wanted).square().mean()
        optimiser.zero_grad(set_to_none=True)
        torch.autograd.backward([loss])
        optimiser.step()
        return loss

    step = GraphedStep(compute, lambda: optimiser.zero_grad(set_to_none=True))
    rng, losses = torch.Generator().manual_seed(1), []
    inputs, wanted = torch.empty(8, 4, device=device), torch.empty(8, device=device)
    for number in range(WARM_UP + 5):
        inputs.copy_(torch.randn(8, 4, generator=rng))  # the same tensors for every batch
        wanted.copy_(torch.randn(8, generator=rng))
        set_rate(optimiser, [0.01 * number])
        losses.append(step(inputs, wanted) if graphed else compute(inputs, wanted).detach())
    return [float(loss) for loss in losses], layer.weight.detach()


def test_a_step_computes_what_its_function_does():
    assert trained("cpu", graphed=True)[0] == trained("cpu", graphed=False)[0]


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_a_replayed_step_trains_as_a_computed_one():
    (losses, weight), (expected, wanted) = trained("cuda", graphed=True), trained("cuda", graphed=False)
    assert losses == pytest.approx(expected, rel=1e-5)
    assert torch.allclose(weight, wanted, rtol=1e-5)


def test_rates_on_a_cpu_stay_numbers():
    optimiser = torch.optim.AdamW(torch.nn.Linear(2, 2).parameters(), lr=0.5)
    rates_on(optimiser, torch.device("cpu"))
    set_rate(optimiser, [0.25])
    assert optimiser.param_groups[0]["lr"] == 0.25
