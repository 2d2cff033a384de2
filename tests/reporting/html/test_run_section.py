from __future__ import annotations

from avatar_core.evaluation_records import SubsetScore
from avatar_core.reporting.html.run_section import run_section, summary_card
from tests.reporting.html.views import trained_view, view_of
from tests.run_records import eval_summary, group_row, metrics_row

TITLES = (
    "Reward",
    "Fresh accuracy",
    "Groups with signal",
    "Reward diversity",
    "KL divergence",
    "Clipped ratios",
    "Effective sample size",
    "Gradient norm",
    "Advantages",
    "TAS weight by position",
    "A completion under these weights",
    "Tier occupancy",
    "Age of replayed groups",
    "Reuse of replayed groups",
    "Time by phase",
)


def test_a_trained_run_has_every_part() -> None:
    made = run_section(trained_view(40), "run1", 100, {})
    missing = [title for title in TITLES if f"<h4>{title}</h4>" not in made]
    assert missing == []
    for part in ("Hints", "Groups", "Made with", "Accuracy by question family"):
        assert f">{part}</h3>" in made
    # 0.5 + 0.4 · step / 40 in the first and in the last four of 40 steps.
    row = '<th scope="row">reward</th><td>0.525</td><td>0.885</td><td><svg'
    assert row in made
    assert "40 of 50" in made  # a run that has not come to its end


def test_a_run_that_has_only_begun_says_so() -> None:
    made = run_section(view_of(), "run1", 100, {})
    assert "no training step on record" in made
    assert "<svg" not in made and "<h3" not in made


def test_one_step_and_no_groups_are_enough() -> None:
    made = run_section(view_of((metrics_row(1),)), "run1", 100, {})
    assert "<h4>Reward</h4>" in made and "Groups of completions" not in made


def test_groups_before_the_first_step_are_shown() -> None:
    made = run_section(view_of(groups=(group_row([0.0, 1.0], [-1.0, 1.0]),)), "run1", 9, {})
    assert "1 of 1 groups" in made and "<h4>Advantages</h4>" in made


def test_hints_are_counted() -> None:
    groups = (group_row([1.0], [0.0], hinted=True),)
    used = run_section(view_of((metrics_row(1, hints_used=1),), groups), "run1", 9, {})
    assert "<dt>groups with a hint</dt><dd>1</dd>" in used
    plain = view_of((metrics_row(1),), (group_row([1.0]),))
    assert "No hint was shown." in run_section(plain, "run1", 9, {})


def test_an_evaluation_has_score_statuses_and_breakdowns() -> None:
    score = eval_summary(
        metrics={"mean_score": 0.8, "mae": None},
        groups={"family": {"<c>": SubsetScore(n=4, correct=3, accuracy=0.75)}},
    )
    made = run_section(view_of(evaluation=score), "run1", 9, {})
    assert "30.0\u00a0% to 95.0\u00a0%" in made
    assert "&lt;c&gt;</th><td>4</td><td>3</td><td>75.0\u00a0%</td>" in made
    assert '<th scope="row">unparsed</th><td>0</td>' in made
    assert '<th scope="row">mae</th><td>–</td>' in made


def test_an_unfinished_evaluation_tells_how_far_it_is() -> None:
    card = summary_card(view_of(answered=12))
    assert "<dt>items answered, no score yet</dt><dd>12</dd>" in card
