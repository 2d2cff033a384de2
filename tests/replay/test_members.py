from __future__ import annotations

import random
from collections import Counter

from avatar_core.replay.members import diverse_members


def test_one_member_is_drawn_uniformly(make_group):
    group = make_group("q", [0.0, 1.0, None, 0.5])
    rng = random.Random(0)
    counts = Counter(diverse_members(group, 1, (), rng)[0] for _ in range(3_000))
    # Three scored members, 1,000 each; 3 sd = 3·√(3000·⅓·⅔) ≈ 77.
    assert set(counts) == {0, 1, 3}
    assert all(abs(count - 1_000) < 120 for count in counts.values())


def test_two_members_are_the_lowest_and_the_highest_reward(make_group):
    group = make_group("q", [0.4, 1.0, 0.2, 0.8, None])
    assert diverse_members(group, 2, (), random.Random(0)) == [2, 1]
    assert diverse_members(group, 2, {1}, random.Random(0)) == [2, 3]


def test_more_members_are_spaced_evenly_over_the_rewards(make_group):
    group = make_group("q", [0.0, 0.1, 0.2, 0.3, 0.4])
    assert diverse_members(group, 3, (), random.Random(0)) == [0, 2, 4]
    assert sorted(diverse_members(group, 9, (), random.Random(0))) == [0, 1, 2, 3, 4]


def test_equal_rewards_are_left_to_chance(make_group):
    group = make_group("q", [0.0, 1.0, 1.0, 1.0])
    rng = random.Random(0)
    tops = Counter(diverse_members(group, 2, (), rng)[1] for _ in range(600))
    assert set(tops) == {1, 2, 3}


def test_nothing_is_drawn_from_an_exhausted_group(make_group):
    group = make_group("q", [0.0, None])
    assert diverse_members(group, 1, {0}, random.Random(0)) == []
    assert diverse_members(group, 3, {0}, random.Random(0)) == []
