"""Gradients of avatar_core/algo/losses.py: finite differences, masks, on-policy identities."""

from __future__ import annotations

import itertools
from typing import Any, get_args

import pytest
import torch

from avatar_core.algo.losses import Aggregate, Level, kl_k3, policy_loss
from avatar_core.algo.tas import tas_weights

AGGREGATES: tuple[Aggregate, ...] = get_args(Aggregate)
LEVELS: tuple[Level, ...] = get_args(Level)
NAN, INF = float("nan"), float("inf")
MASK = torch.tensor([[0, 1, 1, 1], [1, 1, 0, 0], [1, 1, 1, 1], [0, 0, 0, 0]])
ADVANTAGES = torch.tensor([1.5, -0.5, -2.0, 1.0], dtype=torch.float64)


def _log_probabilities(seed: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return -2 * torch.rand(4, 4, generator=generator, dtype=torch.float64) - 0.1


def _gradient(loss: torch.Tensor, variable: torch.Tensor) -> torch.Tensor:
    (gradient,) = torch.autograd.grad(loss, variable)
    return gradient


def test_finite_differences_of_the_loss() -> None:
    logp, old, ref = (_log_probabilities(seed) for seed in (22, 37, 2))
    weights = tas_weights(MASK, 0.3)
    checked = 0
    for aggregate, level, cap in itertools.product(AGGREGATES, LEVELS, (None, 1.5)):

        def loss(
            x: torch.Tensor,
            aggregate: Aggregate = aggregate,
            level: Level = level,
            cap: float | None = cap,
        ) -> torch.Tensor:
            return policy_loss(
                x,
                old,
                ADVANTAGES,
                MASK,
                clip_high=0.28,
                level=level,
                weights=weights,
                kl=kl_k3(x, ref, MASK),
                beta=0.1,
                aggregate=aggregate,
                max_length=6,
                ratio_cap=cap,
            ).loss

        assert torch.autograd.gradcheck(loss, logp.clone().requires_grad_(), atol=1e-6, rtol=1e-6)
        checked += 1
    assert checked == 16
    # The example has tokens on every branch, or the check above would prove less than it says.
    terms = policy_loss(logp, old, ADVANTAGES, MASK, clip_high=0.28, ratio_cap=1.5)
    capped = ((logp - old).exp() > 1.5) & (ADVANTAGES.unsqueeze(1) < 0) & MASK.bool()
    shares = (terms.clip_low, terms.clip_high, capped.sum() / MASK.sum())
    assert min(shares) > 0 and sum(shares) < 1


def test_finite_differences_of_the_kl() -> None:
    logp, ref = _log_probabilities(3).requires_grad_(), _log_probabilities(4)
    assert torch.autograd.gradcheck(lambda x: kl_k3(x, ref, MASK), logp, atol=1e-6, rtol=1e-6)
    # Its derivative is 1 − π_ref / π: zero where the two agree.
    gradient = _gradient(kl_k3(logp, ref).sum(), logp)
    torch.testing.assert_close(gradient, 1 - (ref - logp.detach()).exp())
    same = _gradient(kl_k3(logp, logp.detach()).sum(), logp)
    assert not same.any()


@pytest.mark.parametrize("aggregate", AGGREGATES)
@pytest.mark.parametrize("level", LEVELS)
def test_on_policy_the_gradient_is_that_of_reinforce(aggregate: Aggregate, level: Level) -> None:
    logp = _log_probabilities(5).requires_grad_()
    terms = policy_loss(
        logp, logp.detach(), ADVANTAGES, MASK, level=level, aggregate=aggregate, max_length=6
    )
    assert terms.ess == 1
    assert terms.clip_low == terms.clip_high == 0
    # −Σ cᵢ Aᵢ log π with cᵢ what a token of row i counts; lengths 3, 2, 4, 0 make 3 rows, 9 tokens.
    divisor = {
        "grpo": torch.tensor([9.0, 6.0, 12.0, 1.0]),
        "bnpo": torch.tensor([9.0]),
        "dapo": torch.tensor([9.0]),
        "dr_grpo": torch.tensor([18.0]),
    }[aggregate].double()
    active = torch.where(MASK.bool(), logp, 0.0)
    reinforce = -(active * (ADVANTAGES / divisor).unsqueeze(1)).sum()
    torch.testing.assert_close(_gradient(terms.loss, logp), _gradient(reinforce, logp))


def test_on_policy_gradient_of_a_token_is_its_weighted_advantage() -> None:
    logp = _log_probabilities(6).requires_grad_()
    weights = tas_weights(MASK, 0.3)
    terms = policy_loss(logp, logp.detach(), ADVANTAGES, MASK, weights=weights, aggregate="bnpo")
    expected = -(weights * ADVANTAGES.unsqueeze(1)) * MASK / 9
    torch.testing.assert_close(_gradient(terms.loss, logp), expected)


def test_lambda_zero_is_plain_grpo_to_the_bit() -> None:
    old = _log_probabilities(7).float()
    advantages = ADVANTAGES.float()
    checked = 0
    for aggregate, level in itertools.product(AGGREGATES, LEVELS):
        results = []
        for weights in (None, tas_weights(MASK, 0.0), tas_weights(MASK, 0.0, normalize=True)):
            logp = _log_probabilities(8).float().requires_grad_()
            terms = policy_loss(
                logp,
                old,
                advantages,
                MASK,
                level=level,
                weights=weights,
                aggregate=aggregate,
                max_length=6,
            )
            results.append((terms.loss.detach(), _gradient(terms.loss, logp)))
        for loss, gradient in results[1:]:
            assert torch.equal(loss, results[0][0])
            assert torch.equal(gradient, results[0][1])
            checked += 1
    assert checked == 16


def test_weights_equal_advantages_per_token() -> None:
    logp, old = _log_probabilities(9), _log_probabilities(10)
    weights = tas_weights(MASK, 0.3).double()
    shaped = policy_loss(logp, old, ADVANTAGES, MASK, weights=weights)
    per_token = policy_loss(logp, old, ADVANTAGES.unsqueeze(1) * weights, MASK)
    assert torch.equal(shaped.loss, per_token.loss)


def test_at_sequence_level_weights_no_longer_tell_tokens_apart() -> None:
    # One ratio per row, so every token of a row has one gradient: that of the mean weight.
    logp = _log_probabilities(11).requires_grad_()
    weights = tas_weights(MASK, 0.3)
    shaped = policy_loss(
        logp, logp.detach(), ADVANTAGES, MASK, weights=weights, level="sequence"
    ).loss
    plain = policy_loss(logp, logp.detach(), ADVANTAGES, MASK, level="sequence").loss
    lengths = MASK.sum(dim=1, keepdim=True).clamp(min=1)
    mean_weight = weights.double().sum(dim=1, keepdim=True) / lengths
    torch.testing.assert_close(_gradient(shaped, logp), mean_weight * _gradient(plain, logp))


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("aggregate", AGGREGATES)
def test_nothing_outside_the_mask_reaches_loss_or_gradient(
    aggregate: Aggregate, level: Level
) -> None:
    def run(filler: float) -> tuple[torch.Tensor, torch.Tensor]:
        def fill(tensor: torch.Tensor) -> torch.Tensor:
            return torch.where(MASK.bool(), tensor.float(), filler)

        logp = fill(_log_probabilities(12)).requires_grad_()
        old, ref = fill(_log_probabilities(13)), fill(_log_probabilities(14) * 0.5)
        terms = policy_loss(
            logp,
            old,
            fill(ADVANTAGES.unsqueeze(1).expand(4, 4)),
            MASK,
            level=level,
            weights=fill(tas_weights(MASK, 0.3)),
            kl=kl_k3(logp, ref, MASK),
            beta=0.1,
            aggregate=aggregate,
            max_length=6,
        )
        assert all(bool(term.isfinite()) for term in terms if term is not None)
        return terms.loss.detach(), _gradient(terms.loss, logp)

    clean_loss, clean_gradient = run(0.0)
    assert not clean_gradient[~MASK.bool()].any()
    checked = 0
    for filler in (NAN, INF, -INF, 3e38, -3e38):
        loss, gradient = run(filler)
        assert torch.equal(loss, clean_loss)
        assert torch.equal(gradient, clean_gradient)
        checked += 1
    assert checked == 5


@pytest.mark.parametrize("aggregate", AGGREGATES)
@pytest.mark.parametrize("shape", [(2, 3), (0, 3), (2, 0)])
def test_empty_mask_gives_zero_with_zero_gradients(
    aggregate: Aggregate, shape: tuple[int, int]
) -> None:
    logp = torch.full(shape, NAN, requires_grad=True)
    mask = torch.zeros(shape, dtype=torch.bool)
    terms = policy_loss(
        logp,
        torch.full(shape, INF),
        torch.full(shape[:1], NAN),
        mask,
        weights=tas_weights(mask, 0.3),
        kl=kl_k3(logp, torch.zeros(shape), mask),
        beta=0.1,
        aggregate=aggregate,
        max_length=6,
    )
    assert terms.loss == 0
    assert torch.equal(_gradient(terms.loss, logp), torch.zeros(shape))
    assert terms.ess == 1
    assert terms.tokens == terms.rows == terms.clip_low == terms.clip_high == 0


@pytest.mark.parametrize(
    ("advantage", "log_ratio", "settings_", "loss", "gradient"),
    [
        # A ratio of e²⁰⁰ is inf in a float; where it is bounded, loss and gradient are not.
        (1.0, 200.0, {}, -1.2, 0.0),
        (-1.0, 200.0, {"ratio_cap": 3.0}, 3.0, 0.0),
        (-1.0, -200.0, {}, 0.8, 0.0),
        (1.0, -200.0, {}, 0.0, 0.0),
        (0.0, 200.0, {}, 0.0, 0.0),
        # Inside the bounds d(−ρA)/d log π = −ρA.
        (-1.0, 1.0, {}, 2.7182817, 2.7182817),
        (-1.0, 1.0, {"ratio_cap": 3.0}, 2.7182817, 2.7182817),
        (1.0, 0.2, {"clip_high": 0.28}, -1.2214028, -1.2214028),
    ],
)
def test_gradient_of_one_token_at_extreme_ratios(
    advantage: float, log_ratio: float, settings_: dict[str, Any], loss: float, gradient: float
) -> None:
    logp = torch.tensor([[log_ratio]], requires_grad=True)
    ones = torch.ones(1, 1).bool()
    terms = policy_loss(logp, torch.zeros(1, 1), torch.tensor([advantage]), ones, **settings_)
    torch.testing.assert_close(terms.loss.detach(), torch.tensor(loss))
    torch.testing.assert_close(_gradient(terms.loss, logp), torch.tensor([[gradient]]))


def test_values_that_are_not_finite_inside_the_mask_are_not_hidden() -> None:
    ones, zeros = torch.ones(1, 2).bool(), torch.zeros(1, 2)
    spoiled = torch.tensor([[0.0, NAN]])
    assert policy_loss(spoiled, zeros, torch.ones(1), ones).loss.isnan()
    assert policy_loss(zeros, spoiled, torch.ones(1), ones).loss.isnan()
    assert policy_loss(zeros, zeros, torch.tensor([NAN]), ones).loss.isnan()
    assert policy_loss(zeros, zeros, torch.ones(1), ones, kl=spoiled, beta=0.1).loss.isnan()


def test_gradient_flows_through_logp_and_kl_only() -> None:
    logp, old, kl, weights = (_log_probabilities(s).requires_grad_() for s in (15, 16, 17, 18))
    advantages = ADVANTAGES.clone().requires_grad_()
    terms = policy_loss(logp, old, advantages, MASK, weights=weights.abs(), kl=kl, beta=0.1)
    inputs = (logp, kl, old, advantages, weights)
    gradients = torch.autograd.grad(terms.loss, inputs, allow_unused=True)
    assert bool(gradients[0].any())
    # grpo counts a token of row i 1 / (3 Lᵢ); the lengths are 3, 2, 4.
    expected = 0.1 * MASK / torch.tensor([[9.0], [6.0], [12.0], [1.0]]).double()
    torch.testing.assert_close(gradients[1], expected)
    assert [gradient is None for gradient in gradients[2:]] == [True, True, True]
    rest = [term for name, term in terms._asdict().items() if name != "loss"]
    assert len(rest) == 6
    assert not any(term.requires_grad for term in rest)
    reference = _log_probabilities(19).requires_grad_()
    assert not kl_k3(logp.detach(), reference).requires_grad
