"""Draws by priority, age and source; `test_drawing` has what holds for every draw."""

from __future__ import annotations

import math
import random
from collections import Counter

import pytest

from avatar_core.replay import ReplayBuffer

EVEN = (0.0, 0.0, 1.0)


def one_tier(**settings) -> ReplayBuffer:
    """A buffer whose prompts are all hard."""
    return ReplayBuffer(min_fill=0, ratios=EVEN, **settings)


def insert_scored(buffer, made, advantages, kl=None) -> None:
    buffer.insert(made, advantages=advantages, kl=kl or [0.0] * len(advantages))


def share_of(buffer: ReplayBuffer, draws: int = 1_500, **options) -> dict[tuple[int, int], float]:
    rng = random.Random(0)
    counts = Counter(
        (d.number, d.member) for _ in range(draws) for d in buffer.draw(1, rng, **options)
    )
    assert sum(counts.values()) == draws
    return {key: count / draws for key, count in counts.items()}


def assert_shares(found, expected, draws: int = 1_500) -> None:
    assert found.keys() == expected.keys()
    for key, p in expected.items():
        assert abs(found[key] - p) < 4 * math.sqrt(p * (1 - p) / draws), (key, found[key], p)


def test_release_is_a_softmax_over_all_completions(make_group):
    buffer = one_tier(priority="release", temperature=2.0)
    # Scores A − 0.1 KL: 2 log 1, 2 log 2 and, after its KL of 10, 2 log 3; and 2 log 4.
    log = [2 * math.log(weight) for weight in (1, 2, 3, 4)]
    insert_scored(buffer, make_group("a", [0, 1, 0]), [log[0], log[1], log[2] + 1], [0, 0, 10])
    insert_scored(buffer, make_group("a", [None, 1]), [99.0, log[3]])
    assert_shares(share_of(buffer), {(0, 0): 0.1, (0, 1): 0.2, (0, 2): 0.3, (1, 1): 0.4})


def test_the_proxy_is_the_stored_advantage_or_the_reward(make_group):
    by_advantage, by_reward = (
        one_tier(priority="release", proxy=proxy) for proxy in ("advantage", "reward")
    )
    for buffer in (by_advantage, by_reward):
        insert_scored(buffer, make_group("easy", [1.0]), [-math.log(3)])
        insert_scored(buffer, make_group("hard", [1.0 - math.log(3)]), [0.0])
    # The same two completions, weighed 1 : 3 by advantage and 3 : 1 by reward.
    assert_shares(share_of(by_advantage), {(0, 0): 0.25, (1, 0): 0.75})
    assert_shares(share_of(by_reward), {(0, 0): 0.75, (1, 0): 0.25})


def test_release_needs_what_it_scores(make_group):
    group = make_group("q", [0.0, 1.0])
    for settings, values, name in (
        ({}, {"kl": [0, 0]}, "advantages"),
        ({}, {"advantages": [0, 0]}, "kl"),
        ({"proxy": "reward"}, {}, "kl"),
    ):
        buffer = ReplayBuffer(priority="release", **settings)
        with pytest.raises(ValueError, match=f"needs {name} of 'q'"):
            buffer.insert(group, **values)
        # And nothing of the group was taken in.
        assert (len(buffer), buffer.state_dict()["prompts"]) == (0, {})


def test_release_draws_without_replacement_at_any_gap(make_group):
    buffer = one_tier(priority="release", temperature=1e-3)
    for number, advantage in enumerate([0.0, 1e6, -1e6, 5e5]):
        insert_scored(buffer, make_group(str(number), [1.0, 1.0]), [advantage, advantage - 1])
    rng = random.Random(0)
    for _ in range(50):
        drawn = buffer.draw(8, rng)
        assert len({(d.number, d.member) for d in drawn}) == 8
        # One of each group first, in order of the score; then what is left.
        assert [d.number for d in drawn][:4] == [1, 3, 0, 2]
        assert [d.member for d in drawn] == [0] * 4 + [1] * 4
        assert {d.weight for d in drawn} == {1.0}


def fresh_buffer(make_group, **settings) -> ReplayBuffer:
    """Two groups at each of four levels of how informative they are."""
    buffer = one_tier(priority="fresh", **settings)
    for number, spread in enumerate([0.0, 0.1, 0.2, 0.4] * 2):
        buffer.insert(make_group(f"p{number}", [0.5 - spread, 0.5 + spread], step=number))
    return buffer


def test_fresh_prefers_what_is_informative(make_group):
    buffer = fresh_buffer(make_group, tau=1e9)
    groups = Counter()
    for (number, _), share in share_of(buffer).items():
        groups[number] += share
    # Weights u + 0.01 of each: 0.01, 0.11, 0.21, 0.41, together 1.48 for both of each.
    weights = [0.01, 0.11, 0.21, 0.41] * 2
    assert_shares(groups, {number: weight / 1.48 for number, weight in enumerate(weights)})


def test_how_informative_a_group_is_follows_the_baseline(make_group):
    buffer = one_tier(priority="fresh", tau=1e9, window=4)
    buffer.insert(make_group("q", [0.0, 0.0]))
    buffer.insert(make_group("r", [0.0, 1.0]))
    assert [round(u, 12) for u in buffer._table["signal"]] == [0.0, 0.5]
    # q is solved by now: its failures of old differ from R̄ = ½, then from R̄ = 1.
    buffer.insert(make_group("q", [1.0, 1.0]))
    assert [round(u, 12) for u in buffer._table["signal"]] == [0.5, 0.5, 0.5]
    buffer.insert(make_group("q", [1.0, 1.0]))
    assert [round(u, 12) for u in buffer._table["signal"]] == [1.0, 0.5, 0.0, 0.0]


def test_a_hinted_group_is_informative_by_its_own_mean(make_group):
    buffer = one_tier(priority="fresh")
    buffer.insert(make_group("q", [0.0, 0.0]))
    buffer.insert(make_group("q", [1.0, 1.0, None], hinted=True))
    buffer.insert(make_group("q", [0.0, 1.0], hinted=True))
    # R̄ is 0, which the hinted successes have nothing to do with.
    assert buffer._table["signal"].tolist() == [0.0, 0.0, 0.5]


def test_fresh_prefers_what_is_recent_and_little_used(make_group):
    buffer = one_tier(priority="fresh", tau=10.0)
    for number, step in enumerate([0, 10, 10]):
        buffer.insert(make_group(f"p{number}", [0.0, 1.0], step=step))
    drawn = next(
        found for seed in range(99) if (found := buffer.draw(1, random.Random(seed)))[0].number == 2
    )
    buffer.mark_used(drawn)
    groups = Counter()
    for (number, _), share in share_of(buffer, step=10).items():
        groups[number] += share
    # Equal signal; ages 10, 0, 0 and uses 0, 0, 1: weights 1/e, 1, ½.
    total = 1 / math.e + 1.5
    assert_shares(groups, {0: 1 / math.e / total, 1: 1 / total, 2: 0.5 / total})


def test_importance_weights_undo_the_preference_of_fresh(make_group):
    buffer = one_tier(priority="fresh", tau=1e9)
    for number in range(48):
        spread = 0.1 + number / 100
        buffer.insert(make_group(f"p{number}", [0.5 - spread, 0.5 + spread], step=number))
    rng = random.Random(1)
    plain, weighted = [], []
    for _ in range(600):
        drawn = buffer.draw(12, rng)
        plain.append(sum(d.number for d in drawn) / 12)
        weighted.append(sum(d.weight * d.number for d in drawn) / 12)
        assert sum(d.weight for d in drawn) == pytest.approx(12)
        assert all(0 < d.weight <= 12 for d in drawn)
    # The mean number over all groups is 23.5; drawn by weight it is far above.
    assert sum(plain) / 600 - 23.5 > 4
    # Normalising within a draw of twelve leaves little of that.
    assert abs(sum(weighted) / 600 - 23.5) < 1


def test_a_draw_of_everything_has_equal_weights(make_group):
    buffer = fresh_buffer(make_group, members_per_group=2)
    drawn = buffer.draw(16, random.Random(0))
    assert len(drawn) == 16
    assert {round(d.weight, 12) for d in drawn} == {1.0}


@pytest.mark.parametrize("priority", ["uniform", "release", "fresh"])
def test_stale_groups_are_never_drawn(make_group, insert, priority):
    buffer = ReplayBuffer(min_fill=0, priority=priority, max_age=5)
    for step in range(12):
        insert(buffer, make_group(f"p{step % 4}", [0.0, 1.0], step=step))
    drawn = buffer.draw(99, random.Random(0))
    assert {d.group.step for d in drawn} == set(range(6, 12))
    assert len(drawn) == 12
    # Ages grow with the step of the draw, whatever was inserted.
    drawn = buffer.draw(99, random.Random(0), step=14)
    assert {d.group.step for d in drawn} == {9, 10, 11}
    assert len(drawn) == 6
    assert buffer.draw(4, random.Random(0), step=17) == []
    assert len(buffer) == 24


@pytest.mark.parametrize("priority", ["uniform", "release", "fresh"])
def test_worn_groups_are_never_drawn(make_group, insert, priority):
    buffer = ReplayBuffer(min_fill=0, priority=priority, max_reuse=2)
    for number in range(3):
        insert(buffer, make_group(f"p{number}", [0.0, 1.0, 0.5]))
    rng, uses = random.Random(0), Counter()
    for _ in range(20):
        drawn = buffer.draw(2, rng)
        assert all(d.reuse == uses[d.number] < 2 for d in drawn)
        uses.update({d.number for d in drawn})
        buffer.mark_used(drawn)
    assert uses == {0: 2, 1: 2, 2: 2}
    assert (buffer.draw(99, rng), len(buffer)) == ([], 9)


def test_an_older_group_of_a_prompt_stands_in_for_a_worn_one(make_group):
    buffer = ReplayBuffer(min_fill=0, max_reuse=1)
    for step in range(3):
        buffer.insert(make_group("q", [0.0, 1.0], step=step))
    steps = []
    for _ in range(3):
        drawn = buffer.draw(1, random.Random(0))
        steps += [d.group.step for d in drawn]
        buffer.mark_used(drawn)
    assert steps == [2, 1, 0]


def test_spent_groups_make_room_first(make_group):
    buffer = ReplayBuffer(8, min_fill=0, max_age=3, max_reuse=1)
    for step in range(4):
        buffer.insert(make_group(f"p{step}", [0.0, 1.0], step=step))
    buffer.mark_used(d for d in buffer.draw(8, random.Random(0)) if d.number == 3)
    assert buffer.reuse(3) == 1
    # Full. At step 3 nothing is stale; group 3 is worn and leaves before the older ones.
    buffer.insert(make_group("p4", [0.0, 1.0], step=3))
    assert [stored.number for stored in buffer.groups()] == [0, 1, 2, 4]
    # At step 5 groups 0 and 1, of ages 5 and 4, are stale: the oldest leaves.
    buffer.insert(make_group("p5", [0.0, 1.0], step=5))
    assert [stored.number for stored in buffer.groups()] == [1, 2, 4, 5]


def test_same_prompt_draws_from_the_prompts_of_the_step(make_group):
    buffers = [ReplayBuffer(min_fill=0, source=source) for source in ("any", "same_prompt")]
    for buffer in buffers:
        for step in range(12):
            buffer.insert(make_group(f"p{step % 6}", [0.0, 0.5, 1.0], step=step))
    anywhere, same = buffers
    rng = random.Random(0)
    for _ in range(40):
        prompts = Counter(d.group.prompt_id for d in same.draw(5, rng, prompts=["p4", "p1"]))
        # The first prompt gets the odd one.
        assert prompts == {"p4": 3, "p1": 2}
    found = {
        d.group.prompt_id for _ in range(40) for d in anywhere.draw(5, rng, prompts=["p4", "p1"])
    }
    assert found == {f"p{number}" for number in range(6)}


def test_same_prompt_leaves_out_what_a_prompt_lacks(make_group):
    buffer = ReplayBuffer(min_fill=0, source="same_prompt")
    buffer.insert(make_group("p", [0.0, 1.0], step=1))
    buffer.insert(make_group("q", [0.0, 0.5, 1.0], step=2))
    rng = random.Random(0)
    drawn = buffer.draw(8, rng, prompts=["new", "p"])
    assert sorted((d.group.prompt_id, d.member) for d in drawn) == [("p", 0), ("p", 1)]
    assert buffer.draw(4, rng, prompts=["new"]) == buffer.draw(4, rng) == []
    # The newest group comes first, older ones when it is used up.
    buffer.insert(make_group("p", [1.0], step=3))
    assert [d.group.step for d in buffer.draw(2, rng, prompts=["p"])] == [3, 1]
