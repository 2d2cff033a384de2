from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from avatar_core.evaluation.intervals import Interval
from avatar_core.evaluation.tally import (
    STATUSES,
    Measure,
    answered_headline,
    failed_share,
    headline,
    headline_interval,
    mean_score,
    paired_gain,
    status_counts,
    subset_scores,
    summarise,
)
from avatar_core.evaluation_records import EvalRow
from tests.eval_rows import eval_row
from tests.run_records import eval_summary, manifest

OUTCOMES = st.tuples(st.sampled_from(STATUSES), st.sampled_from([True, False, None]))


def rows_of(*correct: bool | None) -> list[EvalRow]:
    return [eval_row(str(index), value) for index, value in enumerate(correct)]


def own_clusters(rows: list[EvalRow]) -> dict[str, str]:
    return {row.id: row.id for row in rows}


def test_failures_count_as_wrong_and_answered_accuracy_leaves_them_out() -> None:
    rows = [
        eval_row("a", True),
        eval_row("b", False),
        eval_row("c", False, status="unparsed", prediction=None),
        eval_row("d", False, status="error", prediction=None),
        eval_row("e", True, status="truncated", truncated=True),
    ]
    # Right are a and e: 2 of 5 items, 2 of the 3 that state an answer.
    assert headline(rows) == 2 / 5
    assert answered_headline(rows) == 2 / 3


def test_without_scores_there_is_no_accuracy() -> None:
    assert headline([]) is None
    assert headline(rows_of(None, None)) is None
    assert answered_headline([eval_row(prediction=None)]) is None
    assert mean_score(rows_of(None)) is None


def test_mean_score_keeps_partial_credit() -> None:
    # (1 + 0.5 + 0) / 3; the row without a score is left out.
    rows = [eval_row("a", True), eval_row("b", False, score=0.5), eval_row("c", False)]
    assert mean_score([*rows, eval_row("d", None)]) == 0.5


@settings(deadline=None)
@given(st.lists(OUTCOMES, max_size=30))
def test_counts_add_up(outcomes: list[tuple[str, bool | None]]) -> None:
    rows = [
        eval_row(str(index), correct, status=status, groups={"family": status[0]})
        for index, (status, correct) in enumerate(outcomes)
    ]
    counts = status_counts(rows)
    assert tuple(counts) == STATUSES
    assert sum(counts.values()) == len(rows)
    for scores in subset_scores(rows).values():
        assert sum(score.n for score in scores.values()) == len(rows)
        assert sum(score.correct for score in scores.values()) == sum(
            bool(row.correct) for row in rows
        )
    summary = summarise(rows, own_clusters(rows), benchmark="scenes", manifest=manifest())
    assert sum(summary.status.values()) == summary.n == len(rows)
    if summary.accuracy is not None:
        assert summary.accuracy == summary.correct / summary.n
        assert summary.ci95 is None or 0 <= summary.ci95[0] <= summary.ci95[1] <= 1


def test_interval_is_near_the_normal_one() -> None:
    # 120 of 200 right: 0.6 ± 1.96 · sqrt(0.6 · 0.4 / 200) = 0.6 ± 0.068.
    rows = rows_of(*[True] * 120, *[False] * 80)
    interval = headline_interval(rows, own_clusters(rows))
    assert interval is not None
    assert interval.low == pytest.approx(0.532, abs=0.01)
    assert interval.high == pytest.approx(0.668, abs=0.01)


def test_interval_at_the_ends_is_the_exact_one() -> None:
    # Clopper and Pearson for 0 of 10: the p with (1 − p)^10 = 0.025, which is 0.3085.
    wrong, right = rows_of(*[False] * 10), rows_of(*[True] * 10)
    assert headline_interval(wrong, own_clusters(wrong)) == pytest.approx((0.0, 0.3085), abs=1e-4)
    assert headline_interval(right, own_clusters(right)) == pytest.approx((0.6915, 1.0), abs=1e-4)


def test_one_cluster_has_no_interval() -> None:
    rows = rows_of(True, False)
    assert headline_interval(rows, {"0": "a", "1": "a"}) is None


def by_task(row: EvalRow) -> tuple[str, ...]:
    return tuple(str(row.groups["task"]).split("/"))


def test_a_headline_of_strata_is_the_mean_of_their_means() -> None:
    rows = [
        eval_row("1", False, score=0.5, groups={"task": "count"}),
        eval_row("2", True, groups={"task": "count"}),
        eval_row("3", False, groups={"task": "turn/easy"}),
        eval_row("4", True, groups={"task": "turn/easy"}),
        eval_row("5", True, groups={"task": "turn/hard"}),
    ]
    # Graded: count (0.5 + 1) / 2 = 0.75; turn: easy 0.5, hard 1, mean 0.75; mean of both 0.75.
    assert headline(rows, Measure("macro_mean", True, by_task)) == 0.75
    # Right or wrong: count 0.5, turn 0.75, mean 0.625; without strata 3 of 5.
    assert headline(rows, Measure("macro_mean", False, by_task)) == 0.625
    assert headline(rows) == 0.6
    clusters = own_clusters(rows)
    interval = headline_interval(rows, clusters, Measure("macro_mean", True, by_task))
    assert interval is not None
    assert interval.low < 0.75 < interval.high <= 1


def test_a_row_counts_in_each_of_its_categories() -> None:
    rows = [
        eval_row("1", True, groups={"sound": ("speech", "music"), "task": "x"}),
        eval_row("2", False, groups={"sound": "music", "task": "x"}),
    ]
    found = subset_scores(rows)
    shares = {name: (score.n, score.accuracy) for name, score in found["sound"].items()}
    assert shares == {"music": (2, 0.5), "speech": (1, 1.0)}
    assert found["task"]["x"].n == 2


def test_figures_of_a_benchmark_stand_beside_the_mean_score() -> None:
    rows = rows_of(True, False)
    summary = summarise(
        rows,
        own_clusters(rows),
        benchmark="x",
        manifest=manifest(),
        measure=Measure("mean_reward", graded=True),
        figures=lambda given: {"items": float(len(given))},
    )
    assert summary.headline == "mean_reward"
    assert summary.metrics == {"mean_score": 0.5, "items": 2.0}


def test_paired_gain_by_hand() -> None:
    # Differences are +1, 0, −1, +1: mean 1/4.
    gain, interval = paired_gain(
        rows_of(False, True, True, False), rows_of(True, True, False, True)
    )
    assert gain == 0.25
    assert interval is not None
    assert interval.low < 0.25 < interval.high
    # Each video gains one and keeps one, so no resample of whole videos differs.
    videos = {"0": "v", "1": "v", "2": "w", "3": "w"}
    sure = paired_gain(rows_of(*[False] * 4), rows_of(True, False, True, False), videos)
    assert sure == (0.5, Interval(0.5, 0.5))
    # All four gain: resampling could only say that it is sure.
    assert paired_gain(rows_of(*[False] * 4), rows_of(*[True] * 4), videos) == (1.0, None)


def test_paired_gain_refuses_other_items() -> None:
    for before, after in (([], []), (rows_of(True), rows_of(True, True))):
        with pytest.raises(ValueError, match="same items"):
            paired_gain(before, after)


def test_failed_share() -> None:
    status = {"ok": 5, "unparsed": 1, "truncated": 1, "error": 2, "missing_media": 1}
    assert failed_share(eval_summary(n=10, status=status)) == 0.3


def test_a_summary_does_not_say_when_it_was_made() -> None:
    rows = rows_of(True, False)
    first, later = (
        manifest(),
        manifest().model_copy(update={"created": "2027-01-01T00:00:00Z", "command": ("x",)}),
    )
    made = [
        summarise(rows, own_clusters(rows), benchmark="scenes", manifest=one).model_dump_json()
        for one in (first, later, later.model_copy(update={"model_fingerprint": "1a"}))
    ]
    assert made[0] == made[1] != made[2]
