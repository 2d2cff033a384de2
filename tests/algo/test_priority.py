from __future__ import annotations

import math
from collections import Counter

import numpy as np
import pytest

from avatar_core.algo.priority import (
    fresh_log_weights,
    gumbel_top_k,
    importance_weights,
    inclusion_probabilities,
    informativeness,
    release_scores,
    softmax_log_weights,
)


def vector(*values: float) -> np.ndarray:
    return np.array(values, np.float64)


def test_release_scores_by_hand():
    # 1 · 1 − 0.1 · 0.5 = 0.95; −2 − 0.1 · 0 = −2; an unscored member stays NaN.
    scores = release_scores(vector(1, -2, math.nan), vector(0.5, 0, 1))
    assert scores[:2].tolist() == [0.95, -2.0]
    assert math.isnan(scores[2])
    # 2 · 1 − 3 · 0.5
    assert release_scores(vector(1), vector(0.5), reward_weight=2, kl_weight=3).tolist() == [0.5]


def test_a_group_weighs_what_its_members_weigh_together():
    # T = 2: exp(2 log 1 / 2) + exp(2 log 3 / 2) = 1 + 3 = 4.
    scores = np.array([[0.0, 2 * math.log(3), math.nan], [math.nan] * 3])
    assert softmax_log_weights(scores, 2.0) == pytest.approx([math.log(4), -math.inf])


def test_a_gap_of_a_million_at_a_thousandth_does_not_overflow():
    scores = np.array([[0.0, 1e6], [-1e6, -1e6], [1e6, 1e6]])
    # Gaps of 10⁹ after division by T = 10⁻³; two equal members add log 2.
    weights = softmax_log_weights(scores, 1e-3)
    assert weights.tolist() == [1e9, -1e9 + math.log(2), 1e9 + math.log(2)]
    noise = np.zeros(3)
    top = gumbel_top_k(weights, noise, 2)
    assert top.places.tolist() == [2, 0]
    assert top.threshold == weights[1]
    assert inclusion_probabilities(weights, top.threshold)[[0, 2]].tolist() == [1.0, 1.0]


def test_informativeness_by_hand():
    rewards = np.array([[1, 0, math.nan], [math.nan] * 3, [0.5, 0.5, 0.5]])
    # (|1 − ¼| + |0 − ¼|) / 2 = ½; no score; rewards that agree with their baseline.
    assert informativeness(rewards, vector(0.25, 9, 0.5)).tolist() == [0.5, 0.0, 0.0]


@pytest.mark.parametrize("right", range(5))
def test_of_right_or_wrong_rewards_informativeness_is_twice_the_variance(right):
    p = right / 4
    rewards = vector(*[1] * right, *[0] * (4 - right))[None]
    assert informativeness(rewards, vector(p)).tolist() == [2 * p * (1 - p)]


def test_fresh_weights_by_hand():
    # (0.49 + 0.01) · exp(−64 / 64) / (1 + 1) = 1 / (4e); new and never used: 0.01 + 0.01.
    weights = np.exp(
        fresh_log_weights(
            vector(0.49, 0.01), np.array([64, 0]), np.array([1, 0]), tau=64.0, floor=0.01
        )
    )
    assert weights == pytest.approx([1 / (4 * math.e), 0.02])


def test_without_noise_the_heaviest_come_first():
    top = gumbel_top_k(vector(1, 4, 2, 3), np.zeros(4), 2)
    assert (top.places.tolist(), top.threshold) == ([1, 3], 2.0)
    # Noise 2.5 lifts the first to 3.5, between the two.
    top = gumbel_top_k(vector(1, 4, 2, 3), vector(2.5, 0, 0, 0), 2)
    assert (top.places.tolist(), top.threshold) == ([1, 0], 3.0)


@pytest.mark.parametrize("k", [4, 9])
def test_a_draw_of_all_returns_all(k):
    top = gumbel_top_k(vector(1, 4, 2, -math.inf), np.zeros(4), k)
    assert (top.places.tolist(), top.threshold) == ([1, 2, 0, 3], -math.inf)
    assert gumbel_top_k(np.empty(0), np.empty(0), k).places.tolist() == []


def test_a_draw_of_none_is_refused():
    with pytest.raises(ValueError, match="k is 0"):
        gumbel_top_k(vector(1), vector(0), 0)


def test_successive_draws_follow_the_weights():
    rng = np.random.default_rng(3)
    log_weights, trials = np.log(vector(1, 2, 3)), 6_000
    pairs = Counter(
        tuple(gumbel_top_k(log_weights, rng.gumbel(size=3), 2).places.tolist())
        for _ in range(trials)
    )
    # First i with wᵢ / 6, then j with wⱼ / (6 − wᵢ).
    expected = {(i, j): (i + 1) / 6 * (j + 1) / (5 - i) for i in range(3) for j in range(3)}
    assert sum(pairs.values()) == trials
    assert all(i != j for i, j in pairs)
    for pair, count in pairs.items():
        p = expected[pair]
        assert abs(count - trials * p) < 4 * math.sqrt(trials * p * (1 - p)), (pair, count)
    assert len(pairs) == 6


def test_weights_far_apart_keep_the_chance_among_equals():
    rng = np.random.default_rng(4)
    # Two equal ones far above the rest: noise of size 1 decides although they are 10¹⁵.
    log_weights = vector(1e15, 1e15, 0)
    firsts = Counter(
        int(gumbel_top_k(log_weights, rng.gumbel(size=3), 1).places[0]) for _ in range(400)
    )
    assert set(firsts) == {0, 1}
    assert abs(firsts[0] - 200) < 4 * 10


def test_inclusion_probabilities_make_sums_unbiased():
    rng = np.random.default_rng(5)
    values, log_weights = np.arange(1.0, 7.0), np.log(vector(1, 8, 2, 1, 4, 16))
    sums = []
    for _ in range(8_000):
        top = gumbel_top_k(log_weights, rng.gumbel(size=6), 3)
        chances = inclusion_probabilities(log_weights[top.places], top.threshold)
        sums.append(float((values[top.places] / chances).sum()))
    # 1 + 2 + … + 6 = 21; four standard errors.
    assert len(sums) == 8_000
    assert abs(np.mean(sums) - 21) < 4 * np.std(sums) / math.sqrt(len(sums))
    # Without the correction the sum of three of six, scaled by 6 / 3, is far off.
    assert np.std(sums) / math.sqrt(len(sums)) < 0.2


def test_inclusion_probability_by_hand():
    # 1 − exp(−exp(log w − κ)) with w = e^κ: 1 − 1/e. A draw of all had no choice.
    assert inclusion_probabilities(vector(2.0), 2.0) == pytest.approx([1 - 1 / math.e])
    assert inclusion_probabilities(vector(2.0, -5.0), -math.inf).tolist() == [1.0, 1.0]


def test_importance_weights_by_hand():
    # f / q = ¼ / ½ and ¼ / ¼: ½ and 1, of mean ¾.
    weights = importance_weights(vector(0.5, 0.25), vector(0.25, 0.25), bound=10.0)
    assert weights == pytest.approx([2 / 3, 4 / 3])
    # A uniform draw, and a draw of all, leave the mean as it is.
    assert importance_weights(vector(0.1, 0.1), vector(0.1, 0.1), bound=10.0).tolist() == [1, 1]
    assert importance_weights(np.empty(0), np.empty(0), bound=10.0).tolist() == []


def test_importance_weights_are_bounded():
    # The first would weigh ½ / 10⁻³⁰⁰, and a probability of 0 infinitely much: both count 10.
    weights = importance_weights(vector(1e-300, 0, 0.5, 0.5), np.full(4, 0.5), bound=10.0)
    assert weights == pytest.approx([10 / 5.5, 10 / 5.5, 1 / 5.5, 1 / 5.5])
    assert weights.mean() == pytest.approx(1)
