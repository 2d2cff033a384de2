from __future__ import annotations

import pytest

from avatar_core.evaluation.intervals import (
    Interval,
    binomial_reach,
    bootstrap_interval,
    mcnemar,
    tree_mean,
)


def test_interval_of_two_clusters_by_hand() -> None:
    # Two clusters of one item each, means 0 and 1. A resample draws both twice with probability
    # 1/4 each and one of each with 1/2, so the 2.5th and 97.5th percentiles are 0 and 1.
    assert bootstrap_interval([0.0, 1.0], ["a", "b"]) == Interval(0.0, 1.0)


def test_interval_draws_whole_clusters() -> None:
    # Every cluster holds one right and one wrong item: whichever are drawn, the mean is 1/2. Items
    # drawn one by one would spread.
    values = [1.0, 0.0] * 10
    pairs = [str(index // 2) for index in range(20)]
    assert bootstrap_interval(values, pairs) == Interval(0.5, 0.5)
    alone = bootstrap_interval(values, [str(index) for index in range(20)])
    assert alone is not None
    assert alone.low < 0.5 < alone.high


def test_one_cluster_has_no_interval() -> None:
    assert bootstrap_interval([1.0, 0.0], ["a", "a"]) is None


def test_an_interval_over_strata_keeps_their_weights() -> None:
    # Ten wrong items of one task and one right item of another, each its own video: the figure is
    # (0 + 1) / 2. A resample without the right one is 0, one without the wrong ones cannot be drawn
    # often; a plain mean would lie near 1 / 11.
    values = [0.0] * 10 + [1.0]
    names = [str(index) for index in range(11)]
    paths = [("wrong",)] * 10 + [("right",)]
    assert bootstrap_interval(values, names, paths) == Interval(0.0, 0.5)


def test_leaves_and_branches_weigh_the_same() -> None:
    assert tree_mean([(), ()], [0.0, 1.0]) == 0.5
    # a: 3 items at 1; b: leaves 0 and 0.5, mean 0.25. Mean of both: 0.625.
    paths = [("a",)] * 3 + [("b", "x"), ("b", "y"), ("b", "y")]
    assert tree_mean(paths, [1.0, 1.0, 1.0, 0.0, 0.0, 1.0]) == 0.625


def test_exact_ends_and_exact_test_by_hand() -> None:
    # The p with (1 − p)^n = 0.025: n = 1 gives 0.975.
    assert binomial_reach(1) == 0.975
    assert binomial_reach(10) == pytest.approx(0.3085, abs=1e-4)
    # 5 against 0: 2 · 1 / 2⁵. Equal splits and no change at all say nothing.
    assert mcnemar(5, 0) == mcnemar(0, 5) == 2 / 32
    assert mcnemar(3, 3) == mcnemar(0, 0) == 1.0
    # A thousand against a thousand and a half: numbers beyond a float on the way.
    assert 0 < mcnemar(1000, 1500) < 1e-20


def test_a_value_above_a_leaf_is_refused() -> None:
    with pytest.raises(ValueError, match="others lie below"):
        tree_mean([(), ("a",)], [1.0, 0.0])
