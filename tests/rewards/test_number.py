from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from avatar_core.rewards.number import number_scorer, numeric_agreement
from tests.rewards.kinds import answers

FINITE = st.floats(allow_nan=False, allow_infinity=False)


def test_dense_agreement_falls_with_the_relative_error():
    # Target 4: 4 → 1; 3 → 1 − 1/4; 8 → 1 − 4/4; 20 → clipped; −4 → clipped.
    assert [numeric_agreement(y, 4.0) for y in (4.0, 3.0, 8.0, 20.0, -4.0)] == [1, 0.75, 0, 0, 0]
    # Target −2: −3 → 1 − 1/2. Target 0: the absolute error counts.
    assert numeric_agreement(-3.0, -2.0) == 0.5
    assert [numeric_agreement(y, 0.0) for y in (0.0, 0.25, -3.0)] == [1, 0.75, 0]
    assert numeric_agreement(1e308, -1e308) == 0
    assert math.isclose(numeric_agreement(99.9, 100.0), 0.999)


def test_strict_agreement_is_all_or_nothing():
    # |99.95 − 100| / 100 = 5e-4 < 1e-3; |99.8 − 100| / 100 = 2e-3.
    assert [numeric_agreement(y, 100.0, strict=True) for y in (100.0, 99.95, 99.8)] == [1, 1, 0]
    assert [numeric_agreement(y, 0.0, strict=True) for y in (0.0, 5e-6, 1e-4)] == [1, 1, 0]


@given(FINITE, FINITE)
def test_agreement_of_any_two_numbers_lies_in_the_unit_interval(answer, target):
    assert 0 <= numeric_agreement(answer, target) <= 1
    assert numeric_agreement(answer, target, strict=True) in (0, 1)
    assert numeric_agreement(target, target) == 1
    assert numeric_agreement(target, target, strict=True) == 1


def test_numbers_are_read_from_the_answer_only():
    texts = [*answers("4", "five", "3", "no idea"), "<think>4</think>", "<think>it is 4"]
    dense, strict = number_scorer("4", strict=False), number_scorer("4", strict=True)
    assert dense is not None
    assert strict is not None
    assert [dense(text) for text in texts] == [1.0, 0.75, 0.75, 0.0, 0.0, 0.0]
    assert [strict(text) for text in texts] == [1.0, 0.0, 0.0, 0.0, 0.0, 0.0]


def test_a_solution_without_a_number_cannot_be_scored_against():
    assert number_scorer("several", strict=False) is None
