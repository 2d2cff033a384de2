from __future__ import annotations

import random
from collections import Counter

import numpy as np
import pytest

from avatar_core.replay.tiers import TIERS, RankedPrompts, quotas, rank_of

SHARES = (0.25, 0.35, 0.40)


@pytest.mark.parametrize(
    ("n", "expected"),
    [
        (0, (0, 0, 0)),
        (1, (0, 0, 1)),  # .25/.35/.40: the largest remainder is hard
        (2, (0, 1, 1)),  # .5/.7/.8
        (3, (1, 1, 1)),  # .75/1.05/1.2
        (4, (1, 1, 2)),  # 1/1.4/1.6
        (8, (2, 3, 3)),  # 2/2.8/3.2
        (10, (2, 4, 4)),  # 2.5/3.5/4: the tie goes to the harder tier
        (10_000, (2_500, 3_500, 4_000)),
    ],
)
def test_draws_are_split_by_largest_remainder(n, expected):
    assert quotas(n, SHARES) == expected


def test_quotas_always_sum_to_n_and_stay_within_one_of_the_share():
    for n in range(300):
        counts = quotas(n, SHARES)
        assert sum(counts) == n
        assert all(abs(c - n * share) < 1 for c, share in zip(counts, SHARES, strict=True))
    assert quotas(5, (0.0, 0.5, 0.5)) == (0, 2, 3)


def tiers_of(means: dict[str, float]) -> Counter[str]:
    ranked = RankedPrompts(SHARES)
    ranks = {name: rank_of(name, mean) for name, mean in means.items()}
    for rank in ranks.values():
        ranked.see(None, rank)
    return Counter(ranked.tier(rank) for rank in ranks.values())


@pytest.mark.parametrize("ones", [0.0, 0.3, 0.7, 1.0])
@pytest.mark.parametrize("count", [1, 2, 3, 7, 10, 99, 1000])
def test_equal_rewards_still_fill_the_shares(count, ones):
    # With 0/1 rewards a rule "below the quantile" would put up to every prompt in one tier.
    sizes = tiers_of({f"p{i}": float(i < ones * count) for i in range(count)})
    for tier, share in zip(("easy", "medium", "hard"), SHARES, strict=True):
        assert abs(sizes[tier] - share * count) <= 1, (tier, sizes)


def test_ten_thousand_prompts_give_the_papers_capacities():
    sizes = tiers_of({str(i): i / 10_000 for i in range(10_000)})
    assert sizes == {"easy": 2_500, "medium": 3_500, "hard": 4_000}


def test_the_worst_prompts_are_hard_and_the_best_easy():
    ranked = RankedPrompts(SHARES)
    ranks = [rank_of(str(i), float(i)) for i in range(20)]
    for rank in random.Random(0).sample(ranks, 20):
        ranked.see(None, rank)
    # 40 % of 20 = 8 hard, 35 % = 7 medium, 25 % = 5 easy.
    assert [ranked.tier(rank) for rank in ranks] == ["hard"] * 8 + ["medium"] * 7 + ["easy"] * 5


def test_a_prompt_moves_when_it_is_seen_again():
    ranked = RankedPrompts(SHARES)
    ranks = [rank_of(str(i), float(i)) for i in range(10)]
    for rank in ranks:
        ranked.see(None, rank)
    assert ranked.tier(ranks[0]) == "hard"
    better = rank_of("0", 99.0)
    ranked.see(ranks[0], better)
    assert ranked.tier(better) == "easy"


@pytest.mark.parametrize("count", [0, 1, 2, 3, 7, 50, 201])
@pytest.mark.parametrize("shares", [SHARES, (0.0, 0.5, 0.5), (0.5, 0.5, 0.0), (1.0, 0.0, 0.0)])
def test_codes_of_many_ranks_are_their_tiers(count, shares):
    rng = random.Random(count)
    ranked = RankedPrompts(shares)
    ranks = [rank_of(str(i), rng.choice([0.0, 0.5, 1.0])) for i in range(count)]
    for rank in ranks:
        ranked.see(None, rank)
    assert len(ranked) == count
    means = np.array([rank.mean for rank in ranks])
    ties = np.array([rank.tie for rank in ranks], np.int64)
    codes = ranked.codes(means, ties).tolist()
    assert [TIERS[code] for code in codes] == [ranked.tier(rank) for rank in ranks]


def test_a_prompt_without_a_fresh_reward_is_hard():
    ranked = RankedPrompts(SHARES)
    hinted = rank_of("hinted", None)

    def codes(*ranks):
        means = np.array([rank.mean for rank in ranks])
        return ranked.codes(means, np.array([rank.tie for rank in ranks], np.int64)).tolist()

    assert codes(hinted) == [2]
    solved = rank_of("solved", -1.0)
    ranked.see(None, solved)
    # The only prompt with a reward stands at quantile ½.
    assert codes(hinted, solved) == [2, 1]
