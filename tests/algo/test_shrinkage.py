from __future__ import annotations

import itertools
import json
import math
from collections.abc import Sequence

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from avatar_core.algo.advantages import group_advantages
from avatar_core.algo.shrinkage import (
    Memory,
    faded,
    remembered,
    shrinkage_advantages,
    shrinkage_gaps,
)

REWARD = st.sampled_from([-0.5, 0.0, 0.1, 0.3, 1.0])


def gaps(
    *groups: Sequence[float | None],
    means: list[float],
    weights: list[float],
    strength: float = 2.0,
) -> Tensor:
    width = max(len(group) for group in groups)
    padded = [[*group, *[None] * (width - len(group))] for group in groups]
    values = [[math.nan if r is None else r for r in row] for row in padded]
    return shrinkage_gaps(
        torch.tensor(values, dtype=torch.float64),
        torch.tensor([[r is not None for r in row] for row in padded]),
        torch.tensor(means, dtype=torch.float64),
        torch.tensor(weights, dtype=torch.float64),
        strength=strength,
    )


def advantages(rewards: list[list[float]], *, mean: float, weight: float, **more: object) -> Tensor:
    values = torch.tensor(rewards)
    return shrinkage_advantages(
        values,
        torch.ones_like(values, dtype=torch.bool),
        torch.full((len(values),), mean),
        torch.full((len(values),), weight),
        **{"strength": 2.0, **more},  # type: ignore[arg-type]
    )


def test_a_baseline_by_hand() -> None:
    # m = ½, N = 4, κ = 2, rewards 1, 0, 0 and one without score; weight 4 + 2·2 = 8.
    # b₁ = (4·½ + 2·(0 + 0)) / 8 = ¼, b₂ = b₃ = (2 + 2·1) / 8 = ½.
    found = gaps([1.0, 0.0, 0.0, None], means=[0.5], weights=[4.0])
    assert found.tolist() == [[0.75, -0.5, -0.5, 0.0]]


def test_without_memory_it_is_the_mean_of_the_others() -> None:
    # 1 against (0 + ½) / 2, 0 against (1 + ½) / 2, ½ against ½; whatever κ and the mean.
    for strength in (0.5, 3.0):
        found = gaps([1.0, 0.0, 0.5], means=[9.0], weights=[0.0], strength=strength)
        assert torch.allclose(found, torch.tensor([[0.75, -0.75, 0.0]]).double(), atol=1e-15)


def test_a_group_of_one_is_compared_with_its_memory_alone() -> None:
    found = gaps([1.0], [1.0], [1.0], means=[0.25, 0.25, 0.0], weights=[0.001, 50.0, 0.0])
    # The third has neither memory nor company.
    assert torch.allclose(found, torch.tensor([[0.75], [0.75], [0.0]]).double(), atol=1e-15)


def test_equal_rewards_teach_when_the_memory_expected_others() -> None:
    # (4 (1 − ¼) + 0) / (4 + 2·3) = 0.3 each, where the group alone says nothing.
    found = gaps([1.0] * 4, means=[0.25], weights=[4.0])
    assert found.tolist() == [[0.3] * 4]
    assert group_advantages(torch.ones(1, 4)).tolist() == [[0.0] * 4]


@pytest.mark.parametrize("reward", [0.1, 0.7, -1 / 3])
def test_what_is_expected_gives_exactly_nothing(reward: float) -> None:
    memory = Memory()
    for step in range(1, 40):
        memory = remembered(memory, [reward] * (step % 5 + 1), step, 0.93)
    assert memory.mean == reward
    found = gaps([reward] * 7, [reward] * 7, means=[reward, 0.4], weights=[memory.weight, 0.0])
    assert found.tolist() == [[0.0] * 7] * 2


@given(st.lists(REWARD, min_size=2, max_size=6), REWARD, st.floats(0, 50), st.floats(0.1, 9))
def test_shrinkage_lies_between_memory_and_the_others(
    rewards: list[float], mean: float, weight: float, strength: float
) -> None:
    found = gaps(rewards, means=[mean], weights=[weight], strength=strength)[0]
    for place, reward in enumerate(rewards):
        others = (sum(rewards) - reward) / (len(rewards) - 1)
        share = weight / (weight + strength * (len(rewards) - 1))
        expected = reward - (share * mean + (1 - share) * others)
        assert math.isclose(float(found[place]), expected, abs_tol=1e-12)


def test_the_baseline_leaves_the_policy_gradient_unbiased() -> None:
    # A policy that is right with probability p = σ(θ). Over all 2³ groups, weighted by their
    # probability, Σᵢ (Rᵢ − bᵢ) ∂ log π(Rᵢ) must be 3 dp/dθ = 3 p (1 − p), whatever was remembered.
    p, cases = 0.3, 0
    for mean, weight in ((0.0, 0.0), (0.9, 5.0), (-2.0, 1.0)):
        estimate = 0.0
        for rewards in itertools.product([0.0, 1.0], repeat=3):
            chance = math.prod(p if r else 1 - p for r in rewards)
            found = gaps(list(rewards), means=[mean], weights=[weight])[0]
            # ∂ log π(R) / ∂θ = R − p.
            score = sum(float(gap) * (r - p) for gap, r in zip(found, rewards, strict=True))
            estimate += chance * score
            cases += 1
        assert math.isclose(estimate, 3 * p * (1 - p), abs_tol=1e-12)
    assert cases == 24


def test_one_deviation_scales_all_groups() -> None:
    # Gaps ±1 and ±¼ without memory: σ² = (1 + 1 + 1/16 + 1/16) / 4.
    found = advantages([[1.0, 0.0], [0.5, 0.25]], mean=0.0, weight=0.0)
    sigma = math.sqrt((2 + 2 / 16) / 4)
    expected = torch.tensor([[1.0, -1.0], [0.25, -0.25]]) / sigma
    assert torch.allclose(found, expected)
    assert found.dtype == torch.float32
    unscaled = advantages([[1.0, 0.0], [0.5, 0.25]], mean=0.0, weight=0.0, scale="none")
    assert unscaled.tolist() == [[1.0, -1.0], [0.25, -0.25]]


def test_an_update_better_than_expected_is_positive_throughout() -> None:
    found = advantages([[1.0, 1.0], [1.0, 1.0]], mean=0.0, weight=2.0)
    # All gaps are ½ and so is σ.
    assert found.tolist() == [[1.0, 1.0], [1.0, 1.0]]


def test_small_gaps_are_divided_by_the_floor() -> None:
    # Gaps ±0.01, σ = 0.01 < 0.1.
    found = advantages([[0.01, 0.0]], mean=0.0, weight=0.0)
    assert torch.allclose(found, torch.tensor([[0.1, -0.1]]))
    assert advantages([[0.5, 0.5]], mean=0.0, weight=0.0).tolist() == [[0.0, 0.0]]


def test_what_has_no_baseline_does_not_dilute_the_deviation() -> None:
    rewards = torch.tensor([[1.0, 0.0], [5.0, math.nan], [math.nan, math.nan]])
    scored = torch.tensor([[True, True], [True, False], [False, False]])
    nothing = torch.zeros(3)
    found = shrinkage_advantages(rewards, scored, nothing, nothing, strength=2.0)
    # σ = 1 over the first group alone.
    assert found.tolist() == [[1.0, -1.0], [0.0, 0.0], [0.0, 0.0]]
    empty = torch.zeros(0, 3)
    none = torch.zeros(0)
    assert shrinkage_advantages(empty, empty.bool(), none, none, strength=2.0).shape == (0, 3)


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_a_reward_that_is_not_finite_is_not_hidden(bad: float) -> None:
    found = advantages([[bad, 0.0], [1.0, 0.0]], mean=0.0, weight=0.0)
    assert not found[0].isfinite().any()
    centred = advantages([[bad, 0.0]], mean=0.5, weight=1.0, scale="none")
    assert not centred.isfinite().any()


def test_a_memory_fades_by_steps_and_keeps_its_mean() -> None:
    memory = remembered(Memory(), [1.0, 0.0, 0.0, 0.0], 10, 0.5)
    assert memory == Memory(mean=0.25, weight=4.0, step=10)
    assert faded(memory, 13, 0.5) == Memory(mean=0.25, weight=0.5, step=13)
    assert faded(memory, 10, 0.5) == faded(memory, 7, 0.5) == memory
    assert faded(memory, 99, 1.0).weight == 4.0
    # ½ left, 1 and 1 new: N = 2.5, m = ¼ + (¾ + ¾) / 2.5 = 0.85.
    later = remembered(memory, [1.0, 1.0], 13, 0.5)
    assert (later.weight, later.step) == (2.5, 13)
    assert math.isclose(later.mean, 0.85)
    assert remembered(memory, [], 13, 0.5) == memory


def test_a_memory_is_the_weighted_mean_of_all_rewards() -> None:
    visits = [(3, [1.0, 0.5]), (4, [0.0]), (9, [0.25, 1.0, 1.0]), (9, [0.5]), (30, [0.0, 1.0])]
    memory = Memory()
    for step, rewards in visits:
        memory = remembered(memory, rewards, step, 0.9)
    weights = [0.9 ** (30 - step) for step, rewards in visits for _ in rewards]
    every = [reward for _, rewards in visits for reward in rewards]
    total = sum(w * r for w, r in zip(weights, every, strict=True))
    assert len(every) == 9
    assert math.isclose(memory.weight, sum(weights))
    assert math.isclose(memory.mean, total / sum(weights))


def test_a_memory_forgotten_to_the_last_bit_begins_anew() -> None:
    memory = faded(Memory(mean=0.3, weight=5.0, step=1), 10**6, 0.5)
    assert memory.weight == 0.0
    assert remembered(memory, [0.7, 0.7], 10**6, 0.5) == Memory(0.7, 2.0, 10**6)


def test_a_memory_survives_json_to_the_last_bit() -> None:
    memory = remembered(Memory(0.1, 1 / 3, 5), [0.7, 0.1], 8, 0.98)
    assert Memory(*json.loads(json.dumps(list(memory)))) == memory


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"strength": 0.0}, "strength is 0.0"),
        ({"floor": 0.0}, "floor is 0.0"),
        ({"scale": "group"}, "scale is 'group'"),
    ],
)
def test_settings_out_of_range_are_refused(changes: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        advantages([[1.0, 0.0]], mean=0.0, weight=0.0, **changes)


def test_shapes_and_dtypes_are_checked() -> None:
    rewards, scored, none = torch.zeros(2, 3), torch.ones(2, 3, dtype=torch.bool), torch.zeros(2)
    with pytest.raises(ValueError, match="rewards has shape"):
        shrinkage_gaps(rewards[0], scored, none, none, strength=1.0)
    with pytest.raises(ValueError, match="scored has shape"):
        shrinkage_gaps(rewards, scored[:1], none, none, strength=1.0)
    with pytest.raises(TypeError, match="scored has dtype"):
        shrinkage_gaps(rewards, scored.float(), none, none, strength=1.0)
    with pytest.raises(ValueError, match="weights has shape"):
        shrinkage_gaps(rewards, scored, none, none[:1], strength=1.0)
    with pytest.raises(TypeError, match="means has dtype"):
        shrinkage_gaps(rewards, scored, none.long(), none, strength=1.0)
