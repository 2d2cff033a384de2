from __future__ import annotations

import math
from typing import Any, get_args

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from avatar_core.algo.losses import Aggregate, LossTerms, kl_k3, policy_loss
from avatar_core.algo.tas import tas_weights

AGGREGATES: tuple[Aggregate, ...] = get_args(Aggregate)
NAN, INF = float("nan"), float("inf")

# Two completions, the first padded on the left, with ratios 1.5, 0.5 | 0.5 and A = 1 | −2.
# Surrogates at ε = 0.2: min(1.5, 1.2) = 1.2; min(0.5, 0.8) = 0.5; min(−1.0, −1.6) = −1.6.
MASK = torch.tensor([[0, 1, 1], [1, 0, 0]])
OLD = torch.tensor([[NAN, -1.0, -2.0], [-3.0, INF, NAN]])
LOGP = OLD + torch.tensor([[0.0, 1.5, 0.5], [0.5, 1.0, 1.0]]).log()
ADVANTAGES = torch.tensor([1.0, -2.0])
KL = torch.tensor([[NAN, 1.0, 3.0], [5.0, INF, NAN]])


def _loss(**settings_: Any) -> LossTerms:
    return policy_loss(LOGP, OLD, ADVANTAGES, MASK, **settings_)


def _close(actual: torch.Tensor | None, expected: float) -> None:
    assert actual is not None
    torch.testing.assert_close(actual, torch.tensor(expected), rtol=1e-6, atol=1e-6)


def test_kl_by_hand() -> None:
    # π_ref / π = 2: 2 − ln 2 − 1; ½: ½ + ln 2 − 1; 1: 0.
    logp = torch.tensor([-2.0, -2.0, -2.0])
    ref = logp + torch.tensor([2.0, 0.5, 1.0]).log()
    ln2 = math.log(2)
    torch.testing.assert_close(kl_k3(logp, ref), torch.tensor([1 - ln2, ln2 - 0.5, 0.0]))


def test_kl_is_unbiased_under_the_policy() -> None:
    # Its mean under π is Σ π (π_ref/π − log π_ref/π − 1) = KL(π ‖ π_ref), exactly.
    policy = torch.tensor([0.5, 0.3, 0.2], dtype=torch.float64)
    reference = torch.tensor([0.2, 0.2, 0.6], dtype=torch.float64)
    mean = (policy * kl_k3(policy.log(), reference.log())).sum()
    torch.testing.assert_close(mean, (policy * (policy / reference).log()).sum())


def test_kl_is_not_negative_in_single_precision() -> None:
    d = torch.linspace(-1e-2, 1e-2, 200_001)
    kl = kl_k3(torch.zeros_like(d), d)
    assert kl.min() >= 0
    exact = torch.expm1(d.double()) - d.double()
    assert (kl.double() - exact).abs().max() < 1e-9
    # The form exp(d) − d − 1 goes below zero here.
    assert (d.exp() - d - 1).min() < 0


def test_kl_outside_the_mask_is_zero() -> None:
    logp, ref = torch.tensor([NAN, INF, -1.0]), torch.tensor([0.0, INF, -1.5])
    kl = kl_k3(logp, ref, torch.tensor([0, 0, 1]))
    assert kl[:2].tolist() == [0.0, 0.0]
    _close(kl[2], math.exp(-0.5) - 0.5)


@pytest.mark.parametrize(
    ("settings_", "expected"),
    [
        # Surrogates 1.2, 0.5 | −1.6: row means 0.85 | −1.6, sum 0.1.
        ({"aggregate": "grpo"}, 0.375),
        ({"aggregate": "bnpo"}, -0.1 / 3),
        ({"aggregate": "dr_grpo", "max_length": 4}, -0.1 / 8),
        ({"aggregate": "dapo"}, -0.1 / 3),
        # ε_high 0.6 lets 1.5 through; ε_low 0.6 lets 0.5 · (−2) = −1 through.
        ({"clip_high": 0.6}, -((1.5 + 0.5) / 2 - 1.6) / 2),
        ({"clip_low": 0.6}, -(0.85 - 1.0) / 2),
        # Row ratios √0.75 and 0.5: surrogates √0.75 twice | −1.6.
        ({"level": "sequence"}, -(0.75**0.5 - 1.6) / 2),
    ],
)
def test_policy_term_by_hand(settings_: dict[str, Any], expected: float) -> None:
    terms = _loss(**settings_)
    _close(terms.loss, expected)
    assert terms.kl is None


def test_kl_term_by_hand() -> None:
    # Row means 2 | 5, so 3.5; sum 9. The policy terms are those above.
    terms = _loss(kl=KL, beta=0.1)
    _close(terms.kl, 3.5)
    _close(terms.loss, 0.375 + 0.35)
    _close(_loss(kl=KL, beta=0.1, aggregate="bnpo").loss, -0.1 / 3 + 0.1 * 9 / 3)
    _close(_loss(kl=KL, beta=0.1, aggregate="dr_grpo", max_length=4).kl, 9 / 8)
    _close(_loss(kl=KL, beta=0.0).loss, 0.375)
    _close(_loss(kl=KL, beta=0.0).kl, 3.5)
    # Without a weight the KL is watched only: an infinite one leaves the loss alone.
    _close(_loss(kl=torch.full_like(KL, INF)).loss, 0.375)


def test_weights_shape_the_policy_term_and_not_the_kl() -> None:
    # Weights 2, 1 | 3: row means (2.4 + 0.5) / 2 = 1.45 | −4.8.
    weights = torch.tensor([[NAN, 2.0, 1.0], [3.0, 0.0, INF]])
    terms = _loss(weights=weights, kl=KL, beta=0.1)
    _close(terms.kl, 3.5)
    _close(terms.loss, -(1.45 - 4.8) / 2 + 0.35)


def test_diagnostics_by_hand() -> None:
    # One of three tokens clipped on each side. Row ratios √0.75 and 0.5:
    # ESS = (√0.75 + 0.5)² / (2 (0.75 + 0.25)).
    terms = _loss()
    _close(terms.clip_high, 1 / 3)
    _close(terms.clip_low, 1 / 3)
    _close(terms.ess, (0.75**0.5 + 0.5) ** 2 / 2)
    assert terms.tokens == 3
    assert terms.rows == 2
    sequence = _loss(level="sequence")
    _close(sequence.clip_low, 1 / 3)
    _close(sequence.clip_high, 0.0)


def test_zero_advantage_is_never_counted_as_clipped() -> None:
    logp = torch.tensor([[5.0, -5.0]])
    terms = policy_loss(logp, torch.zeros(1, 2), torch.zeros(1), torch.ones(1, 2).bool())
    assert terms.loss == terms.clip_low == terms.clip_high == 0


def test_ratio_cap_bounds_stale_failures_only() -> None:
    # ρ = 10, 2.9, 10 with A = −1, −1, +1 and c = 3: −min(ρ, 3) A = 3, 2.9, and −1.2 as ever.
    logp = torch.tensor([[10.0, 2.9, 10.0]]).log()
    advantages, mask = torch.tensor([[-1.0, -1.0, 1.0]]), torch.ones(1, 3).bool()
    free = policy_loss(logp, torch.zeros(1, 3), advantages, mask)
    _close(free.loss, (10 + 2.9 - 1.2) / 3)
    capped = policy_loss(logp, torch.zeros(1, 3), advantages, mask, ratio_cap=3.0)
    _close(capped.loss, (3 + 2.9 - 1.2) / 3)
    _close(capped.clip_high, 1 / 3)


def test_effective_sample_size_runs_from_all_rows_to_one() -> None:
    mask, old = torch.ones(4, 2).bool(), torch.zeros(4, 2)
    assert policy_loss(old, old, torch.ones(4), mask).ess.item() == pytest.approx(1, abs=1e-6)
    one = torch.tensor([[40.0, 40.0], [0.0, 0.0], [0.0, 0.0], [0.0, 0.0]])
    _close(policy_loss(one, old, torch.ones(4), mask).ess, 0.25)
    half = torch.tensor([[1e4, 1e4], [1e4, 1e4], [0.0, 0.0], [0.0, 0.0]])
    _close(policy_loss(half, old, torch.ones(4), mask).ess, 0.5)


@settings(deadline=None, max_examples=100)
@given(st.lists(st.floats(-20, 20), min_size=1, max_size=8))
def test_effective_sample_size_stays_in_range(log_ratios: list[float]) -> None:
    logp = torch.tensor(log_ratios).unsqueeze(1)
    rows = len(log_ratios)
    ones = torch.ones(rows, 1).bool()
    ess = policy_loss(logp, torch.zeros_like(logp), torch.ones(rows), ones).ess.item()
    assert 1 / rows - 1e-5 <= ess <= 1


@pytest.mark.parametrize("aggregate", AGGREGATES)
def test_rows_without_tokens_count_nowhere(aggregate: Aggregate) -> None:
    generator = torch.Generator().manual_seed(0)
    logp, old = torch.randn(2, 3, 4, generator=generator).unbind()
    mask = torch.tensor([[1, 1, 0, 0], [0, 0, 0, 0], [1, 1, 1, 1]])
    advantages, kept = torch.tensor([1.0, NAN, -1.0]), [0, 2]
    with_empty = policy_loss(logp, old, advantages, mask, aggregate=aggregate, max_length=8)
    without = policy_loss(
        logp[kept], old[kept], advantages[kept], mask[kept], aggregate=aggregate, max_length=8
    )
    assert len(with_empty) == 7
    for left, right in zip(with_empty, without, strict=True):
        if left is not None:
            torch.testing.assert_close(left, right)


@settings(deadline=None, max_examples=60)
@given(
    lengths=st.lists(st.integers(0, 5), min_size=1, max_size=4),
    shift=st.integers(0, 3),
    seed=st.integers(0, 1000),
    aggregate=st.sampled_from(AGGREGATES),
    level=st.sampled_from(["token", "sequence"]),
)
def test_side_of_the_padding_does_not_matter(
    lengths: list[int], shift: int, seed: int, aggregate: Aggregate, level: Any
) -> None:
    rows, width = len(lengths), 8
    generator = torch.Generator().manual_seed(seed)
    values = torch.randn(3, rows, width, generator=generator, dtype=torch.float64)
    mask = (torch.arange(width) < torch.tensor(lengths).unsqueeze(1)).long()
    advantages = torch.randn(rows, generator=generator, dtype=torch.float64)

    def run(moved: int) -> LossTerms:
        logp, old, kl = values.roll(moved, dims=2)
        here = mask.roll(moved, dims=1)
        return policy_loss(
            logp,
            old,
            advantages,
            here,
            level=level,
            weights=tas_weights(here, 0.3),
            kl=kl,
            beta=0.1,
            aggregate=aggregate,
            max_length=width,
        )

    for left, right in zip(run(0), run(shift), strict=True):
        assert left is not None
        torch.testing.assert_close(left, right, rtol=1e-12, atol=1e-12)


@settings(deadline=None, max_examples=60)
@given(
    order=st.permutations(range(4)),
    factor=st.floats(0.01, 100),
    aggregate=st.sampled_from(AGGREGATES),
)
def test_rows_permute_and_advantages_scale(
    order: list[int], factor: float, aggregate: Aggregate
) -> None:
    generator = torch.Generator().manual_seed(1)
    logp, old = torch.randn(2, 4, 5, generator=generator, dtype=torch.float64).unbind()
    advantages = torch.randn(4, generator=generator, dtype=torch.float64)
    mask = torch.rand(4, 5, generator=generator) < 0.7
    plain = policy_loss(logp, old, advantages, mask, aggregate=aggregate, max_length=6)
    other = policy_loss(
        logp[order],
        old[order],
        factor * advantages[order],
        mask[order],
        aggregate=aggregate,
        max_length=6,
    )
    torch.testing.assert_close(other.loss, factor * plain.loss)
    torch.testing.assert_close(other.ess, plain.ess)


def test_micro_batches_recombine_into_the_update() -> None:
    generator = torch.Generator().manual_seed(2)
    logp, old = torch.randn(2, 6, 5, generator=generator, dtype=torch.float64).unbind()
    advantages = torch.randn(6, generator=generator, dtype=torch.float64)
    mask = torch.rand(6, 5, generator=generator) < 0.6
    mask[1] = False

    def run(part: slice, aggregate: Aggregate) -> LossTerms:
        return policy_loss(
            logp[part],
            old[part],
            advantages[part],
            mask[part],
            aggregate=aggregate,
            max_length=5,
        )

    checked = 0
    for aggregate in AGGREGATES:
        whole = run(slice(None), aggregate)
        parts = [run(slice(0, 2), aggregate), run(slice(2, 6), aggregate)]
        by_rows = [part.rows / whole.rows for part in parts]
        by_tokens = [part.tokens / whole.tokens for part in parts]
        share = by_tokens if aggregate in ("bnpo", "dapo") else by_rows
        total = parts[0].loss * share[0] + parts[1].loss * share[1]
        torch.testing.assert_close(total, whole.loss, rtol=1e-12, atol=1e-12)
        checked += 1
    assert checked == 4


def test_half_precision_is_computed_in_single() -> None:
    logp = torch.full((1, 3), -1.0, dtype=torch.bfloat16, requires_grad=True)
    terms = policy_loss(logp, torch.full((1, 3), -1.1), torch.ones(1), torch.ones(1, 3).bool())
    assert terms.loss.dtype == torch.float32
    _close(terms.loss, -math.exp(0.1))
    assert torch.autograd.grad(terms.loss, logp)[0].dtype == torch.bfloat16


def test_inputs_are_left_alone() -> None:
    weights = tas_weights(MASK, 0.3)
    tensors = [LOGP, OLD, ADVANTAGES, MASK, KL, weights]
    before = [tensor.clone() for tensor in tensors]
    _loss(weights=weights, kl=KL, beta=0.1, ratio_cap=2.0)
    kl_k3(LOGP, OLD, MASK)
    for tensor, copy in zip(tensors, before, strict=True):
        torch.testing.assert_close(tensor, copy, rtol=0, atol=0, equal_nan=True)


@pytest.mark.parametrize(
    ("settings_", "message"),
    [
        ({"clip_low": 1.0}, r"clip_low is 1.0: pass a number in \[0, 1\)"),
        ({"clip_low": -0.1}, "clip_low is"),
        ({"clip_high": -0.1}, "clip_high is"),
        ({"clip_high": INF}, "clip_high is"),
        ({"level": "row"}, "level is 'row': pass one of token, sequence"),
        ({"beta": -0.1}, "beta is"),
        ({"beta": 0.1}, "kl is missing"),
        ({"aggregate": "mean"}, "aggregate is 'mean': pass one of grpo, bnpo, dr_grpo, dapo"),
        ({"aggregate": "dr_grpo"}, "max_length is None"),
        ({"aggregate": "dr_grpo", "max_length": 0}, "max_length is 0"),
        ({"ratio_cap": 1.1}, r"ratio_cap is 1.1: pass at least 1 \+ clip_high"),
        ({"ratio_cap": NAN}, "ratio_cap is nan"),
        ({"weights": torch.ones(2)}, "weights has shape"),
        ({"kl": torch.ones(2, 2)}, "kl has shape"),
    ],
)
def test_refuses_settings_it_cannot_honour(settings_: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        _loss(**settings_)


def test_refuses_tensors_that_do_not_fit() -> None:
    with pytest.raises(ValueError, match="logp has shape"):
        policy_loss(LOGP[0], OLD[0], ADVANTAGES, MASK[0])
    with pytest.raises(ValueError, match="old_logp has shape"):
        policy_loss(LOGP, OLD[:, :2], ADVANTAGES, MASK)
    with pytest.raises(ValueError, match="advantages has shape"):
        policy_loss(LOGP, OLD, torch.ones(3), MASK)
    with pytest.raises(ValueError, match="advantages has shape"):
        policy_loss(LOGP, OLD, torch.ones(2, 1), MASK)
    with pytest.raises(TypeError, match="mask has dtype"):
        policy_loss(LOGP, OLD, ADVANTAGES, MASK.float())
    with pytest.raises(TypeError, match="advantages has dtype"):
        policy_loss(LOGP, OLD, ADVANTAGES.long(), MASK)
    with pytest.raises(ValueError, match="ref_logp has shape"):
        kl_k3(LOGP, OLD[:1])
    with pytest.raises(ValueError, match="mask has shape"):
        kl_k3(LOGP, OLD, MASK[:1])
    with pytest.raises(TypeError, match="logp has dtype"):
        kl_k3(MASK, OLD)
