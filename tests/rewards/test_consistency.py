from __future__ import annotations

import pytest

from avatar_core.errors import UsageError
from avatar_core.rewards import RewardContext, score
from avatar_core.rewards.consistency import consistency_reward
from tests.rewards.kinds import COLOURS, answers, sample

CHOICE = sample("A", "multiple choice", COLOURS)


def test_the_majority_is_right_whatever_the_solution_says():
    texts = answers("B", "green", "A", "no idea")
    for solution in ("A", "B", "", "none of them"):
        case = sample(solution, "multiple choice", COLOURS)
        assert consistency_reward(texts, case) == [1, 1, 0, 0], solution


def test_numbers_agree_by_value():
    assert consistency_reward(answers("4", "four", "5"), sample("5", "numerical")) == [1, 1, 0]


def test_empty_answers_do_not_agree_with_each_other():
    # Agreeing on nothing must not pay, or saying nothing becomes the best policy.
    texts = ["", "<think>a</think>", "<think>so it is B", *answers("", "C", "C")]
    assert consistency_reward(texts, CHOICE) == [0, 0, 0, 0, 1, 1]
    assert consistency_reward([""] * 4, CHOICE) == [0, 0, 0, 0]


def test_the_tie_rule_can_be_chosen():
    texts = answers("A", "B", "B", "A")
    assert consistency_reward(texts, CHOICE) == [0.5] * 4
    assert consistency_reward(texts, CHOICE, ties="first") == [1, 0, 0, 1]
    with pytest.raises(UsageError, match="ties='last'.*'split' or 'first'"):
        consistency_reward(texts, CHOICE, ties="last")


def test_only_fresh_groups_vote():
    texts = answers("A", "A", "B")
    stored = RewardContext(fresh=False)
    assert consistency_reward(texts, CHOICE, context=stored) == [None, None, None]
    assert consistency_reward(texts, CHOICE, context=RewardContext()) == [1, 1, 0]


def test_with_format_and_accuracy_it_gives_the_total_of_stage_two():
    texts = [*answers("A", "B", "B"), "B", "<think>B"]
    rows = score(texts, CHOICE, {"format": 0.2, "accuracy": 0.4, "self": 0.4})
    # 0.2·1 + 0.4·1 + 0.4·0; twice 0.2·1 + 0.4·0 + 0.4·1; 0.2·(−1) + 0.4·0 + 0.4·1; 0.2·(−1).
    assert [row.total for row in rows] == pytest.approx([0.6, 0.6, 0.6, 0.2, -0.2])
    assert [row.parts["self"] for row in rows] == [0, 1, 1, 1, 0]
    first = score(answers("A", "B"), CHOICE, {"self": 1.0}, {"self": {"ties": "first"}})
    assert [row.total for row in first] == [1, 0]


def test_a_lone_answer_has_no_total():
    rows = score(answers("A", ""), CHOICE, {"accuracy": 0.5, "self": 0.5})
    assert [row.total for row in rows] == [None, 0]
    assert rows[0].parts == {"accuracy": 1, "self": None}
