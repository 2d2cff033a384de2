from __future__ import annotations

import pytest

from avatar_core.benchmarks.knowledge import delta_knowledge, knowledge_figures
from avatar_core.evaluation_records import EvalRow
from tests.eval_rows import eval_row


def rows(**right: bool | None) -> list[EvalRow]:
    return [eval_row(key, correct) for key, correct in right.items()]


@pytest.mark.parametrize(
    ("before", "after", "delta"),
    [(0.2, 0.6, 0.5), (0.5, 0.5, 0), (0.5, 0.4, -0.2), (0, 0.3, 0.3), (1, 0.9, None), (1, 1, None)],
)
def test_delta_is_a_share_of_what_could_be_gained(
    before: float, after: float, delta: float | None
) -> None:
    found = delta_knowledge(before, after)
    assert found == (None if delta is None else pytest.approx(delta))


def test_two_runs_by_hand() -> None:
    before = rows(a=True, b=True, c=False, d=False, e=False)
    # Another order; b is lost, c and d are gained, e failed and counts as wrong.
    after = rows(e=None, d=True, c=True, b=False, a=True)
    # (0.6 − 0.4) / (1 − 0.4); 2 of the 3 wrong ones; 1 of the 2 right ones.
    assert knowledge_figures(before, after) == {
        "delta_knowledge": pytest.approx(1 / 3),
        "wrong_to_right": pytest.approx(2 / 3),
        "right_to_wrong": pytest.approx(1 / 2),
    }


def test_rates_of_nothing_do_not_exist() -> None:
    best = knowledge_figures(rows(a=True), rows(a=False))
    assert tuple(best.values()) == (None, None, 1.0)
    worst = knowledge_figures(rows(a=False), rows(a=True))
    assert tuple(worst.values()) == (1.0, 1.0, None)
