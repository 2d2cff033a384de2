from __future__ import annotations

from avatar_core.reporting.hints import HintFigures, hint_figures
from tests.run_records import group_row, metrics_row


def test_hints_are_counted_by_visit_and_prompt() -> None:
    groups = [
        group_row([0.0, 0.0], prompt_id="a"),
        group_row([0.0, 0.0], prompt_id="a", hinted=True),
        group_row([0.0, 1.0], prompt_id="a", hinted=True),
        group_row([None, 0.0], prompt_id="b", hinted=True, leaked=True),
        # Replayed, with the hint it was sampled with: counted when it was fresh.
        group_row([1.0], prompt_id="c", hinted=True, source="replayed"),
    ]
    rows = [metrics_row(1, hints_used=1), metrics_row(2, hints_used=3, hints_refused=4)]
    found = hint_figures(rows, groups)
    assert found == HintFigures(used=3, refused=4, prompts=2, answered=1, leaked=1)


def test_a_part_of_a_right_answer_counts_and_other_rewards_do_not() -> None:
    (member,) = group_row([1.0]).completions
    for parts, answered in (({"accuracy": 0.2}, 1), ({"format": 1.0}, 0), ({"accuracy": None}, 0)):
        row = group_row([], hinted=True)
        changed = row.model_copy(
            update={"completions": (member.model_copy(update={"parts": parts}),)}
        )
        assert hint_figures([], [changed]).answered == answered, parts


def test_a_run_that_has_only_begun_has_neither_used_nor_refused_any() -> None:
    assert hint_figures([], []) == HintFigures(None, None, 0, 0, 0)
