from __future__ import annotations

from typing import Any

from avatar_core.records import GroupRow
from avatar_core.reporting.stuck import Stuck, stuck_prompts
from tests.run_records import group_row


def visit(step: int, *rewards: float | None, **changes: Any) -> GroupRow:
    return group_row(list(rewards), **{"step": step, "tier": "hard", **changes})


def test_hard_and_always_wrong_is_stuck() -> None:
    rows = [visit(1, 0.0, 0.0), visit(4, 0.0, None)]
    # Three of the four completions have an accuracy.
    assert stuck_prompts(rows) == [Stuck("p", visits=2, completions=3, last_step=4)]


def test_one_right_answer_in_the_last_three_visits_is_enough() -> None:
    failures = [visit(step, 0.0, 0.0) for step in (2, 3, 4)]
    assert stuck_prompts([visit(1, 0.0, 0.5), *failures[:2]]) == []
    assert len(stuck_prompts([visit(1, 0.0, 1.0), *failures])) == 1
    assert stuck_prompts([visit(1, 0.0, 1.0), *failures], visits=4) == []


def test_the_tier_of_the_last_visit_counts() -> None:
    assert stuck_prompts([visit(1, 0.0), visit(2, 0.0, tier="medium")]) == []
    assert len(stuck_prompts([visit(1, 0.0, tier="medium"), visit(2, 0.0)])) == 1


def test_replayed_and_hinted_groups_are_no_visits() -> None:
    others = [visit(5, 1.0, source="replayed", policy_step=1), visit(6, 1.0, hinted=True)]
    assert [found.last_step for found in stuck_prompts([visit(1, 0.0), *others])] == [1]
    assert stuck_prompts(others) == []


def test_without_a_scored_accuracy_nothing_is_known() -> None:
    assert stuck_prompts([visit(1, None, None)]) == []


def test_prompts_come_in_the_order_of_their_first_visit() -> None:
    rows = [
        visit(1, 0.0, prompt_id="b"),
        visit(2, 0.0, prompt_id="a"),
        visit(3, 0.0, prompt_id="b"),
    ]
    assert [found.prompt_id for found in stuck_prompts(rows)] == ["b", "a"]
