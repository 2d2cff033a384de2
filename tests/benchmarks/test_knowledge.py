from __future__ import annotations

import pytest

from avatar_core.benchmarks.knowledge import delta_knowledge, knowledge_gain
from avatar_core.records import EvalRow
from tests.eval_rows import eval_row


def rows(**right: bool | None) -> list[EvalRow]:
    return [eval_row(key, correct) for key, correct in right.items()]


@pytest.mark.parametrize(
    ("before", "after", "delta"),
    [(20, 60, 50), (50, 50, 0), (50, 40, -20), (0, 30, 30), (100, 90, None), (100, 100, None)],
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
    found = knowledge_gain(before, after)
    assert (found.n, found.before, found.after) == (5, 40.0, 60.0)
    # 100 · (60 − 40) / (100 − 40)
    assert found.delta == pytest.approx(100 / 3)
    assert found.wrong_to_right == pytest.approx(2 / 3)
    assert found.right_to_wrong == pytest.approx(1 / 2)


def test_rates_of_nothing_do_not_exist() -> None:
    best = knowledge_gain(rows(a=True), rows(a=False))
    assert best[1:] == (100.0, 0.0, None, None, 1.0)
    worst = knowledge_gain(rows(a=False), rows(a=True))
    assert worst[1:] == (0.0, 100.0, 100.0, 1.0, None)


def test_runs_of_different_items_are_not_compared() -> None:
    for before, after in ((rows(a=True), rows(b=True)), ([], []), (rows(a=True, b=True), rows())):
        with pytest.raises(ValueError, match="same items"):
            knowledge_gain(before, after)
