"""A baseline for each prompt that outlives its group: remembered rewards and the group's others.

The memory of a prompt is a weighted mean of its rewards and their weight, which fades while the
policy moves on. A completion is compared with that and with the others of its group at once. So a
small group has a good baseline once its prompt is known, and a group of equal rewards still teaches
when its prompt used to earn other ones.

A memory lives between steps, so it is plain numbers; groups are compared as tensors.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import fsum
from typing import Literal, NamedTuple

import torch
from torch import Tensor

from avatar_core.algo.checks import require_floating, require_rank, require_shape, working_dtype


class Memory(NamedTuple):
    """What is remembered of a prompt's rewards."""

    mean: float = 0.0
    """m, their weighted mean."""
    weight: float = 0.0
    """N, sum of the weights: how many rewards of now the remembered ones are worth."""
    step: int = 0
    """Optimiser step for which the weights hold."""


def faded(memory: Memory, step: int, forgetting: float) -> Memory:
    """Give what is left of a memory at a later step.

        N ← γᵈ N      d = steps since

    The mean stays, its weight fades. A step that is not later changes nothing.

    Args:
        memory: m, N and their step.
        step: optimiser step of now.
        forgetting: γ in (0, 1]; 1 never forgets.

    >>> faded(Memory(mean=0.5, weight=4.0, step=10), 12, 0.5)
    Memory(mean=0.5, weight=1.0, step=12)
    """
    if step <= memory.step:
        return memory
    return Memory(memory.mean, forgetting ** (step - memory.step) * memory.weight, step)


def remembered(memory: Memory, rewards: Sequence[float], step: int, forgetting: float) -> Memory:
    """Take the rewards of a visit into a memory, each with weight 1.

        N ← γᵈ N + n,   m ← m + Σⱼ (Rⱼ − m) / N

    Rewards that are all equal to m leave it as it is, to the last bit. No rewards change nothing.

    Args:
        memory: of the prompt so far; `Memory()` when it is new.
        rewards: R, the scored rewards of the visit, finite.
        step: its optimiser step.
        forgetting: γ; see `faded`.

    >>> remembered(Memory(mean=0.5, weight=4.0, step=10), [1.0, 1.0, 0.5], 12, 0.5)
    Memory(mean=0.75, weight=4.0, step=12)
    """
    if not rewards:
        return memory
    old = faded(memory, step, forgetting)
    # The first reward of a new prompt stands in for the mean, so that equal ones keep its bits.
    mean = old.mean if old.weight > 0 else rewards[0]
    weight = old.weight + len(rewards)
    return Memory(mean + fsum(reward - mean for reward in rewards) / weight, weight, old.step)


def shrinkage_gaps(
    rewards: Tensor, scored: Tensor, means: Tensor, weights: Tensor, *, strength: float
) -> Tensor:
    """Compare each completion with what it could have been expected to earn, its own reward apart.

        Rᵢ − bᵢ      bᵢ = (N m + κ Σⱼ≠ᵢ Rⱼ) / (N + κ (n − 1))

    over the n scored members of the group. The baseline bᵢ is the mean of the others, shrunk
    towards the memory by λ = N / (N + κ (n − 1)): the posterior mean of the prompt's reward when
    one reward of now is worth κ remembered ones. Since it holds nothing of Rᵢ, the policy gradient
    stays unbiased. Leaving one out is RLOO (arXiv 2402.14740), a value that lasts is SPO
    (arXiv 2509.13232).

    Without memory (N = 0) the baseline is the mean of the others, for a group of one it is m; with
    neither, the gap is 0. Equal rewards that the memory expects, or that meet none, give exactly 0:
    it is computed as (N (Rᵢ − m) + κ Σⱼ (Rᵢ − Rⱼ)) / (N + κ (n − 1)).

    Args:
        rewards: R, floating [N, G]; anything, NaN too, where not scored.
        scored: boolean [N, G].
        means: m of each group's prompt, floating [N].
        weights: N of each group's prompt now, floating [N].
        strength: κ > 0.

    Returns:
        R − b, [N, G] in float64; 0 where not scored.
    """
    _check(rewards, scored, means, weights, strength)
    known = torch.where(scored, rewards, 0.0).double()
    pairs = scored[:, :, None] & scored[:, None, :]
    differences = torch.where(pairs, known[:, :, None] - known[:, None, :], 0.0).sum(dim=2)
    evidence = _evidence(scored, weights, strength)
    surprise = weights.double()[:, None] * (known - means.double()[:, None])
    gaps = (surprise + strength * differences) / torch.where(evidence > 0, evidence, 1.0)[:, None]
    return torch.where(_compared(scored, evidence), gaps, 0.0)


def shrinkage_advantages(
    rewards: Tensor,
    scored: Tensor,
    means: Tensor,
    weights: Tensor,
    *,
    strength: float,
    scale: Literal["std", "none"] = "std",
    floor: float = 0.1,
) -> Tensor:
    """Turn the gaps of all groups of an update into advantages of one scale.

        Aᵢ = (Rᵢ − bᵢ) / max(σ, σ₀)      σ² = Σⱼ (Rⱼ − bⱼ)² / M

    over the M completions that have a baseline, see `shrinkage_gaps`. One σ for the update keeps
    groups comparable: divided by its own deviation, a group of nearly equal rewards would count as
    much as a divided one. The deviation is from 0 and not from the mean of the gaps, since an
    update in which everything goes better than expected should say so. Completions without score or
    baseline get 0. A scored reward that is not finite makes its whole group NaN at least, for the
    step to refuse.

    Args:
        rewards: R, floating [N, G]; anything, NaN too, where not scored.
        scored: boolean [N, G].
        means: m of each group's prompt, floating [N].
        weights: N of each group's prompt now, floating [N].
        strength: κ > 0; see `shrinkage_gaps`.
        scale: divide by max(σ, σ₀), or only subtract the baseline.
        floor: σ₀ > 0, in units of reward; bounds |A| by max |R − b| / σ₀.

    Returns:
        A, [N, G] in float32 (float64 for float64 rewards).
    """
    if not floor > 0:
        raise ValueError(f"floor is {floor}: pass a number above 0")
    if scale not in ("std", "none"):
        raise ValueError(f"scale is {scale!r}: pass 'std' or 'none'")
    gaps = shrinkage_gaps(rewards, scored, means, weights, strength=strength)
    if scale == "std":
        compared = _compared(scored, _evidence(scored, weights, strength)).sum()
        deviation = (gaps.square().sum() / compared.clamp(min=1)).sqrt()
        gaps = gaps / torch.where(deviation < floor, floor, deviation)
    return gaps.to(working_dtype(rewards))


def _evidence(scored: Tensor, weights: Tensor, strength: float) -> Tensor:
    """N + κ (n − 1) of each group, [N] in float64: the weight that a baseline rests on."""
    return weights.double() + strength * (scored.double().sum(dim=1) - 1)


def _compared(scored: Tensor, evidence: Tensor) -> Tensor:
    """Which completions have a baseline, boolean [N, G]."""
    return scored & (evidence > 0)[:, None]


def _check(
    rewards: Tensor, scored: Tensor, means: Tensor, weights: Tensor, strength: float
) -> None:
    require_rank("rewards", rewards, 2)
    require_floating("rewards", rewards)
    require_shape("scored", scored, rewards.shape)
    if scored.dtype != torch.bool:
        raise TypeError(f"scored has dtype {scored.dtype}: pass a boolean tensor")
    for name, values in (("means", means), ("weights", weights)):
        require_floating(name, values)
        require_shape(name, values, rewards.shape[:1])
    if not strength > 0:
        raise ValueError(f"strength is {strength}: pass a number above 0")
