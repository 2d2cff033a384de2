from __future__ import annotations

import math
from collections.abc import Iterator

import pytest
import torch
from torch import Tensor

from avatar_core.config.train import OptimConfig
from avatar_core.training.optimiser import make_optimiser
from avatar_core.training.step import NOT_TAKEN, learning_rate, take_step


def test_the_learning_rate_by_hand() -> None:
    # 10 steps, W = ⌈0.25 · 10⌉ = 3: rise by thirds, then ½(1 + cos π(s − 3)/8) for s = 4 … 10.
    config = OptimConfig(lr=0.6, warmup=0.25, schedule="cosine")
    rates = [learning_rate(step, 10, config) for step in range(1, 11)]
    assert rates[:3] == pytest.approx([0.2, 0.4, 0.6])
    assert rates[6] == pytest.approx(0.6 * 0.5)  # s = 7: cos π/2 = 0
    assert rates[4] == pytest.approx(0.6 * 0.5 * (1 + math.sqrt(0.5)))  # s = 5: cos π/4
    assert rates[9] == pytest.approx(0.6 * 0.5 * (1 + math.cos(math.pi * 7 / 8)))
    assert 0 < rates[9] < rates[8]


def test_a_constant_rate_after_warm_up_and_none_without() -> None:
    config = OptimConfig(lr=0.6, warmup=0.25, schedule="constant")
    assert [learning_rate(step, 10, config) for step in (1, 3, 4, 10)] == pytest.approx(
        [0.2, 0.6, 0.6, 0.6]
    )
    config = OptimConfig(lr=0.6, warmup=0.0, schedule="constant")
    assert learning_rate(1, 10, config) == 0.6


def trained() -> tuple[torch.nn.Parameter, torch.optim.AdamW]:
    """A parameter and its optimiser after one good step, so that there are moments to lose."""
    weight = torch.nn.Parameter(torch.tensor([1.0, -2.0, 3.0]))
    optimiser = make_optimiser([weight], OptimConfig(lr=0.1, weight_decay=0.01))
    assert take_step(optimiser, (weight**2).sum(), lr=0.1, max_norm=100.0).taken
    return weight, optimiser


def snapshot(weight: Tensor, optimiser: torch.optim.Optimizer) -> dict[str, bytes]:
    state = optimiser.state[weight]
    return {"weight": weight.detach().numpy().tobytes()} | {
        name: value.numpy().tobytes() for name, value in state.items()
    }


def nan_loss(weight: Tensor) -> Tensor:
    return (weight * math.nan).sum()


def infinite_loss(weight: Tensor) -> Tensor:
    return (weight * 1e38).exp().sum()


def nan_gradient(weight: Tensor) -> Tensor:
    # √0 = 0, but its derivative times that of 0 · w is ∞ · 0.
    return (weight * 0.0).sqrt().sum() + weight.sum()


def infinite_gradient(weight: Tensor) -> Tensor:
    # √(w − w) differs from the above in that the derivatives are ∞ and −∞ before they meet.
    return (
        weight.sum()
        + torch.where(weight > 2, weight * 0.0 + (weight - weight.detach()), 0.0)[2].sqrt()
    )


@pytest.mark.parametrize("loss", [nan_loss, infinite_loss, nan_gradient, infinite_gradient])
def test_a_number_that_is_not_finite_changes_nothing(loss: object) -> None:
    weight, optimiser = trained()
    before = snapshot(weight, optimiser)
    assert set(before) == {"weight", "exp_avg", "exp_avg_sq", "step"}
    outcome = take_step(optimiser, loss(weight), lr=0.5, max_norm=1.0)  # type: ignore[operator]
    assert outcome == NOT_TAKEN
    assert snapshot(weight, optimiser) == before
    assert weight.grad is None
    # The next good step is the one that would have followed at once.
    other, its_optimiser = trained()
    for one, its in ((weight, optimiser), (other, its_optimiser)):
        assert take_step(its, (one**2).sum(), lr=0.1, max_norm=100.0).taken
    assert snapshot(weight, optimiser) == snapshot(other, its_optimiser)


def test_the_losses_above_are_of_both_kinds() -> None:
    weight = torch.nn.Parameter(torch.tensor([1.0, -2.0, 3.0]))
    finite = [
        bool(torch.isfinite(loss(weight)))
        for loss in (nan_loss, infinite_loss, nan_gradient, infinite_gradient)
    ]
    assert finite == [False, False, True, True]


def test_gradients_are_scaled_down_to_the_norm_and_no_further() -> None:
    # ∇ (3a + 4b) = (3, 4) of norm 5; plain descent shows the gradient that was used.
    for max_norm, change in ((2.5, 0.5), (5.0, 1.0), (100.0, 1.0)):
        weight = torch.nn.Parameter(torch.zeros(2))
        optimiser = torch.optim.SGD([weight], lr=9.0)
        loss = (weight * torch.tensor([3.0, 4.0])).sum()
        outcome = take_step(optimiser, loss, lr=0.1, max_norm=max_norm)
        assert outcome.grad_norm == pytest.approx(5.0)
        # clip_grads_with_norm_ divides by norm + 1e-6.
        assert weight.tolist() == pytest.approx([-0.3 * change, -0.4 * change], rel=1e-6)


def test_losses_in_parts_are_one_loss_and_come_one_at_a_time() -> None:
    whole, its_optimiser = trained()
    parts, optimiser = trained()
    alive: list[str] = []

    def losses() -> Iterator[Tensor]:
        for power in (2, 3):
            alive.append(f"made {power}, gradient {parts.grad is not None}")
            yield (parts**power).sum()

    one = take_step(its_optimiser, (whole**2).sum() + (whole**3).sum(), lr=0.1, max_norm=1.0)
    other = take_step(optimiser, losses(), lr=0.1, max_norm=1.0)
    assert one == other
    assert snapshot(whole, its_optimiser) == snapshot(parts, optimiser)
    assert alive == ["made 2, gradient False", "made 3, gradient True"]


def test_a_part_that_is_not_finite_ends_the_step() -> None:
    weight, optimiser = trained()
    before = snapshot(weight, optimiser)
    parts = iter([weight.sum(), nan_loss(weight), weight.sum()])
    assert take_step(optimiser, parts, lr=0.1, max_norm=1.0) == NOT_TAKEN
    assert len(list(parts)) == 1
    assert snapshot(weight, optimiser) == before
    assert weight.grad is None
