from __future__ import annotations

import math
import random

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from avatar_core.algo.advantages import group_advantages, no_signal, vcrs_advantages

NAN = float("nan")
SMALL = st.integers(-100, 100).map(lambda n: n / 10)
GROUP = st.lists(SMALL, min_size=2, max_size=10)


def _double(values: list[list[float]]) -> torch.Tensor:
    return torch.tensor(values, dtype=torch.float64)


def test_group_by_hand() -> None:
    # μ = 1, deviations −1, −1, 0, 2; σ² = (1 + 1 + 0 + 4) / 3 = 2.
    sigma = math.sqrt(2) + 1e-4
    expected = torch.tensor([[-1 / sigma, -1 / sigma, 0.0, 2 / sigma]])
    torch.testing.assert_close(group_advantages(torch.tensor([[0.0, 0.0, 1.0, 3.0]])), expected)


def test_centred_only() -> None:
    rewards = torch.tensor([[0.0, 0.0, 1.0, 3.0], [2.0, 2.0, 2.0, 2.0]])
    assert group_advantages(rewards, scale="none").tolist() == [
        [-1.0, -1.0, 0.0, 2.0],
        [0.0, 0.0, 0.0, 0.0],
    ]


def test_deviation_is_the_sample_deviation() -> None:
    # Two rewards a > b: σ = (a − b) / √2, so A = ±√½; the population deviation would give ±1.
    advantages = group_advantages(torch.tensor([[1.0, 0.0]]), eps=1e-12)
    torch.testing.assert_close(advantages, torch.tensor([[0.5**0.5, -(0.5**0.5)]]))


def test_equal_rewards_give_exactly_zero() -> None:
    # In float32 the mean of eight 0.1 is not 0.1; normalising turns the rest into −7.45·10⁻⁵.
    tenths = torch.full((8,), 0.1)
    naive = (tenths - tenths.mean()) / (tenths.std() + 1e-4)
    torch.testing.assert_close(naive, torch.full((8,), -7.45e-5), rtol=1e-3, atol=0)
    assert group_advantages(tenths.unsqueeze(0)).tolist() == [[0.0] * 8]
    checked = 0
    for value in (0.1, 1 / 3, -0.7, 1e8, 0.0, 1e-30):
        for size in (1, 2, 3, 7, 8, 64):
            group = torch.full((1, size), value)
            assert not group_advantages(group).any()
            assert not group_advantages(group, scale="none").any()
            assert no_signal(group).tolist() == [True]
            checked += 1
    assert checked == 36


def test_group_of_one_is_zero_not_nan() -> None:
    assert group_advantages(torch.tensor([[5.0]])).tolist() == [[0.0]]
    assert group_advantages(torch.tensor([[5.0]]), scale="none").tolist() == [[0.0]]


def test_unscored_members_leave_mean_and_deviation() -> None:
    rewards = torch.tensor([[1.0, NAN, 0.0, 100.0]])
    scored = torch.tensor([[True, False, True, False]])
    alone = group_advantages(torch.tensor([[1.0, 0.0]]))
    advantages = group_advantages(rewards, scored)
    assert torch.equal(advantages[scored], alone[0])
    assert advantages[~scored].tolist() == [0.0, 0.0]


@pytest.mark.parametrize("scale", ["std", "none"])
@pytest.mark.parametrize("scored", [[False, False, False], [False, True, False]])
def test_groups_with_fewer_than_two_scores_are_silent(scale: str, scored: list[bool]) -> None:
    mask = torch.tensor([scored])
    rewards = torch.tensor([[NAN, 3.0, math.inf]])
    assert not group_advantages(rewards, mask, scale=scale).any()  # type: ignore[arg-type]
    assert no_signal(rewards, mask).tolist() == [True]


def test_no_signal_looks_at_scored_rewards_only() -> None:
    rewards = torch.tensor([[1.0, 1.0, 2.0], [1.0, 1.0, 2.0], [1.0, 2.0, NAN]])
    scored = torch.tensor([[True, True, False], [True, True, True], [True, True, False]])
    assert no_signal(rewards, scored).tolist() == [True, False, False]
    assert no_signal(-rewards, scored).tolist() == [True, False, False]
    assert no_signal(torch.zeros(2, 0)).tolist() == [True, True]


def test_smallest_difference_is_a_signal_but_a_small_one() -> None:
    low = torch.tensor(0.1)
    high = torch.nextafter(low, torch.tensor(1.0))
    rewards = torch.stack([low, low, low, high]).unsqueeze(0)
    assert no_signal(rewards).tolist() == [False]
    assert group_advantages(rewards).abs().max() < 1e-3


def test_without_epsilon_nothing_is_divided_by_zero() -> None:
    # Squares of 10⁻³⁰ vanish in float32, so σ = 0 although the rewards differ.
    advantages = group_advantages(torch.tensor([[0.0, 1e-30], [1.0, 1.0], [0.0, 1.0]]), eps=0.0)
    assert bool(advantages.isfinite().all())
    torch.testing.assert_close(advantages[2], torch.tensor([-(0.5**0.5), 0.5**0.5]))


def test_ten_thousand_groups_agree_with_plain_arithmetic() -> None:
    rng = random.Random(0)
    groups, size = 10_000, 8
    totals = [-0.5, 0.0, 0.5, 1.0, 0.123]
    values = [rng.choices(totals[: rng.randint(1, 5)], k=size) for _ in range(groups)]
    marks = [[rng.random() < 0.7 for _ in range(size)] for _ in range(groups)]
    given_rewards = [
        [v if m else NAN for v, m in zip(row, mark, strict=True)]
        for row, mark in zip(values, marks, strict=True)
    ]
    actual = group_advantages(_double(given_rewards), torch.tensor(marks)).tolist()
    checked = 0
    for row, mark, result in zip(values, marks, actual, strict=True):
        kept = [v for v, m in zip(row, mark, strict=True) if m]
        silent = len(set(kept)) < 2
        mean = sum(kept) / max(len(kept), 1)
        spread = math.sqrt(sum((v - mean) ** 2 for v in kept) / max(len(kept) - 1, 1)) + 1e-4
        for v, m, a in zip(row, mark, result, strict=True):
            expected = 0.0 if silent or not m else (v - mean) / spread
            assert a == pytest.approx(expected, abs=1e-12)
        checked += 1
    assert checked == 10_000


@settings(deadline=None, max_examples=100)
@given(GROUP, SMALL)
def test_shifting_all_rewards_changes_nothing(values: list[float], shift: float) -> None:
    plain = group_advantages(_double([values]))
    moved = group_advantages(_double([[v + shift for v in values]]))
    torch.testing.assert_close(moved, plain, rtol=0, atol=1e-6)


@settings(deadline=None, max_examples=100)
@given(GROUP, st.integers(1, 100))
def test_scaling_all_rewards_scales_centred_and_keeps_normalised(
    values: list[float], factor: int
) -> None:
    plain, scaled = _double([values]), _double([[v * factor for v in values]])
    torch.testing.assert_close(
        group_advantages(scaled, scale="none"), factor * group_advantages(plain, scale="none")
    )
    torch.testing.assert_close(
        group_advantages(scaled, eps=1e-13), group_advantages(plain, eps=1e-13), rtol=0, atol=1e-9
    )


@settings(deadline=None, max_examples=100)
@given(GROUP, st.randoms(use_true_random=False))
def test_order_of_members_does_not_matter(values: list[float], rng: random.Random) -> None:
    order = list(range(len(values)))
    rng.shuffle(order)
    plain = group_advantages(_double([values]))
    shuffled = group_advantages(_double([[values[i] for i in order]]))
    torch.testing.assert_close(shuffled, plain[:, order], rtol=0, atol=1e-12)


@settings(deadline=None, max_examples=100)
@given(GROUP)
def test_advantages_sum_to_zero_with_deviation_near_one(values: list[float]) -> None:
    rewards = _double([values])
    advantages = group_advantages(rewards, eps=1e-13)
    assert advantages.sum().abs() < 1e-9
    if no_signal(rewards).item():
        assert not advantages.any()
    else:
        assert advantages.std().item() == pytest.approx(1.0, abs=1e-9)


def test_rows_do_not_see_each_other() -> None:
    rewards = torch.tensor([[0.0, 1.0, 2.0], [5.0, 5.0, 9.0]])
    both = group_advantages(rewards)
    assert torch.equal(both[:1], group_advantages(rewards[:1]))
    assert torch.equal(both[1:], group_advantages(rewards[1:]))


def test_a_reward_that_is_not_finite_spoils_its_own_group_only() -> None:
    advantages = group_advantages(torch.tensor([[NAN, 0.0, 1.0], [1.0, 0.0, 0.5]]))
    assert bool(advantages[0].isnan().all())
    assert bool(advantages[1].isfinite().all())


def test_gradient_by_finite_differences() -> None:
    rewards = _double([[0.0, 0.3, 1.0, 0.6], [2.0, -1.0, 0.5, 0.1]]).requires_grad_()
    scored = torch.tensor([[True, True, True, False], [True] * 4])
    assert torch.autograd.gradcheck(
        lambda r: group_advantages(r, scored), rewards, atol=1e-6, rtol=1e-6
    )


def test_group_advantages_keep_double_and_raise_half() -> None:
    assert group_advantages(_double([[0.0, 1.0]])).dtype == torch.float64
    assert group_advantages(torch.zeros(1, 2, dtype=torch.bfloat16)).dtype == torch.float32


def test_group_advantages_refuse_what_they_cannot_use() -> None:
    good = torch.zeros(2, 3)
    with pytest.raises(ValueError, match="rewards has shape"):
        group_advantages(torch.zeros(3))
    with pytest.raises(TypeError, match="rewards has dtype"):
        group_advantages(good.long())
    with pytest.raises(ValueError, match="scored has shape"):
        group_advantages(good, torch.ones(3, 2, dtype=torch.bool))
    with pytest.raises(TypeError, match="scored has dtype"):
        group_advantages(good, torch.ones(2, 3))
    with pytest.raises(ValueError, match="eps is -1"):
        group_advantages(good, eps=-1)
    with pytest.raises(ValueError, match="scale is 'batch'"):
        group_advantages(good, scale="batch")  # type: ignore[arg-type]


def test_vcrs_by_hand() -> None:
    # Rewards 0, 0, 1, 3: σ = √2 as above. R − R̄ = −½, 0, ½, 2; α = 0.5.
    rewards = torch.tensor([0.0, 0.0, 1.0, 3.0])
    baselines = torch.tensor([0.5, 0.0, 0.5, 1.0])
    expected = torch.tensor([-0.25, 0.0, 0.25, 1.0]) / 2**0.5
    torch.testing.assert_close(vcrs_advantages(rewards, baselines, alpha=0.5), expected)
    assert vcrs_advantages(rewards, baselines, scale="none").tolist() == [-0.5, 0.0, 0.5, 2.0]


def test_vcrs_keeps_a_signal_where_the_group_has_none() -> None:
    # Equal rewards: the group says nothing, the prompt's history does. σ < floor, so σ = 1.
    rewards = torch.ones(4)
    assert not group_advantages(rewards.unsqueeze(0)).any()
    torch.testing.assert_close(
        vcrs_advantages(rewards, torch.full((4,), 0.25)), torch.full((4,), 0.75)
    )


def test_vcrs_of_one_or_no_completion_is_unscaled() -> None:
    assert vcrs_advantages(torch.tensor([1.0]), torch.tensor([0.25])).tolist() == [0.75]
    assert vcrs_advantages(torch.zeros(0), torch.zeros(0)).shape == (0,)


def test_vcrs_floor_separates_dividing_from_not_dividing() -> None:
    # Two rewards a apart have σ = a / √2: 0.0707 for 0.1, 0.1414 for 0.2; the floor is 0.1.
    baselines = torch.zeros(2)
    below = vcrs_advantages(torch.tensor([1.0, 0.9]), baselines)
    torch.testing.assert_close(below, torch.tensor([1.0, 0.9]))
    above = vcrs_advantages(torch.tensor([1.0, 0.8]), baselines)
    torch.testing.assert_close(above, torch.tensor([1.0, 0.8]) / (0.2 / 2**0.5))
    lower = vcrs_advantages(torch.tensor([1.0, 0.9]), baselines, floor=0.01)
    torch.testing.assert_close(lower, torch.tensor([1.0, 0.9]) / (0.1 / 2**0.5))


@settings(deadline=None, max_examples=100)
@given(
    st.lists(st.tuples(st.floats(-0.5, 1.5), st.floats(-0.5, 1.5)), min_size=2, max_size=8),
    st.floats(0.05, 1),
)
def test_vcrs_is_bounded_by_the_floor(pairs: list[tuple[float, float]], floor: float) -> None:
    rewards = torch.tensor([r for r, _ in pairs], dtype=torch.float64)
    baselines = torch.tensor([b for _, b in pairs], dtype=torch.float64)
    largest = (rewards - baselines).abs().max().item()
    advantages = vcrs_advantages(rewards, baselines, floor=floor)
    assert advantages.abs().max().item() <= largest / min(floor, 1.0) + 1e-9
    assert bool((advantages.sign() == (rewards - baselines).sign()).all())


def test_alpha_zero_leaves_nothing_of_the_replayed_part() -> None:
    advantages = vcrs_advantages(torch.tensor([0.0, 1.0]), torch.tensor([0.5, 0.5]), alpha=0.0)
    assert not advantages.any()


def test_vcrs_gradient_by_finite_differences() -> None:
    rewards = torch.tensor([0.0, 0.3, 1.0], dtype=torch.float64, requires_grad=True)
    baselines = torch.tensor([0.2, 0.1, 0.4], dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(vcrs_advantages, (rewards, baselines), atol=1e-6, rtol=1e-6)


def test_vcrs_refuses_what_it_cannot_use() -> None:
    good = torch.zeros(3)
    with pytest.raises(ValueError, match="rewards has shape"):
        vcrs_advantages(torch.zeros(1, 3), torch.zeros(1, 3))
    with pytest.raises(ValueError, match="baselines has shape"):
        vcrs_advantages(good, torch.zeros(2))
    with pytest.raises(TypeError, match="baselines has dtype"):
        vcrs_advantages(good, good.long())
    with pytest.raises(ValueError, match="floor is 0"):
        vcrs_advantages(good, good, floor=0)
    with pytest.raises(ValueError, match="scale is 'std'"):
        vcrs_advantages(good, good, scale="std")  # type: ignore[arg-type]


def test_advantages_leave_their_inputs_alone() -> None:
    rewards, scored = torch.tensor([[1.0, NAN, 0.0]]), torch.tensor([[True, False, True]])
    before = rewards.clone()
    group_advantages(rewards, scored)
    no_signal(rewards, scored)
    assert torch.equal(rewards.nan_to_num(9.0), before.nan_to_num(9.0))
    flat, baselines = torch.tensor([1.0, 0.0]), torch.tensor([0.5, 0.5])
    vcrs_advantages(flat, baselines)
    assert flat.tolist() == [1.0, 0.0]
    assert baselines.tolist() == [0.5, 0.5]
