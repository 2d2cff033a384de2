"""The clipped policy-gradient loss, its KL term, and what to watch while it runs."""

from __future__ import annotations

import math
from typing import Literal, NamedTuple, get_args

import torch
from torch import Tensor

from avatar_core.algo.checks import (
    require_floating,
    require_integer,
    require_rank,
    require_shape,
    working_dtype,
)

Level = Literal["token", "sequence"]
Aggregate = Literal["grpo", "bnpo", "dr_grpo", "dapo"]


class LossTerms(NamedTuple):
    """The loss and its diagnostics, all scalar tensors in the working dtype.

    Only `loss` carries a gradient. Where no token is active, `ess` is 1 and the rest is 0;
    `tokens` tells.

    Attributes:
        loss: to minimise; policy + β · kl.
        clip_low: share of active tokens with A < 0 and ratio below 1 − ε_low (no gradient).
        clip_high: share of active tokens with A > 0 and ratio above 1 + ε_high (no gradient).
        ess: effective sample size of the rows, in (0, 1]; see `policy_loss`.
        kl: the KL term before β, aggregated like the loss; `None` when no KL was passed.
        tokens: number of active tokens.
        rows: number of rows with an active token.
    """

    loss: Tensor
    clip_low: Tensor
    clip_high: Tensor
    ess: Tensor
    kl: Tensor | None
    tokens: Tensor
    rows: Tensor


def kl_k3(logp: Tensor, ref_logp: Tensor, mask: Tensor | None = None) -> Tensor:
    """Estimate KL(π_θ ‖ π_ref) per token, from tokens drawn from π_θ.

        k₃ = exp(d) − d − 1,   d = log π_ref(o) − log π_θ(o)

    Non-negative, zero iff the two agree, and unbiased under π_θ. AVATAR (arXiv 2508.03100), KL term
    of its objective; equation E3 of docs/paper_map.md. Computed as expm1(d) − d, which keeps the
    digits of a small d.

    Args:
        logp: log π_θ of the sampled tokens, floating [...], natural logarithm.
        ref_logp: log π_ref of the same tokens; same shape, treated as a constant.
        mask: boolean or integer of the same shape. Outside it the result is 0 and no gradient
            flows, whatever stands there; `None` counts every position.

    Returns:
        k₃, same shape, in float32 (float64 for float64 `logp`).
    """
    require_floating("logp", logp)
    _require_like(logp, ref_logp=ref_logp)
    dtype = working_dtype(logp)
    d = ref_logp.detach().to(dtype) - logp.to(dtype)
    if mask is not None:
        require_shape("mask", mask, logp.shape)
        require_integer("mask", mask)
        # Before expm1, not after: the derivative of expm1 at inf or NaN would survive a later mask.
        d = torch.where(mask.bool(), d, 0.0)
    return torch.expm1(d) - d


def off_policy_weights(logp: Tensor, old_logp: Tensor, mask: Tensor) -> Tensor:
    """Weights that let k₃ be estimated from tokens of another policy.

        wₜ = min(1, π_θ(oₜ) / π_β(oₜ)), a constant

    k₃ is an estimate of the KL divergence under π_θ only. On a replayed token that π_θ has since
    made unlikely it grows as π_ref/π_θ and its gradient undoes what was learnt; with the weight it
    stays below π_ref/π_β. On fresh tokens the weight is 1.

    Args:
        logp: log π_θ of the tokens, floating [...].
        old_logp: log π_β of the same tokens; same shape.
        mask: boolean or integer of the same shape; outside it the weight is 0.

    Returns:
        Weights in [0, 1], same shape, without gradient, in float32 (float64 for float64 `logp`).
    """
    require_floating("logp", logp)
    _require_like(logp, old_logp=old_logp)
    require_shape("mask", mask, logp.shape)
    require_integer("mask", mask)
    log_ratio = logp.detach().to(working_dtype(logp)) - old_logp.detach().to(working_dtype(logp))
    return torch.where(mask.bool(), log_ratio.clamp(max=0.0), -torch.inf).exp()


def policy_loss(
    logp: Tensor,
    old_logp: Tensor,
    advantages: Tensor,
    mask: Tensor,
    *,
    clip_low: float = 0.2,
    clip_high: float = 0.2,
    level: Level = "token",
    weights: Tensor | None = None,
    kl: Tensor | None = None,
    beta: float = 0.0,
    aggregate: Aggregate = "grpo",
    max_length: int | None = None,
    ratio_cap: float | None = None,
) -> LossTerms:
    """Clipped surrogate loss over completions, fresh and replayed alike.

        ℓᵢₜ = − min(ρᵢₜ wᵢₜAᵢₜ, clip(ρᵢₜ, 1 − ε_low, 1 + ε_high) wᵢₜAᵢₜ) + β kᵢₜ
        ρᵢₜ = π_θ(oᵢₜ) / π_old(oᵢₜ)                               level "token"
        ρᵢₜ = exp((1/Lᵢ) Σₛ [log π_θ(oᵢₛ) − log π_old(oᵢₛ)])     level "sequence"

    AVATAR (arXiv 2508.03100), GRPO objective, off-policy term and combined objective; equations E2,
    E4 and E7 of docs/paper_map.md. The sequence level is that of GSPO (arXiv 2507.18071): one ratio
    per completion, so that TAS weights act through their mean alone and no longer tell tokens
    apart. For A < 0 the surrogate has no bound as ρ grows, which stale failures make happen:
    `ratio_cap` c replaces ρ by min(ρ, c) there (dual clip, arXiv 1912.09729).

    Aggregation over the N rows that hold tokens; a row without tokens counts nowhere:

        grpo      (1/N) Σᵢ (1/Lᵢ) Σₜ ℓᵢₜ          equal weight per completion
        bnpo      Σᵢₜ ℓᵢₜ / Σᵢ Lᵢ                  equal weight per token of this call
        dr_grpo   Σᵢₜ ℓᵢₜ / (N · max_length)      equal weight per token, constant divisor
        dapo      Σᵢₜ ℓᵢₜ / Σᵢ Lᵢ                 the same: no token of an update counts more

    Micro-batch losses add up to the loss of the update: those of grpo and dr_grpo when weighted by
    their share of `rows`, those of bnpo and dapo by their share of `tokens`.

    An empty mask gives loss 0 with zero gradients. On-policy (`old_logp` equal to `logp`) every
    ratio is exactly 1 and the gradient is that of REINFORCE with these advantages. The gradient
    flows through `logp` and `kl` only. Values outside the mask, NaN too, reach neither loss nor
    gradient; values that are not finite inside it do, for the step to refuse.

    The effective sample size is (Σrᵢ)² / (N Σrᵢ²) with rᵢ the ratio of row i at sequence level.

    Args:
        logp: log π_θ of the sampled tokens, floating [B, T].
        old_logp: log π_old, or of the behaviour policy for replayed rows; floating [B, T].
        advantages: A, floating [B] or [B, T].
        mask: boolean or integer [B, T]; non-zero on completion tokens.
        clip_low: ε_low in [0, 1).
        clip_high: ε_high ≥ 0.
        level: where the ratio is taken.
        weights: w > 0, floating [B, T], as of `tas_weights`; `None` for 1.
        kl: k, floating [B, T], as of `kl_k3` with this mask; never multiplied by `weights`.
        beta: β ≥ 0; above 0 it needs `kl`.
        aggregate: how tokens and rows are summed.
        max_length: longest completion that could have been generated; "dr_grpo" only.
        ratio_cap: c ≥ 1 + ε_high; `None` for no cap.

    Returns:
        Loss and diagnostics.
    """
    _check_tensors(logp, old_logp, advantages, mask, weights, kl)
    _check_settings(clip_low, clip_high, level, kl, beta, ratio_cap)
    dtype, tokens = working_dtype(logp), mask.bool()
    share = _token_share(tokens, dtype, aggregate, max_length)
    shaped = advantages if advantages.ndim == 2 else advantages.unsqueeze(1)
    shaped = _constant(shaped.expand_as(tokens), tokens, dtype)
    if weights is not None:
        shaped = shaped * _constant(weights, tokens, dtype)
    # Masked before any function with a derivative of its own, or NaN × 0 would reach the gradient.
    per_token = torch.where(tokens, logp.to(dtype) - old_logp.detach().to(dtype), 0.0)
    per_row = per_token.sum(dim=1) / tokens.sum(dim=1).clamp(min=1)
    log_ratio = per_token if level == "token" else per_row.unsqueeze(1).expand_as(per_token)
    limits = _limits(shaped, clip_low, clip_high, ratio_cap)
    # Bounding log ρ equals the min of the two products, and a ratio too large for a float that is
    # clipped away has derivative 0; bounding exp(log ρ) would make it inf × 0.
    ratio = log_ratio.clamp(limits.lower, limits.upper).exp()
    policy = -(share * ratio * shaped).sum()
    loss, kl_term = policy, None
    if kl is not None:
        kl_term = (share * torch.where(tokens, kl.to(dtype), 0.0)).sum()
        loss = policy + beta * kl_term if beta > 0 else policy
        kl_term = kl_term.detach()
    watched = _diagnostics(log_ratio.detach(), per_row.detach(), limits, shaped, tokens)
    return LossTerms(loss=loss, kl=kl_term, **watched)


class _Limits(NamedTuple):
    """Bounds of log ρ, [B, T], outside which a token has no gradient."""

    lower: Tensor
    upper: Tensor


def _limits(shaped: Tensor, clip_low: float, clip_high: float, cap: float | None) -> _Limits:
    """A ≥ 0 bounds ρ above by 1 + ε_high; A < 0 below by 1 − ε_low and above by the cap."""
    negative = shaped < 0
    highest = math.inf if cap is None else math.log(cap)
    lower = torch.full_like(shaped, -math.inf).masked_fill(negative, math.log1p(-clip_low))
    upper = torch.full_like(shaped, math.log1p(clip_high)).masked_fill(negative, highest)
    return _Limits(lower, upper)


def _token_share(
    tokens: Tensor,
    dtype: torch.dtype,
    aggregate: Aggregate,
    max_length: int | None,
) -> Tensor:
    """What one token counts in the loss: the reciprocal divisor of its row, [B, 1]."""
    if aggregate not in get_args(Aggregate):
        raise ValueError(
            f"aggregate is {aggregate!r}: pass one of {', '.join(get_args(Aggregate))}"
        )
    lengths = tokens.sum(dim=1, keepdim=True)
    rows = (lengths > 0).sum()
    if aggregate == "grpo":
        divisor = rows * lengths
    elif aggregate == "dr_grpo":
        if max_length is None or max_length < 1:
            raise ValueError(f"max_length is {max_length}: 'dr_grpo' needs a whole number above 0")
        divisor = (rows * max_length).expand_as(lengths)
    else:
        divisor = lengths.sum().expand_as(lengths)
    return divisor.clamp(min=1).to(dtype).reciprocal()


def _diagnostics(
    log_ratio: Tensor, row_log_ratio: Tensor, limits: _Limits, shaped: Tensor, tokens: Tensor
) -> dict[str, Tensor]:
    """The fields of `LossTerms` that describe ratios and counts."""
    active = tokens.to(log_ratio.dtype)
    count, held = active.sum(), tokens.any(dim=1)
    rows = held.to(log_ratio.dtype).sum()
    # (Σr)² / Σr² = 1 / Σp² with p = r / Σr, which is a softmax and cannot overflow.
    portion = torch.where(held, row_log_ratio, -math.inf).softmax(dim=0)
    ess = 1 / (rows * portion.square().sum())

    def mean(values: Tensor) -> Tensor:
        return (values * active).sum() / count.clamp(min=1)

    return {
        "clip_low": mean((log_ratio < limits.lower).to(active)),
        "clip_high": mean(((log_ratio > limits.upper) & (shaped > 0)).to(active)),
        "ess": torch.where(rows > 0, ess.clamp(max=1.0), 1.0),
        "tokens": count,
        "rows": rows,
    }


def _constant(values: Tensor, tokens: Tensor, dtype: torch.dtype) -> Tensor:
    """Detached, in the working dtype, 0 outside the mask."""
    return torch.where(tokens, values.detach().to(dtype), 0.0)


def _check_tensors(
    logp: Tensor,
    old_logp: Tensor,
    advantages: Tensor,
    mask: Tensor,
    weights: Tensor | None,
    kl: Tensor | None,
) -> None:
    require_rank("logp", logp, 2)
    require_floating("logp", logp)
    require_shape("mask", mask, logp.shape)
    require_integer("mask", mask)
    _require_like(logp, old_logp=old_logp, weights=weights, kl=kl)
    require_floating("advantages", advantages)
    require_shape("advantages", advantages, logp.shape[: 1 if advantages.ndim == 1 else 2])


def _require_like(logp: Tensor, **others: Tensor | None) -> None:
    for name, tensor in others.items():
        if tensor is not None:
            require_floating(name, tensor)
            require_shape(name, tensor, logp.shape)


def _check_settings(
    clip_low: float,
    clip_high: float,
    level: Level,
    kl: Tensor | None,
    beta: float,
    ratio_cap: float | None,
) -> None:
    if not 0 <= clip_low < 1:
        raise ValueError(f"clip_low is {clip_low}: pass a number in [0, 1)")
    if not (math.isfinite(clip_high) and clip_high >= 0):
        raise ValueError(f"clip_high is {clip_high}: pass a finite number of at least 0")
    if level not in get_args(Level):
        raise ValueError(f"level is {level!r}: pass one of {', '.join(get_args(Level))}")
    if not (math.isfinite(beta) and beta >= 0):
        raise ValueError(f"beta is {beta}: pass a finite number of at least 0")
    if beta > 0 and kl is None:
        raise ValueError(f"beta is {beta} but kl is missing: pass kl, or beta=0")
    if ratio_cap is not None and not ratio_cap >= 1 + clip_high:
        raise ValueError(
            f"ratio_cap is {ratio_cap}: pass at least 1 + clip_high ({1 + clip_high}), or None"
        )
