"""Tests of benchmarks/open_questions.py: open answers are counted apart, failures as wrong."""

from __future__ import annotations

from avatar_core.benchmarks.open_questions import UNJUDGED, open_figures
from tests.eval_rows import eval_row


def test_exact_matches_are_named_for_what_they_are() -> None:
    rows = [
        eval_row("1", True, groups={"kind": "mc"}),
        eval_row("2", True, groups=dict(UNJUDGED)),
        eval_row("3", False, groups=dict(UNJUDGED)),
        eval_row("4", None, groups=dict(UNJUDGED), status="error"),
    ]
    # Three open ones, a failed one among them, which is wrong.
    assert open_figures(rows) == {"open_items": 3.0, "open_exact": 1 / 3}


def test_without_open_questions_there_is_no_figure() -> None:
    assert open_figures([eval_row()]) == {}
    assert open_figures([]) == {}
