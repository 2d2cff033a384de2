"""Rows of the table of disagreements about reward weights: two settings, and how totals differ."""

from __future__ import annotations

import pytest

from avatar_core.config.resolve import resolve_train
from avatar_core.rewards import REWARDS, score
from tests.rewards.kinds import COLOURS, answers, sample

CHOICE = sample("A", "multiple choice", COLOURS)
# Right and alone; wrong with the majority; likewise, and not in the asked form.
TEXTS = [*answers("A", "B"), "B"]


def totals(stage: int, *settings: str) -> list[float | None]:
    config = resolve_train(stage=stage, flags={"model": "some/model"}, assignments=settings)
    return [row.total for row in score(TEXTS, CHOICE, config.reward.weights)]


@pytest.fixture(autouse=True)
def judge(monkeypatch):
    monkeypatch.setitem(REWARDS, "judge", lambda texts, sample: [0.5, 1.0, 0.25])


# In what follows format is (1, 1, −1), accuracy (1, 0, 0), self (0, 1, 1), judge as above.


def test_row_1_accuracy_counts_as_much_as_the_form_or_twice_as_much():
    # ½ format + ½ accuracy; ½ format + accuracy.
    assert totals(1) == pytest.approx([1.0, 0.5, -0.5])
    release = totals(1, "reward.weights={format=0.5, accuracy=1.0}")
    assert release == pytest.approx([1.5, 0.5, -0.5])


def test_row_2_the_majority_counts_beside_accuracy_or_instead_of_it():
    # 0.2 format + 0.4 accuracy + 0.4 self: right is worth as much as agreeing.
    assert totals(2) == pytest.approx([0.6, 0.6, 0.2])
    # ½ format + self: only agreeing is worth something.
    release = totals(2, "reward.weights={format=0.5, self=1.0, accuracy=0.0}")
    assert release == pytest.approx([0.5, 1.5, 0.5])


def test_row_3_the_judge_counts_beside_the_form_or_on_top_of_the_rest():
    # ½ format + ½ judge.
    assert totals(3) == pytest.approx([0.75, 1.0, -0.375])
    # 0.1 format + 0.2 accuracy + 0.2 self + ½ judge.
    rest = totals(3, "reward.weights={format=0.1, accuracy=0.2, self=0.2, judge=0.5}")
    assert rest == pytest.approx([0.55, 0.8, 0.225])
