from __future__ import annotations

import copy
from typing import Any

import pytest
import torch

from avatar_core.config.train import OptimConfig
from avatar_core.models.qwen_omni import QwenOmniPolicy
from avatar_core.training.optimiser import make_optimiser, parameters_of
from avatar_core.training.step import take_step
from tests.models.prompts import tiny_policy

CONFIG = OptimConfig(method="muon", lr=0.1, beta2=0.95, weight_decay=0.01)


def parameters() -> list[torch.nn.Parameter]:
    torch.manual_seed(0)
    return [torch.nn.Parameter(torch.randn(shape)) for shape in ((6, 4), (4,), (3, 8), (5, 2))]


def descend(optimiser: torch.optim.Optimizer, weights: list[torch.nn.Parameter], lr: float) -> None:
    loss = sum(((weight - 1) ** 4).sum() for weight in weights)
    assert isinstance(loss, torch.Tensor)
    assert take_step(optimiser, loss, lr=lr, max_norm=1e9).taken


def test_matrices_follow_muon_and_the_rest_adamw_at_the_rate_of_the_step() -> None:
    together, apart = parameters(), parameters()
    # The last has two dimensions but is an embedding, say.
    one = make_optimiser(together, CONFIG, [together[0], together[2]])
    muon = torch.optim.Muon(
        [apart[0], apart[2]], lr=9.0, weight_decay=0.01, adjust_lr_fn="match_rms_adamw"
    )
    adamw = make_optimiser([apart[1], apart[3]], CONFIG.model_copy(update={"method": "adamw"}))
    assert isinstance(adamw, torch.optim.AdamW)
    for lr in (0.1, 0.05, 0.2):
        descend(one, together, lr)
        descend(muon, [apart[0], apart[2]], lr)
        descend(adamw, [apart[1], apart[3]], lr)
    for mine, other in zip(together, apart, strict=True):
        assert torch.equal(mine, other)


def test_the_first_update_of_a_matrix_is_orthogonal_and_as_large_as_one_of_adamw() -> None:
    # (6, 4): four directions of singular value near 1, times 0.2 √6; so a mean square of
    # 0.04 · 6 · 4 / 24 = 0.2², the size of updates that AdamW is known to make.
    weights = parameters()[:1]
    before = weights[0].detach().clone()
    config = OptimConfig(method="muon", lr=0.1, weight_decay=0.0)
    descend(make_optimiser(weights, config, weights), weights, 0.1)
    update = (before - weights[0].detach()) / 0.1
    values = torch.linalg.svdvals(update) / (0.2 * 6**0.5)
    # Five iterations leave singular values between 0.7 and 1.2.
    assert values.min() > 0.65
    assert values.max() < 1.25
    assert float(update.square().mean().sqrt()) == pytest.approx(0.2, rel=0.25)


def test_a_step_that_is_not_finite_keeps_the_state_of_both() -> None:
    weights = parameters()
    optimiser = make_optimiser(weights, CONFIG, [weights[0]])
    descend(optimiser, weights, 0.1)
    before = copy.deepcopy([optimiser.state[weight] for weight in weights])
    assert set(before[0]) == {"momentum_buffer"}
    assert set(before[1]) == {"step", "exp_avg", "exp_avg_sq"}
    assert not take_step(optimiser, weights[0].sum() * float("nan"), lr=0.1, max_norm=1.0).taken
    for kept, weight in zip(before, weights, strict=True):
        after: dict[str, Any] = optimiser.state[weight]
        assert all(torch.equal(value, after[name]) for name, value in kept.items())


def test_parameters_come_in_the_order_of_the_optimiser() -> None:
    first, second = torch.nn.Parameter(torch.zeros(1)), torch.nn.Parameter(torch.zeros(2))
    optimiser = torch.optim.SGD([{"params": [second]}, {"params": [first]}], lr=1.0)
    found = parameters_of(optimiser)
    assert len(found) == 2
    assert found[0] is second
    assert found[1] is first


def matrix_names(policy: QwenOmniPolicy) -> set[str]:
    wanted = {id(matrix) for matrix in policy.matrices()}
    return {name for name, one in policy.model.named_parameters() if id(one) in wanted}


def test_matrices_are_the_linear_layers_without_head_and_embeddings() -> None:
    policy = tiny_policy()
    found = matrix_names(policy)
    assert {part for name in found for part in ("visual", "audio_tower", "layers") if part in name}
    assert not [name for name in found if "embed" in name or "head" in name or "norm" in name]
    assert all(matrix.ndim == 2 for matrix in policy.matrices())
    # Every matrix of the language model's layers, both towers' and what joins them.
    assert len(found) > 50


def test_with_an_adapter_they_are_its_matrices_alone() -> None:
    policy = tiny_policy()
    policy.model.name_or_path = "tiny"
    policy.add_adapter(4, 8)
    assert len(matrix_names(policy)) == len(policy.parameters())
    # Nothing is left to AdamW, and the half that begins at zero gets a finite step.
    weights = policy.parameters()
    descend(make_optimiser(weights, CONFIG, policy.matrices()), weights, 0.1)
    assert all(bool(weight.isfinite().all()) for weight in weights)


def test_without_matrices_all_is_adamw_and_no_gradient_moves_nothing() -> None:
    weights, others = parameters(), parameters()
    plain = CONFIG.model_copy(update={"method": "adamw"})
    descend(make_optimiser(weights, CONFIG), weights, 0.1)
    descend(make_optimiser(others, plain), others, 0.1)
    for one, other in zip(weights, others, strict=True):
        assert torch.equal(one, other)
    before = weights[0].detach().clone()
    bare = OptimConfig(method="muon", lr=0.1)
    optimiser = make_optimiser(weights[:1], bare, weights[:1])
    assert take_step(optimiser, (weights[0] * 0).sum(), lr=0.1, max_norm=1.0).taken
    assert torch.equal(weights[0], before)
