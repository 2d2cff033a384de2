"""Advantages from rewards: relative to the group for fresh completions, to the prompt for replayed.

Standard deviations are sample deviations (divisor n − 1), as in TRL and in the authors' trainer.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

import torch
from torch import Tensor

from avatar_core.algo.checks import require_floating, require_rank, require_shape, working_dtype


def no_signal(rewards: Tensor, scored: Tensor | None = None) -> Tensor:
    """Say which groups cannot teach anything: all scored rewards equal, or fewer than two scored.

    Decided by comparing rewards. Normalised advantages cannot tell: eight rewards of 0.1 in
    float32 have mean ≠ 0.1 by rounding, and normalising turns that into −7·10⁻⁵.

    Args:
        rewards: R, floating [N, G]; anything, NaN too, where not scored.
        scored: boolean [N, G]; `None` when every completion was scored.

    Returns:
        Boolean [N].
    """
    rewards, scored = _checked(rewards, scored)
    if rewards.shape[1] == 0:
        return torch.ones(len(rewards), dtype=torch.bool, device=rewards.device)
    highest = torch.where(scored, rewards, -torch.inf).amax(dim=1)
    lowest = torch.where(scored, rewards, torch.inf).amin(dim=1)
    # A group without scores has −∞ as highest and ∞ as lowest; with one score they are the same.
    return highest <= lowest


def group_advantages(
    rewards: Tensor,
    scored: Tensor | None = None,
    *,
    eps: float = 1e-4,
    scale: Literal["std", "none"] = "std",
) -> Tensor:
    """Compare each completion with the others of its prompt (GRPO).

        Aᵢ = (Rᵢ − μ) / (σ + ε)      μ = Σⱼ Rⱼ / n,   σ² = Σⱼ (Rⱼ − μ)² / (n − 1)

    over the n scored members of the group; `scale="none"` leaves the division out. AVATAR (arXiv
    2508.03100), its Eq. 1, and GRPO (arXiv 2402.03300); equation E1 of docs/paper_map.md.

    Equal rewards, and a group with one scored member, give exactly 0: see `no_signal`. Members
    without a score get 0 and enter neither μ nor σ. Rewards that differ by rounding alone stay
    small, since σ ≪ ε then; with ε = 0 they do not. A scored reward that is not finite makes its
    whole group NaN, for the step to refuse.

    Args:
        rewards: R, floating [N, G], one row per group; anything, NaN too, where not scored.
        scored: boolean [N, G]; `None` when every completion was scored.
        eps: ε ≥ 0, added to σ.
        scale: divide by σ + ε, or only centre.

    Returns:
        A, [N, G] in float32 (float64 for float64 rewards).
    """
    if not eps >= 0:
        raise ValueError(f"eps is {eps}: pass a number of at least 0")
    if scale not in ("std", "none"):
        raise ValueError(f"scale is {scale!r}: pass 'std' or 'none'")
    rewards, scored = _checked(rewards, scored)
    silent = no_signal(rewards, scored).unsqueeze(1)
    count = scored.sum(dim=1, keepdim=True)
    mean = rewards.sum(dim=1, keepdim=True) / count.clamp(min=1)
    centred = torch.where(scored, rewards - mean, 0.0)
    if scale == "std":
        variance = centred.square().sum(dim=1, keepdim=True) / (count - 1).clamp(min=1)
        divisor = variance.sqrt() + eps
        centred = centred / torch.where(divisor == 0, 1.0, divisor)
    return torch.where(silent, 0.0, centred)


def vcrs_advantages(
    rewards: Tensor,
    baselines: Tensor,
    *,
    alpha: float = 1.0,
    scale: Literal["batch", "none"] = "batch",
    floor: float = 0.1,
) -> Tensor:
    """Compare each replayed completion with its prompt's recent rewards (VCRS).

        Aᵢ = α (Rᵢ − R̄(qᵢ)) / σ      σ² = Σⱼ (Rⱼ − μ)² / (M − 1)

    over the M replayed completions of one update. AVATAR (arXiv 2508.03100), Video-Context
    Reference Score, with the α of its combined objective; equations E5 and E7 of
    docs/paper_map.md.

    σ is 1 when M < 2, when σ < `floor`, and with `scale="none"`, which is what the authors' release
    amounts to. Unlike Rᵢ − μ of a group, Rᵢ − R̄ does not shrink when the replayed rewards happen
    to agree, so the floor is what bounds |A|, by α max|R − R̄| / floor. The default concerns dense
    rewards: totals of right-or-wrong parts under the paper's weights differ by 0.4 at least or not
    at all, and four such rewards that are not all equal have σ ≥ 0.2. R = R̄ gives 0; M = 0 gives
    an empty tensor.

    Args:
        rewards: R, floating [M]; scores as stored, all of them present.
        baselines: R̄(q), floating [M]; mean of the prompt's recent fresh rewards at replay time.
        alpha: α, weight of the off-policy term; 0 leaves the on-policy term alone.
        scale: divide by σ, or only subtract the baseline.
        floor: smallest σ that is divided by, > 0, in units of reward.

    Returns:
        A, [M] in float32 (float64 for float64 rewards).
    """
    require_rank("rewards", rewards, 1)
    require_floating("rewards", rewards)
    require_shape("baselines", baselines, rewards.shape)
    require_floating("baselines", baselines)
    if not floor > 0:
        raise ValueError(f"floor is {floor}: pass a number above 0")
    if scale not in ("batch", "none"):
        raise ValueError(f"scale is {scale!r}: pass 'batch' or 'none'")
    dtype = working_dtype(rewards)
    rewards, baselines = rewards.to(dtype), baselines.to(dtype)
    advantages = alpha * (rewards - baselines)
    if scale == "none" or len(rewards) < 2:
        return advantages
    deviation = rewards.std()
    return advantages / torch.where(deviation < floor, 1.0, deviation)


class _Groups(NamedTuple):
    """Rewards in the working dtype, 0 where not scored, and which are scored; both [N, G]."""

    rewards: Tensor
    scored: Tensor


def _checked(rewards: Tensor, scored: Tensor | None) -> _Groups:
    """Check the shapes and dtypes of groups and clear what stands in unscored places."""
    require_rank("rewards", rewards, 2)
    require_floating("rewards", rewards)
    rewards = rewards.to(working_dtype(rewards))
    if scored is None:
        return _Groups(rewards, torch.ones_like(rewards, dtype=torch.bool))
    require_shape("scored", scored, rewards.shape)
    if scored.dtype != torch.bool:
        raise TypeError(f"scored has dtype {scored.dtype}: pass a boolean tensor")
    return _Groups(torch.where(scored, rewards, 0.0), scored)
