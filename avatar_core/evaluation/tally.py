"""From rows to scores: one denominator, counts that add up, breakdowns."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import NamedTuple, get_args

import numpy as np

from avatar_core.benchmarks.registry import Figures, Strata, no_figures, no_strata
from avatar_core.evaluation.intervals import Interval, binomial_reach, bootstrap_interval, tree_mean
from avatar_core.evaluation_records import FAILED, EvalRow, EvalStatus, EvalSummary, SubsetScore
from avatar_core.records import Manifest

STATUSES: tuple[EvalStatus, ...] = get_args(EvalStatus)


class Measure(NamedTuple):
    """What the headline of a benchmark is."""

    name: str = "accuracy"
    """In `summary.json`."""
    graded: bool = False
    """Scores count with their partial credit; otherwise an item is right or wrong."""
    strata: Strata = no_strata
    """Place of a row in the tree whose unweighted means are taken from the leaves up."""

    def value(self, row: EvalRow) -> float:
        """What a row counts; failures and answers without a score count nothing."""
        return (row.score or 0.0) if self.graded else float(bool(row.correct))


ACCURACY = Measure()


def headline(rows: Sequence[EvalRow], measure: Measure = ACCURACY) -> float | None:
    """The main figure over all rows, failures as wrong.

    `None` without rows, and when no row has a score at all.
    """
    if all(row.score is None for row in rows):
        return None
    return tree_mean([measure.strata(row) for row in rows], [measure.value(row) for row in rows])


def answered_headline(rows: Sequence[EvalRow], measure: Measure = ACCURACY) -> float | None:
    """The main figure over the rows that state an answer."""
    return headline([row for row in rows if row.prediction is not None], measure)


def mean_score(rows: Sequence[EvalRow]) -> float | None:
    """Mean score of the rows that have one, partial credit included; failures score 0."""
    scores = [row.score for row in rows if row.score is not None]
    return float(np.mean(scores)) if scores else None


def headline_interval(
    rows: Sequence[EvalRow], clusters: Mapping[str, str], measure: Measure = ACCURACY
) -> Interval | None:
    """95 % interval of `headline`.

    Resampling tells nothing when all answers are right or all are wrong; then it is the exact
    binomial interval of as many trials as there are clusters.

    Args:
        rows: rows of the split.
        clusters: cluster of each row's id, such as its video.
        measure: what the headline is.
    """
    figure = headline(rows, measure)
    names = [clusters[row.id] for row in rows]
    if figure is None or len(set(names)) < 2:
        return None
    if figure == 0:
        return Interval(0.0, binomial_reach(len(set(names))))
    if figure == 1:
        return Interval(1 - binomial_reach(len(set(names))), 1.0)
    paths = [measure.strata(row) for row in rows]
    return bootstrap_interval([measure.value(row) for row in rows], names, paths)


def paired_gain(
    before: Sequence[EvalRow],
    after: Sequence[EvalRow],
    clusters: Mapping[str, str] | None = None,
    measure: Measure = ACCURACY,
) -> tuple[float, Interval | None]:
    """Gain in the headline on the same items, with the paired bootstrap interval of the difference.

    Resampling tells nothing when every item changed alike; then there is no interval.

    Args:
        before: rows of the first measurement.
        after: rows of the second, of the same items in the same order.
        clusters: cluster of each row's id, such as its video; by default every item is its own.
        measure: what the headline is.

    Raises:
        ValueError: there are no rows, or they are not of the same items in the same order.
    """
    ids = [row.id for row in before]
    if not ids or ids != [row.id for row in after]:
        raise ValueError("paired_gain needs the same items in the same order")
    gains = [measure.value(b) - measure.value(a) for a, b in zip(before, after, strict=True)]
    paths = [measure.strata(row) for row in after]
    names = [clusters[key] if clusters else key for key in ids]
    alike = len(set(gains)) == 1
    return tree_mean(paths, gains), None if alike else bootstrap_interval(gains, names, paths)


def status_counts(rows: Sequence[EvalRow]) -> dict[EvalStatus, int]:
    """Rows by status, every status named; adds up to the number of rows."""
    counts = Counter(row.status for row in rows)
    return {status: counts[status] for status in STATUSES}


def failed_share(summary: EvalSummary) -> float:
    """Share of the items that could not be asked."""
    return sum(summary.status[status] for status in FAILED) / max(1, summary.n)


def subset_scores(
    rows: Sequence[EvalRow], measure: Measure = ACCURACY
) -> dict[str, dict[str, SubsetScore]]:
    """The main figure by breakdown and category; a row counts in each of its categories."""
    found: dict[str, dict[str, list[EvalRow]]] = defaultdict(lambda: defaultdict(list))
    for row in rows:
        for breakdown in row.groups:
            for category in row.categories(breakdown):
                found[breakdown][category].append(row)
    return {
        breakdown: {
            category: SubsetScore(
                n=len(members),
                correct=sum(bool(member.correct) for member in members),
                accuracy=headline(members, measure),
            )
            for category, members in sorted(categories.items())
        }
        for breakdown, categories in sorted(found.items())
    }


def summarise(
    rows: Sequence[EvalRow],
    clusters: Mapping[str, str],
    *,
    benchmark: str,
    manifest: Manifest,
    measure: Measure = ACCURACY,
    figures: Figures = no_figures,
    asked: Mapping[str, str | int | bool | None] | None = None,
) -> EvalSummary:
    """The score of an evaluation; a function of its rows and of what it was made with.

    When and by which command it was made is no part of it, so that the same answers give the same
    bytes apart from `timing`; `manifest.json` says these.

    Args:
        rows: one per item of the split.
        clusters: cluster of each row's id, such as its video.
        benchmark: name of the benchmark.
        manifest: of the evaluation.
        measure: what the headline is.
        figures: further figures of the rows.
        asked: what was asked of the benchmark.
    """
    return EvalSummary(
        benchmark=benchmark,
        model=manifest.model,
        asked=asked or {},
        n=len(rows),
        correct=sum(bool(row.correct) for row in rows),
        accuracy=headline(rows, measure),
        headline=measure.name,
        ci95=headline_interval(rows, clusters, measure),
        answered=sum(row.prediction is not None for row in rows),
        accuracy_answered=answered_headline(rows, measure),
        metrics={"mean_score": mean_score(rows), **figures(rows)},
        status=status_counts(rows),
        groups=subset_scores(rows, measure),
        manifest=manifest.model_copy(update={"command": (), "created": ""}),
    )
