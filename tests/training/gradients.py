"""Gradients of a policy under losses that are added up, and whether two ways give the same."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from avatar_core.algo.losses import LossTerms
from avatar_core.config.train import TrainConfig
from avatar_core.models.policy import Policy
from avatar_core.models.qwen_omni import QwenOmniPolicy
from avatar_core.training.update import Part, loss_terms, score_parts

TOLERANCE = 2e-6
"""Of the norm. Two ways to one update sum float32 in another order: 1.1e-6 was measured."""


class Gradients(NamedTuple):
    loss: float
    values: list[Tensor]


def gradients_of(policy: QwenOmniPolicy, losses: Iterable[Tensor]) -> Gradients:
    """Backpropagate the losses one after the other; the policy is left without gradients."""
    total = 0.0
    for loss in losses:
        loss.backward()
        total += float(loss.detach())
    found = [torch.zeros_like(p) if p.grad is None else p.grad.clone() for p in policy.parameters()]
    for parameter in policy.parameters():
        parameter.grad = None
    return Gradients(total, found)


def same_gradients(one: Gradients, other: Gradients) -> bool:
    """Whether they differ by at most `TOLERANCE`, and are gradients at all."""
    differences = [a - b for a, b in zip(one.values, other.values, strict=True)]
    norm = float(torch.nn.utils.get_total_norm(one.values))
    assert norm > 1e-3
    assert sum(bool((value != 0).any()) for value in one.values) > 50
    return float(torch.nn.utils.get_total_norm(differences)) <= TOLERANCE * norm


def update_loss(policy: Policy, parts: Sequence[Part], config: TrainConfig) -> LossTerms:
    """The loss over all completions of some parts in one piece."""
    return loss_terms(score_parts(policy, parts, config), config)
