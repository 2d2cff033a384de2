from __future__ import annotations

import random
import statistics
import time

import numpy as np
import pytest

from avatar_core.errors import UsageError
from avatar_core.replay import ReplayBuffer


def test_the_baseline_is_the_mean_of_the_last_twenty_fresh_rewards(make_group):
    buffer = ReplayBuffer()
    assert buffer.baseline("q") == 0.0
    buffer.insert(make_group("q", [0.0, 1.0, 1.0, 1.0]))
    assert buffer.baseline("q") == 0.75
    for step in range(5):
        buffer.insert(make_group("q", [0.5] * 4, step=step))
    # 24 rewards were given; the window holds the last 20, all 0.5.
    assert buffer.baseline("q") == 0.5
    buffer.insert(make_group("q", [1.0, 1.0]))
    assert buffer.baseline("q") == pytest.approx((18 * 0.5 + 2 * 1.0) / 20)


def test_the_baseline_differs_from_the_group_mean_once_a_prompt_recurs(make_group):
    buffer = ReplayBuffer()
    buffer.insert(make_group("q", [0.0, 0.0, 0.0, 0.0]))
    assert buffer.baseline("q") == 0.0
    buffer.insert(make_group("q", [1.0, 1.0, 1.0, 1.0]))
    # The second group's mean is 1, so A = R − R̄ is 1 − ½ rather than 0.
    assert buffer.baseline("q") == 0.5
    assert buffer.visits("q") == 2


def test_other_prompts_hints_and_unscored_completions_leave_the_baseline_alone(make_group):
    buffer = ReplayBuffer()
    buffer.insert(make_group("q", [0.25, None, 0.75]))
    assert buffer.baseline("q") == 0.5
    buffer.insert(make_group("other", [9.0]))
    buffer.insert(make_group("q", [9.0, 9.0], hinted=True))
    buffer.insert(make_group("q", [None, None]))
    buffer.draw(4, random.Random(0))
    assert buffer.baseline("q") == 0.5
    assert buffer.visits("q") == 3
    assert buffer.visits("never") == 0


def test_a_hinted_group_is_stored_with_its_flag(make_group):
    buffer = ReplayBuffer(min_fill=1)
    buffer.insert(make_group("q", [0.5, 1.0], hinted=True))
    assert buffer.baseline("q") == 0.0
    assert buffer.tier_of("q") == "hard"
    assert [d.group.hinted for d in buffer.draw(2, random.Random(0))] == [True, True]
    assert buffer.tier_sizes() == {"easy": 0, "medium": 0, "hard": 2}


def test_unscored_completions_are_neither_counted_nor_drawn(make_group):
    buffer = ReplayBuffer(min_fill=3)
    buffer.insert(make_group("q", [None, 1.0, None, 0.0]))
    buffer.insert(make_group("r", [None, None]))
    assert len(buffer) == 2
    assert not buffer.ready
    assert {d.member for d in buffer.draw(9, random.Random(0))} == {1, 3}
    assert [stored.group.prompt_id for stored in buffer.groups()] == ["q"]
    buffer.insert(make_group("r", [1.0]))
    assert buffer.ready


def test_the_tier_is_read_at_the_draw_and_never_frozen(make_group):
    buffer = ReplayBuffer(min_fill=1)
    for index in range(20):
        buffer.insert(make_group(str(index), [float(index)]))
    assert buffer.tier_of("0") == "hard"
    assert buffer.tier_of("never seen") == "hard"
    buffer.insert(make_group("0", [100.0]))
    assert buffer.tier_of("0") == "easy"
    tiers = {d.number: d.tier for d in buffer.draw(100, random.Random(0))}
    # Both groups of prompt 0 moved, the one stored as hard included.
    assert tiers[0] == tiers[20] == "easy"


def test_over_capacity_the_oldest_group_of_the_fullest_tier_leaves(make_group):
    # Twenty prompts of one completion: 8 hard (0-7), 7 medium (8-14), 5 easy (15-19).
    buffer = ReplayBuffer(capacity=20, min_fill=1)
    for index in range(20):
        buffer.insert(make_group(str(index), [float(index)], step=index))
    assert buffer.tier_sizes() == {"easy": 5, "medium": 7, "hard": 8}
    # Another visit of 19: easy holds 6 of 21 (share 5.25), the largest excess; its oldest is 15.
    buffer.insert(make_group("19", [19.0], step=20))
    assert [s.group.step for s in buffer.groups()] == [i for i in range(21) if i != 15]
    # The same for hard prompt 7: 9 of 21 against 8.4; the oldest hard group is 0.
    buffer.insert(make_group("7", [7.0], step=21))
    assert [s.group.step for s in buffer.groups()] == [i for i in range(22) if i not in (0, 15)]
    assert buffer.tier_sizes() == {"easy": 5, "medium": 7, "hard": 8}


def test_eviction_is_first_in_first_out_inside_a_tier(make_group):
    buffer = ReplayBuffer(capacity=30, min_fill=1)
    for step in range(200):
        buffer.insert(make_group("only", [1.0, 0.0, 0.5], step=step))
        assert len(buffer) <= 30
    assert [s.group.step for s in buffer.groups()] == list(range(190, 200))
    assert [s.number for s in buffer.groups()] == list(range(190, 200))


def test_eviction_keeps_what_is_known_of_the_prompt(make_group):
    buffer = ReplayBuffer(capacity=2, min_fill=1)
    for index in range(5):
        buffer.insert(make_group(str(index), [float(index)]))
    assert len(buffer) == 2
    assert [buffer.baseline(str(index)) for index in range(5)] == [0.0, 1.0, 2.0, 3.0, 4.0]
    assert [buffer.visits(str(index)) for index in range(5)] == [1] * 5


def test_at_equilibrium_the_tiers_hold_their_shares(make_group):
    rng = random.Random(11)
    buffer = ReplayBuffer(capacity=400, min_fill=1)
    for step in range(2_000):
        prompt = rng.randrange(300)
        buffer.insert(make_group(str(prompt), [prompt + rng.random() for _ in range(4)], step=step))
    sizes = buffer.tier_sizes()
    assert sum(sizes.values()) == len(buffer) == 400
    # 100 / 140 / 160, give or take two groups while prompts move.
    assert abs(sizes["easy"] - 100) <= 8
    assert abs(sizes["medium"] - 140) <= 8
    assert abs(sizes["hard"] - 160) <= 8


def test_an_empty_buffer_answers(make_group):
    buffer = ReplayBuffer()
    assert (len(buffer), buffer.ready, buffer.draw(4, random.Random(0))) == (0, False, [])
    assert buffer.tier_sizes() == {"easy": 0, "medium": 0, "hard": 0}
    assert list(buffer.groups()) == []
    with pytest.raises(ValueError, match="cannot draw -1"):
        buffer.draw(-1, random.Random(0))


@pytest.mark.parametrize(
    "config",
    [
        {"capacity": 0},
        {"window": 0},
        {"members_per_group": 0},
        {"min_fill": -1},
        {"ratios": (0.5, 0.5)},
        {"ratios": (0.5, 0.5, 0.5)},
        {"ratios": (-0.5, 0.5, 1.0)},
    ],
)
def test_impossible_settings_are_refused(config):
    with pytest.raises(UsageError, match=next(iter(config))):
        ReplayBuffer(**config)


def test_insert_and_draw_stay_fast_and_small_at_ten_thousand_groups(make_group):
    rng = random.Random(0)
    buffer = ReplayBuffer()
    groups = [make_group(f"prompt-{i}", [rng.choice([0.0, 1.0])]) for i in range(12_000)]
    seconds = []
    for index, group in enumerate(groups):
        # Processor time of this thread: other processes on the machine are not what is measured.
        begun = time.thread_time()
        buffer.insert(group)
        if index >= 10_000:
            buffer.draw(4, rng)
            seconds.append(time.thread_time() - begun)
    assert len(buffer) == 10_000
    assert len(seconds) == 2_000
    assert statistics.quantiles(seconds, n=100)[98] < 0.010
    # 3 tokens of 4 + 4 bytes each: nothing but ids and log-probs is held in arrays.
    stored = [m for s in buffer.groups() for m in s.group.completions]
    assert sum(m.token_ids.nbytes + m.logprobs.nbytes for m in stored) == 10_000 * 3 * 8
    assert all(isinstance(m.token_ids, np.ndarray) and m.token_ids.base is None for m in stored)
