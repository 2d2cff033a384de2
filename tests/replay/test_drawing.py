from __future__ import annotations

import random
from collections import Counter

from avatar_core.replay.buffer import ReplayBuffer


def filled(make_group, prompts: int, rewards=(0.0, 1.0), **config) -> ReplayBuffer:
    """Prompt i has mean reward i plus the mean of `rewards`, so higher numbers are easier."""
    buffer = ReplayBuffer(min_fill=1, **config)
    for index in range(prompts):
        buffer.insert(make_group(str(index), [index + reward for reward in rewards], step=index))
    return buffer


def test_four_draws_are_one_easy_one_medium_two_hard(make_group):
    buffer = filled(make_group, 20)
    rng = random.Random(0)
    for _ in range(200):
        drawn = buffer.draw(4, rng)
        assert Counter(d.tier for d in drawn) == {"easy": 1, "medium": 1, "hard": 2}
        assert len({d.group.prompt_id for d in drawn}) == 4
        for d in drawn:
            assert d.tier == buffer.tier_of(d.group.prompt_id)


def test_prompts_of_a_tier_are_drawn_uniformly_however_many_groups_they_have(make_group):
    buffer = filled(make_group, 20)
    for step in range(30):
        buffer.insert(make_group("3", [3.0, 4.0], step=100 + step))
    rng = random.Random(1)
    counts = Counter(
        d.group.prompt_id for _ in range(2_000) for d in buffer.draw(4, rng) if d.tier == "hard"
    )
    # 8 hard prompts share 4,000 draws: 500 each, sd < √(4000·⅛·⅞) ≈ 21.
    assert len(counts) == 8
    assert all(abs(count - 500) < 85 for count in counts.values()), counts


def test_the_newest_group_of_a_prompt_is_drawn(make_group):
    buffer = filled(make_group, 20)
    buffer.insert(make_group("3", [3.0, 4.0], step=77))
    rng = random.Random(2)
    steps = {
        d.group.step for _ in range(300) for d in buffer.draw(4, rng) if d.group.prompt_id == "3"
    }
    assert steps == {77}


def test_no_completion_is_drawn_twice_and_only_an_empty_buffer_gives_less(make_group):
    rng = random.Random(3)
    draws = 0
    for trial in range(60):
        buffer = ReplayBuffer(min_fill=1, members_per_group=1 + trial % 3)
        for index in range(rng.randrange(0, 12)):
            rewards = rng.choices([0.0, 0.5, 1.0, None], k=rng.randrange(1, 6))
            buffer.insert(make_group(str(rng.randrange(5)), rewards, step=index))
        for n in (0, 1, 3, 4, 9, 100):
            drawn = buffer.draw(n, rng)
            assert len(drawn) == min(n, len(buffer))
            assert len({(d.number, d.member) for d in drawn}) == len(drawn)
            assert all(d.group.completions[d.member].reward is not None for d in drawn)
            draws += 1
    assert draws == 360


def test_an_empty_tier_is_topped_up_from_the_others(make_group):
    buffer = filled(make_group, 20, capacity=1_000)
    # Only the four easiest prompts stay stored; all twenty are still seen.
    state = buffer.state_dict()
    kept = [row for row in state["groups"] if row["number"] >= 16]
    state["groups"] = kept
    state["records"] = state["records"][-4:]
    buffer.load_state_dict(state)
    for seed in range(30):
        drawn = buffer.draw(4, random.Random(seed))
        assert [d.tier for d in drawn] == ["easy"] * 4
        # A prompt that gave one completion gives no second while others have given none.
        assert {d.group.prompt_id for d in drawn} == {"16", "17", "18", "19"}
    assert len({(d.number, d.member) for d in buffer.draw(8, random.Random(0))}) == 8


def test_a_short_tier_gives_more_members_before_others_fill_in(make_group):
    # One prompt is medium (its quantile is ½), so easy and hard are empty.
    buffer = filled(make_group, 1, rewards=(0.0, 0.2, 0.4))
    drawn = buffer.draw(4, random.Random(5))
    assert sorted(d.member for d in drawn) == [0, 1, 2]
    # The newest group is used up before the older one is touched.
    buffer.insert(make_group("0", [0.0, 0.1], step=9))
    assert Counter(d.group.step for d in buffer.draw(2, random.Random(6))) == {9: 2}
    assert Counter(d.group.step for d in buffer.draw(4, random.Random(6))) == {9: 2, 0: 2}


def test_members_per_group_takes_the_extremes_of_a_group(make_group):
    buffer = filled(make_group, 20, rewards=(0.0, 0.1, 0.2, 0.3), members_per_group=2)
    for seed in range(50):
        hard = [d for d in buffer.draw(4, random.Random(seed)) if d.tier == "hard"]
        assert len({d.number for d in hard}) == 1
        assert [d.member for d in hard] == [0, 3]


def test_a_draw_changes_nothing_and_use_is_counted_when_it_is_marked(make_group):
    buffer = filled(make_group, 3, rewards=(0.0, 0.5, 1.0))
    before = buffer.state_dict()
    first, again = (buffer.draw(4, random.Random(0)) for _ in range(2))
    assert buffer.state_dict() == before
    assert [(d.number, d.member, d.reuse) for d in first] == [
        (d.number, d.member, d.reuse) for d in again
    ]
    # Groups count once for an update, however many of their completions it used.
    used = {d.number for d in first}
    assert len(used) < len(first)
    buffer.mark_used(first)
    assert [buffer.reuse(number) for number in range(3)] == [int(n in used) for n in range(3)]
    buffer.mark_used(d for d in first if d.number == 0)
    assert [stored.reuse for stored in buffer.groups()] == [
        (n in used) + (n == 0 and n in used) for n in range(3)
    ]
    assert {d.number: d.reuse for d in buffer.draw(9, random.Random(0))} == {
        number: buffer.reuse(number) for number in range(3)
    }


def test_use_of_a_group_that_has_left_is_passed_over(make_group):
    buffer = filled(make_group, 2, capacity=4)
    drawn = buffer.draw(4, random.Random(0))
    buffer.insert(make_group("2", [0.0, 1.0], step=2))
    left = {stored.number for stored in buffer.groups()}
    assert len(left) == 2
    buffer.mark_used(drawn)
    assert {stored.number: stored.reuse for stored in buffer.groups()} == {
        number: int(number < 2) for number in left
    }


def test_the_same_rng_gives_the_same_draw(make_group):
    first, second = filled(make_group, 30), filled(make_group, 30)
    for seed in range(50):
        a, b = (buffer.draw(4, random.Random(seed)) for buffer in (first, second))
        assert [(d.number, d.member) for d in a] == [(d.number, d.member) for d in b]
