from __future__ import annotations

import math

import pytest

from avatar_core.benchmarks.counting import capped_error, counting
from avatar_core.evaluation_records import EvalRow
from tests.eval_rows import eval_row


def row(gold: str | None, prediction: str | None) -> EvalRow:
    return eval_row(gold=gold, prediction=prediction)


@pytest.mark.parametrize(
    ("gold", "count", "error"),
    [
        (3, 3, 0),
        (3, 5, 2),
        (3, 103, 100),  # still within 100
        (3, 104, 6),  # beyond: 2 · 3
        (80, 240, 160),  # within 2 · 80, though above 100
        (80, 241, 160),  # beyond: 2 · 80
        (0, 101, 0),  # what the formula gives for nothing to count
        (3, math.inf, 6),
    ],
)
def test_one_runaway_count_is_capped(gold: float, count: float, error: float) -> None:
    assert capped_error(gold, count) == error


def test_figures_by_hand() -> None:
    rows = [
        row("3", "3"),  # e = 0: right
        row("3", "4"),  # e = 1: off by one
        row("5", "2"),  # e = 3
        row("2", "1000"),  # e = 998 > 100: c = 4
        row("1", None),  # no answer: wrong, not off by one, counts as 0: c = 1
    ]
    found = counting(rows)
    assert found is not None
    assert found.counted == 4
    assert found.oboa == pytest.approx(2 / 5)
    assert found.mae == pytest.approx((0 + 1 + 3 + 4 + 1) / 5)
    assert found.rmse == pytest.approx(math.sqrt((0 + 1 + 9 + 16 + 1) / 5))


def test_no_answer_is_not_nearly_right_even_where_nothing_is_to_be_counted() -> None:
    found = counting([row("0", None), row("0", "0")])
    assert found is not None
    assert (found.oboa, found.mae) == (0.5, 0.0)


def test_without_golds_there_are_no_figures() -> None:
    assert counting([]) is None
    assert counting([row(None, "3")]) is None
