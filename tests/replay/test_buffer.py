from __future__ import annotations

import dataclasses
import random
import statistics
import time

import pytest

from avatar_core.config.replay import ReplayConfig
from avatar_core.errors import UsageError
from avatar_core.replay import ReplayBuffer, prompts
from avatar_core.replay.tiers import Rank, rank_of


def visits(buffer: ReplayBuffer) -> dict[str, int]:
    """Groups that were ever inserted, by prompt."""
    known = buffer.state_dict()["prompts"]
    return {name: told["visits"] for name, told in known.items()}


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
    assert visits(buffer) == {"q": 2}


def test_other_prompts_hints_and_unscored_completions_leave_the_baseline_alone(make_group):
    buffer = ReplayBuffer()
    buffer.insert(make_group("q", [0.25, None, 0.75]))
    assert buffer.baseline("q") == 0.5
    buffer.insert(make_group("other", [9.0]))
    buffer.insert(make_group("q", [9.0, 9.0], hinted=True))
    buffer.insert(make_group("q", [None, None]))
    buffer.draw(4, random.Random(0))
    assert buffer.baseline("q") == 0.5
    assert visits(buffer) == {"q": 3, "other": 1}


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
    assert visits(buffer) == dict.fromkeys("01234", 1)


def test_at_equilibrium_the_tiers_hold_their_shares(make_group):
    rng = random.Random(11)
    buffer = ReplayBuffer(capacity=400, min_fill=1)
    for step in range(1_200):
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
        {"temperature": 0.0},
        {"tau": 0.0},
        {"tau": float("nan")},
        {"reward_weight": -1.0},
        {"kl_weight": -0.1},
        {"max_age": -1},
        {"max_reuse": 0},
        {"min_fill": -1},
        {"ratios": (0.5, 0.5)},
        {"ratios": (0.5, 0.5, 0.5)},
        {"ratios": (-0.5, 0.5, 1.0)},
    ],
)
def test_impossible_settings_are_refused(config):
    with pytest.raises(UsageError, match=next(iter(config))):
        ReplayBuffer(**config)


def test_the_baseline_says_how_many_rewards_it_is_the_mean_of(make_group):
    buffer = ReplayBuffer(window=5)
    assert buffer.baseline_count("q") == 0
    buffer.insert(make_group("q", [1.0, None, 0.0]))
    assert buffer.baseline_count("q") == 2
    buffer.insert(make_group("q", [1.0] * 4, hinted=True))
    assert buffer.baseline_count("q") == 2
    buffer.insert(make_group("q", [1.0] * 4))
    assert buffer.baseline_count("q") == 5


def test_groups_of_one_prompt_are_read_alone(make_group):
    buffer = ReplayBuffer()
    for step in range(6):
        buffer.insert(make_group(f"p{step % 2}", [1.0], step=step))
    assert [stored.group.step for stored in buffer.groups("p1")] == [1, 3, 5]
    assert [stored.number for stored in buffer.groups("p1")] == [1, 3, 5]
    assert list(buffer.groups("never seen")) == []
    assert len(list(buffer.groups())) == 6


def test_the_rule_of_a_run_comes_from_its_configuration():
    config = ReplayConfig(
        capacity=50,
        min_fill=7,
        ratios=(0.2, 0.3, 0.5),
        window=3,
        members_per_group=2,
        source="same_prompt",
        priority="fresh",
        proxy="reward",
        reward_weight=2.0,
        kl_weight=0.5,
        temperature=0.25,
        tau=9.0,
        max_age=11,
        max_reuse=4,
    )
    buffer = ReplayBuffer.from_config(config)
    settings = {
        name: getattr(buffer, name) for name in ("capacity", "min_fill", "ratios", "window")
    }
    settings |= dataclasses.asdict(buffer.rule)
    assert settings == config.model_dump(include=settings.keys())
    # None of the values above is the default, so that each must have been handed over.
    assert not settings.items() & ReplayConfig().model_dump().items()
    # And with the defaults on both sides it is the buffer that is made without any.
    assert ReplayBuffer.from_config(ReplayConfig()).rule == ReplayBuffer().rule
    assert len(settings) == 14


@pytest.mark.parametrize("priority", ["uniform", "release", "fresh"])
def test_insert_and_draw_stay_fast_as_the_buffer_fills(make_group, insert, priority):
    rng = random.Random(0)
    buffer = ReplayBuffer(2_000, priority=priority)
    groups = [
        make_group(f"prompt-{i % 1_400}", [rng.choice([0.0, 1.0])], step=i) for i in range(2_400)
    ]
    seconds = []
    for index, group in enumerate(groups):
        # Processor time of this thread: other processes on the machine are not what is measured.
        begun = time.thread_time()
        insert(buffer, group)
        if index >= 2_000:
            buffer.mark_used(buffer.draw(4, rng))
            seconds.append(time.thread_time() - begun)
    assert len(buffer) == 2_000
    assert len(seconds) == 400
    # Far above what it takes; tests/performance/replay_buffer.py measures at full size.
    assert statistics.median(seconds) < 0.005


def test_a_visit_compares_its_prompt_with_few_of_the_others(make_group, monkeypatch):
    compared = []

    class CountedRank(Rank):
        def __lt__(self, other):
            compared.append(other)
            return tuple.__lt__(self, other)

    monkeypatch.setattr(prompts, "rank_of", lambda name, mean: CountedRank(*rank_of(name, mean)))
    buffer = ReplayBuffer()
    for index in range(1_000):
        buffer.insert(make_group(f"p{index}", [index / 1_000]))
    compared.clear()
    buffer.insert(make_group("p17", [0.5]))
    # To leave its old place and to find the new one, each by halving 1,000 at most ten times.
    assert 10 <= len(compared) <= 20
    compared.clear()
    buffer.draw(4, random.Random(0))
    assert compared == []


def test_a_group_takes_its_tokens_and_little_else(make_group):
    buffer = ReplayBuffer()
    buffer.insert(make_group("q", [0.0, 1.0], tokens=300))
    record = buffer.state_dict()["records"][0]
    # 300 + 301 tokens of 4 + 4 bytes each, and a head of a few hundred bytes.
    assert 601 * 8 < len(record) < 601 * 8 + 400
