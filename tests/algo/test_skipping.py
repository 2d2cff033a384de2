from __future__ import annotations

import itertools
import math

import pytest

from avatar_core.algo.skipping import Run, continued, skip_probability


def test_a_run_grows_over_visits_with_the_same_reward() -> None:
    run = Run()
    for rewards, length in (([0.5], 1), ([0.5, 0.5], 3), ([], 3), ([0.5], 4)):
        run = continued(run, rewards)
        assert run == Run(0.5, length)


def test_another_reward_ends_a_run() -> None:
    assert continued(Run(0.0, 9), [0.0, 1.0, 0.0]) == Run()
    assert continued(Run(0.0, 9), [1.0, 1.0]) == Run(1.0, 2)
    # After a mixed visit a run of zeros begins with the zeros that follow.
    assert continued(Run(), [0.0, 0.0]) == Run(0.0, 2)


def test_a_whole_dead_group_is_one_trial_and_a_small_one_a_part_of_it() -> None:
    # (1 − ½)(1 − 0.4): one whole group of 5 equal rewards; 9 are two of them.
    whole = skip_probability(5, group_size=5, keep=0.4, uniform=0.5)
    assert math.isclose(whole, 0.3)
    assert math.isclose(skip_probability(9, group_size=5, keep=0.4, uniform=0.5), 0.5 * 0.84)
    # Three of five: q^½.
    part = skip_probability(3, group_size=5, keep=0.49, uniform=0.5)
    assert math.isclose(part, 0.5 * (1 - 0.7))


def test_it_grows_and_never_reaches_one() -> None:
    cases = 0
    for size, keep, uniform in itertools.product((2, 8), (0.01, 0.5, 1.0), (0.5, 0.8)):
        chances = [
            skip_probability(length, group_size=size, keep=keep, uniform=uniform)
            for length in (0, 1, 2, 8, 100, 10**6)
        ]
        assert chances[:2] == [0.0, 0.0]
        assert chances == sorted(chances)
        assert chances[-1] <= 1 - uniform
        cases += 1
    assert cases == 12
    assert skip_probability(10**6, group_size=8, keep=1.0, uniform=0.5) == 0.0
    assert skip_probability(10**6, group_size=8, keep=0.5, uniform=1.0) == 0.0


@pytest.mark.parametrize(
    ("size", "keep", "uniform"), [(1, 0.5, 0.5), (4, 0.0, 0.5), (4, 1.1, 0.5), (4, 0.5, 1.5)]
)
def test_settings_out_of_range_are_refused(size: int, keep: float, uniform: float) -> None:
    with pytest.raises(ValueError, match="pass"):
        skip_probability(3, group_size=size, keep=keep, uniform=uniform)
