from __future__ import annotations

import math

import pytest

from avatar_core.reporting.statistics import (
    Histogram,
    Trend,
    advantage_statistics,
    reward_diversity,
    tier_figures,
    trend,
)
from tests.run_records import group_row, metrics_row

GROUPS = [
    group_row([1.0, 0.0, 0.0, None], [1.5, -0.5, -0.1, None]),
    group_row([0.5, 0.5], [0.0, 0.0]),
    group_row([1.0], [0.25], source="replayed", step=5, policy_step=1, tier="hard"),
]


def test_reward_diversity_of_the_fresh_groups() -> None:
    figures = reward_diversity(GROUPS, "fresh")
    # Rewards 1, 0, 0, 0.5, 0.5: mean 2 / 5, mean square 1.5 / 5 = 0.3, variance 0.3 - 0.16 = 0.14.
    assert (figures.groups, figures.completions, figures.unscored) == (2, 5, 1)
    assert figures.mean == pytest.approx(0.4)
    assert figures.std == pytest.approx(math.sqrt(0.14))
    assert (figures.lowest, figures.highest) == (0.0, 1.0)
    # Two distinct rewards in the first group, one in the second; one group of two has signal.
    assert figures.unique_mean == 1.5
    assert figures.signal_share == 0.5
    # Ten bins of width 0.1 over [0, 1]: two at 0, two at 0.5 (the sixth bin), one at 1 (the last).
    assert figures.histogram is not None
    assert figures.histogram.counts == (2, 0, 0, 0, 0, 2, 0, 0, 0, 1)


def test_reward_diversity_by_source_adds_up() -> None:
    fresh, replayed, both = (
        reward_diversity(GROUPS, "fresh"),
        reward_diversity(GROUPS, "replayed"),
        reward_diversity(GROUPS, "all"),
    )
    assert fresh.groups + replayed.groups == both.groups == 3
    assert fresh.completions + replayed.completions == both.completions == 6
    # One reward: all in one bin from it to itself.
    assert replayed.histogram == Histogram((1.0, 1.0), (1,))


def test_rewards_that_differ_by_rounding_are_one_reward() -> None:
    assert reward_diversity([group_row([0.1 + 0.2, 0.3])], "fresh").unique_mean == 1.0


def test_no_rows_give_no_figures() -> None:
    figures = reward_diversity([], "all")
    assert (figures.groups, figures.completions) == (0, 0)
    assert figures.mean is figures.std is figures.unique_mean is figures.signal_share is None
    assert figures.histogram is None
    unscored = reward_diversity([group_row([None, None])], "fresh")
    assert (unscored.unscored, unscored.unique_mean, unscored.signal_share) == (2, None, 0.0)
    advantages = advantage_statistics([], "fresh")
    assert advantages.count == 0
    assert advantages.mean is advantages.within_0_1 is None
    assert advantages.magnitudes is None


def test_advantage_statistics_of_the_fresh_completions() -> None:
    figures = advantage_statistics(GROUPS, "fresh")
    # Advantages 1.5, -0.5, -0.1, 0, 0: sum 0.9; squares 2.25 + 0.25 + 0.01 = 2.51.
    assert figures.count == 5
    assert figures.mean == pytest.approx(0.18)
    assert figures.std == pytest.approx(math.sqrt(2.51 / 5 - 0.18**2))
    # |A|: 0, 0, 0.1 are small; 0.5 is in the middle; 1.5 is beyond 1.
    assert (figures.within_0_1, figures.within_0_25, figures.beyond_1) == (0.6, 0.6, 0.2)
    # Bins [0, .1) [.1, .25) [.25, .5) [.5, 1) [1, 1.5) [1.5, 2].
    assert figures.magnitudes is not None
    assert figures.magnitudes.counts == (2, 1, 0, 1, 0, 1)


def test_an_advantage_beyond_the_last_edge_is_counted_in_the_last_bin() -> None:
    figures = advantage_statistics([group_row([1.0, 0.0], [7.0, -2.0])], "fresh")
    assert figures.magnitudes is not None
    assert figures.magnitudes.counts == (0, 0, 0, 0, 0, 2)


def test_tier_figures_count_occupancy_age_and_reuse() -> None:
    groups = [
        group_row([1.0], source="replayed", prompt_id="a", step=5, policy_step=1, tier="hard"),
        group_row([1.0], source="replayed", prompt_id="a", step=9, policy_step=1, tier="hard"),
        group_row([1.0], source="replayed", prompt_id="a", step=9, policy_step=7, tier="hard"),
        group_row([1.0], source="replayed", prompt_id="b", step=9, policy_step=3, tier="easy"),
        group_row([1.0], step=9, tier="easy"),
    ]
    tiers = tier_figures([metrics_row(9)], groups)
    # Tiers of 1, 2 and 5 prompts. Ages of hard: 4, 8, 2; its draws had 0, 1, 0 earlier ones.
    hard, easy, medium = tiers["hard"], tiers["easy"], tiers["medium"]
    assert (hard.stored, hard.share, hard.draws) == (5, 5 / 8, 3)
    assert hard.age_mean == pytest.approx(14 / 3)
    assert hard.age_max == 8
    assert hard.reuse_mean == pytest.approx(1 / 3)
    assert (easy.stored, easy.draws, easy.age_mean, easy.reuse_mean) == (1, 1, 6.0, 0.0)
    assert (medium.draws, medium.age_mean, medium.age_max, medium.reuse_mean) == (
        0,
        None,
        None,
        None,
    )


def test_a_run_without_a_buffer_has_no_occupancy() -> None:
    row = metrics_row(tier_easy=None, tier_medium=None, tier_hard=None)
    for metrics in ([row], []):
        figures = tier_figures(metrics, [])["hard"]
        assert (figures.stored, figures.share, figures.draws) == (None, None, 0)
    empty = tier_figures([metrics_row(tier_easy=0, tier_medium=0, tier_hard=0)], [])["hard"]
    assert (empty.stored, empty.share) == (0, None)


def test_trend_compares_the_ends() -> None:
    # Twenty values: the tenths are the first two and the last two; a missing one does not count.
    values = [0.0, None, 0.5, *[9.0] * 16, 1.0, 0.75]
    assert trend(values) == Trend(0.25, 0.875)
    assert trend([0.5]) == Trend(0.5, 0.5)
    assert trend([None]) == trend([]) == Trend(None, None)
