from __future__ import annotations

import random
from collections import Counter

import numpy as np

from avatar_core.replay.members import diverse_members, likely_members

NONE = np.nan


def test_one_member_is_drawn_uniformly():
    rewards = np.array([0.0, 1.0, NONE, 0.5])
    rng = random.Random(0)
    counts = Counter(diverse_members(rewards, 1, (), rng)[0] for _ in range(3_000))
    # Three scored members, 1,000 each; 3 sd = 3·√(3000·⅓·⅔) ≈ 77.
    assert set(counts) == {0, 1, 3}
    assert all(abs(count - 1_000) < 120 for count in counts.values())


def test_two_members_are_the_lowest_and_the_highest_reward():
    rewards = np.array([0.4, 1.0, 0.2, 0.8, NONE])
    assert diverse_members(rewards, 2, (), random.Random(0)) == [2, 1]
    assert diverse_members(rewards, 2, {1}, random.Random(0)) == [2, 3]


def test_more_members_are_spaced_evenly_over_the_rewards():
    rewards = np.array([0.0, 0.1, 0.2, 0.3, 0.4])
    assert diverse_members(rewards, 3, (), random.Random(0)) == [0, 2, 4]
    assert sorted(diverse_members(rewards, 9, (), random.Random(0))) == [0, 1, 2, 3, 4]


def test_equal_rewards_are_left_to_chance():
    rewards = np.array([0.0, 1.0, 1.0, 1.0])
    rng = random.Random(0)
    tops = Counter(diverse_members(rewards, 2, (), rng)[1] for _ in range(600))
    assert set(tops) == {1, 2, 3}


def test_nothing_is_drawn_from_an_exhausted_group():
    rewards = np.array([0.0, NONE])
    assert diverse_members(rewards, 1, {0}, random.Random(0)) == []
    assert diverse_members(rewards, 3, {0}, random.Random(0)) == []


def test_likely_members_follow_a_softmax_of_their_scores():
    scores = np.array([0.0, 2 * np.log(3), NONE])
    chance = np.random.default_rng(1)
    counts = Counter(likely_members(scores, 2.0, 1, (), chance)[0] for _ in range(2_000))
    # At T = 2 the weights are 1 and 3: 500 and 1,500, sd = √(2000·¼·¾) ≈ 19.
    assert set(counts) == {0, 1}
    assert abs(counts[0] - 500) < 80


def test_likely_members_are_all_different_and_never_taken_or_unscored():
    scores = np.array([0.0, 1e6, NONE, -1e6, 5.0])
    chance = np.random.default_rng(2)
    assert likely_members(scores, 1e-3, 9, (), chance) == [1, 4, 0, 3]
    assert likely_members(scores, 1e-3, 2, {1}, chance) == [4, 0]
    assert likely_members(scores, 1e-3, 2, {0, 1, 3, 4}, chance) == []
