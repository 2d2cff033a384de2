"""avatar_core/algo/losses.py against the GRPO losses that TRL publishes, derived anew here.

TRL clamps the ratio, takes the smaller of two products, adds β KL and averages in four ways; its
two-sided clipping clamps the unclipped ratio from above. Two differences are on purpose and left
out of the comparison: rows without tokens count in TRL's means, and its dapo divides by the tokens
of the accumulated batch, where a batch here is weighted by its share of them.
"""

from __future__ import annotations

import itertools
from typing import get_args

import pytest
import torch

from avatar_core.algo.losses import Aggregate, Level, kl_k3, policy_loss

AGGREGATES: tuple[Aggregate, ...] = get_args(Aggregate)
LEVELS: tuple[Level, ...] = get_args(Level)
LOW, HIGH, BETA, LONGEST, UPDATE_TOKENS = 0.2, 0.28, 0.04, 12, 57


def _reference(
    logp: torch.Tensor,
    old: torch.Tensor,
    ref: torch.Tensor,
    advantages: torch.Tensor,
    mask: torch.Tensor,
    aggregate: Aggregate,
    level: Level,
    delta: float | None,
) -> torch.Tensor:
    difference = logp - old
    if level == "sequence":
        difference = (difference * mask).sum(1, keepdim=True) / mask.sum(1, keepdim=True)
    ratio = torch.exp(difference)
    clipped = torch.clamp(ratio, 1 - LOW, 1 + HIGH)
    if delta is not None:
        ratio = torch.clamp(ratio, max=delta)
    column = advantages[:, None]
    gap = ref - logp
    token = -torch.minimum(ratio * column, clipped * column)
    token = (token + BETA * (torch.exp(gap) - gap - 1)) * mask
    if aggregate == "grpo":
        return (token.sum(1) / mask.sum(1)).mean()
    tokens = int(mask.sum())
    divisor = {"bnpo": tokens, "dr_grpo": len(mask) * LONGEST, "dapo": UPDATE_TOKENS}
    return token.sum() / divisor[aggregate]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_loss_and_gradient_agree_with_trl(dtype: torch.dtype) -> None:
    tolerance = 1e-6 if dtype == torch.float32 else 1e-12
    generator = torch.Generator().manual_seed(0)
    rows, width = 6, 9
    checked, clipped = 0, 0.0
    for aggregate, level, delta, _ in itertools.product(AGGREGATES, LEVELS, (None, 1.6), range(10)):
        old, ref, noise = torch.randn(3, rows, width, generator=generator, dtype=dtype)
        old, ref = old - 2, ref / 5 + old - 2
        logp = (old + noise / 2).requires_grad_()
        lengths = torch.randint(1, width + 1, (rows, 1), generator=generator)
        mask = (torch.arange(width) < lengths).long()
        advantages = torch.randn(rows, generator=generator, dtype=dtype)
        terms = policy_loss(
            logp,
            old,
            advantages,
            mask,
            clip_low=LOW,
            clip_high=HIGH,
            level=level,
            kl=kl_k3(logp, ref, mask),
            beta=BETA,
            aggregate=aggregate,
            max_length=LONGEST,
            ratio_cap=delta,
        )
        expected = _reference(logp, old, ref, advantages, mask, aggregate, level, delta)
        loss = terms.loss * (terms.tokens / UPDATE_TOKENS if aggregate == "dapo" else 1)
        torch.testing.assert_close(loss, expected, rtol=tolerance, atol=tolerance)
        ours, theirs = (torch.autograd.grad(each, logp)[0] for each in (loss, expected))
        torch.testing.assert_close(ours, theirs, rtol=tolerance, atol=tolerance)
        clipped += float(terms.clip_low + terms.clip_high)
        checked += 1
    assert checked == 160
    assert clipped > 1


def test_clip_shares_agree_with_trl() -> None:
    # TRL: low where ratio < 1 − ε and A < 0, high where ratio > 1 + ε and A > 0, over tokens.
    generator = torch.Generator().manual_seed(1)
    logp, old = torch.randn(2, 32, 16, generator=generator)
    advantages = torch.randn(32, generator=generator)
    mask = torch.rand(32, 16, generator=generator) < 0.5
    terms = policy_loss(logp, old, advantages, mask, clip_low=LOW, clip_high=HIGH)
    ratio, column = torch.exp(logp - old), advantages[:, None]
    low = ((ratio < 1 - LOW) & (column < 0) & mask).sum() / mask.sum()
    high = ((ratio > 1 + HIGH) & (column > 0) & mask).sum() / mask.sum()
    assert low > 0
    assert high > 0
    torch.testing.assert_close(terms.clip_low, low)
    torch.testing.assert_close(terms.clip_high, high)
