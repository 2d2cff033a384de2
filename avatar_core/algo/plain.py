"""The formulas on plain numbers, for callers that read records and hold no tensors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import torch

from avatar_core.algo.advantages import group_advantages, vcrs_advantages
from avatar_core.algo.tas import TasShape, tas_weights


def group_values(
    rewards: Sequence[float | None], *, eps: float, scale: Literal["std", "none"]
) -> list[float]:
    """`group_advantages` of one group.

    Args:
        rewards: R of each member; `None` where not scored, which gives 0.
        eps: ε ≥ 0, added to σ.
        scale: divide by σ + ε, or only centre.
    """
    values = torch.tensor([[0.0 if reward is None else reward for reward in rewards]])
    scored = torch.tensor([[reward is not None for reward in rewards]], dtype=torch.bool)
    return group_advantages(values, scored, eps=eps, scale=scale)[0].tolist()


def vcrs_values(
    rewards: Sequence[float],
    baselines: Sequence[float],
    *,
    alpha: float,
    scale: Literal["batch", "none"],
) -> list[float]:
    """`vcrs_advantages` of the completions of one update.

    Args:
        rewards: R of each completion.
        baselines: R̄ of each completion's prompt.
        alpha: α ≥ 0, weight of the result.
        scale: divide by the deviation of the rewards, or only subtract the baseline.
    """
    values, means = torch.tensor(list(rewards)), torch.tensor(list(baselines))
    return vcrs_advantages(values, means, alpha=alpha, scale=scale).tolist()


def token_weights(
    tokens: int, lam: float, *, shape: TasShape, normalize: bool = False
) -> list[float]:
    """`tas_weights` of one completion.

    Args:
        tokens: its length, at least 0.
        lam: λ ≥ 0, finite.
        shape: curve of the weights.
        normalize: divide by the mean weight.
    """
    mask = torch.ones(1, tokens, dtype=torch.bool)
    return tas_weights(mask, lam, shape=shape, normalize=normalize)[0].tolist()
