from __future__ import annotations

import math

import pytest

from avatar_core.benchmarks.relative_accuracy import mean_relative_accuracy

# Of gold 10 the error allowed at the ten thresholds is 5, 4.5, 4 … 0.5. Where the answer lies on
# one of these, the floats of the official code decide: 1 − 0.8 is less than 0.2 there, so that 12
# has 0.6, where exact arithmetic gives 0.7.
VECTORS = ((10, 1.0), (9.5, 1.0), (9, 0.9), (12, 0.6), (15, 0.1), (20, 0.0))


@pytest.mark.parametrize(("answer", "score"), VECTORS)
def test_vectors_of_gold_ten(answer: float, score: float) -> None:
    assert mean_relative_accuracy(answer, 10) == pytest.approx(score, abs=1e-12)


def test_the_score_does_not_depend_on_unit_or_sign() -> None:
    # Powers of two change no digit of a float.
    cases = [(answer, scale) for answer, _ in VECTORS for scale in (0.25, 2.0, 1024.0, -1.0)]
    for answer, scale in cases:
        scaled = mean_relative_accuracy(answer * scale, 10 * scale)
        assert scaled == mean_relative_accuracy(answer, 10)
    assert len(cases) == 24


def test_scores_off_the_borders() -> None:
    # |1.44 − 2| / 2 = 0.28: allowed at 0.50, 0.55, 0.60, 0.65, 0.70. 112 of 100: 0.12, allowed at
    # the eight thresholds up to 0.85. -10 of 10: 2, allowed nowhere.
    cases = ((1.44, 2.0, 0.5), (112.0, 100.0, 0.8), (-10.0, 10.0, 0.0))
    for answer, gold, score in cases:
        assert mean_relative_accuracy(answer, gold) == pytest.approx(score, abs=1e-12)
    assert len(cases) == 3


def test_no_error_is_relative_to_zero() -> None:
    assert mean_relative_accuracy(0, 0) == 1.0
    assert mean_relative_accuracy(1e-9, 0) == 0.0


@pytest.mark.parametrize("answer", [math.inf, -math.inf, math.nan])
def test_what_is_not_finite_scores_nothing(answer: float) -> None:
    assert mean_relative_accuracy(answer, 10) == 0.0
