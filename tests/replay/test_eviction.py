from __future__ import annotations

import numpy as np

from avatar_core.replay.eviction import next_out, past_use, tier_sizes
from avatar_core.replay.rule import DrawRule
from avatar_core.replay.table import Table

SHARES = (0.25, 0.35, 0.40)


def table_of(*sizes: int) -> Table:
    """Group i has number and step i and the size given."""
    table = Table()
    for number, size in enumerate(sizes):
        row = {"number": number, "step": number, "reuse": 0, "size": size}
        table.append(row, [1.0] * size, [1.0] * size)
    return table


def codes(*tiers: int) -> np.ndarray:
    return np.array(tiers, np.int8)


def nothing(table: Table) -> np.ndarray:
    return past_use(table, DrawRule(), 99)


def test_past_use_by_age_and_by_reuse():
    table = table_of(1, 1, 1, 1)
    assert nothing(table).tolist() == [False] * 4
    # At step 5 the ages are 5, 4, 3, 2.
    assert past_use(table, DrawRule(max_age=3), 5).tolist() == [True, True, False, False]
    table["reuse"][2:] = [2, 1]
    assert past_use(table, DrawRule(max_reuse=2), 5).tolist() == [False, False, True, False]
    both = past_use(table, DrawRule(max_age=4, max_reuse=2), 5)
    assert both.tolist() == [True, False, True, False]


def test_groups_past_use_leave_before_all_others_the_oldest_first():
    table = table_of(1, 1, 1, 1)
    # Easy holds three of four, far over its share, but groups 2 and 3 are past use.
    tiers, spent = codes(0, 0, 0, 2), np.array([False, False, True, True])
    assert next_out(table, tiers, SHARES, spent) == 2
    table.remove(2)
    assert next_out(table, tiers, SHARES, spent) == 3
    table.remove(3)
    assert next_out(table, tiers, SHARES, spent) == 0


def test_the_tier_most_over_its_share_gives_its_oldest_group():
    # Of 20 completions the shares are 5, 7, 8: easy 6, medium 5, hard 9 are +1, −2, +1.
    table = table_of(5, 4, 1, 5, 5)
    tiers = codes(1, 2, 0, 0, 2)
    assert tier_sizes(table, tiers) == [6, 5, 9]
    # Easy and hard tie; hard holds the older group.
    assert next_out(table, tiers, SHARES, nothing(table)) == 1
    # One more in easy, and its oldest goes.
    table["size"][3] = 6
    assert next_out(table, tiers, SHARES, nothing(table)) == 2


def test_excesses_equal_on_paper_tie():
    # Shares of 3 are 0.3, 0.6 and 2.1, excesses +0.7, −0.6, −0.1; in floats 0.1 · 3 is not 0.3.
    table = table_of(1, 1, 1)
    assert next_out(table, codes(2, 2, 0), (0.1, 0.2, 0.7), nothing(table)) == 2
    # Shares ⅓ each of 3 in three tiers: all at 0, the oldest of all goes.
    third = (1 / 3, 1 / 3, 1 / 3)
    assert next_out(table, codes(2, 0, 1), third, nothing(table)) == 0


def test_what_was_removed_is_not_evicted_again():
    table = table_of(1, 1, 1)
    table.remove(0)
    assert tier_sizes(table, codes(2, 2, 2)) == [0, 0, 2]
    assert next_out(table, codes(2, 2, 2), SHARES, np.array([True, False, False])) == 1
