"""From rows to scores: one denominator, counts that add up, intervals that respect clusters."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import NamedTuple, get_args

import numpy as np

from avatar_core.records import EvalRow, EvalStatus, EvalSummary, Manifest, SubsetScore
from avatar_core.seeds import array_rng_from
from avatar_core.types import Sample

RESAMPLES = 2000
STATUSES: tuple[EvalStatus, ...] = get_args(EvalStatus)
FAILED: tuple[EvalStatus, ...] = ("error", "missing_media")


class Interval(NamedTuple):
    """A 95 % bootstrap interval."""

    low: float
    """2.5th percentile."""
    high: float
    """97.5th percentile."""


def clusters_of(samples: Sequence[Sample]) -> dict[str, str]:
    """Media of each sample by id, its own id where it has none.

    Samples that share their media are not independent, so intervals draw them together.
    """
    return {
        sample.id: "|".join(ref.path for ref in sample.media) or sample.id for sample in samples
    }


def accuracy(rows: Sequence[EvalRow]) -> float | None:
    """Share of all rows whose answer is right; failures count as wrong.

    `None` without rows, and when no row has a score at all.
    """
    if all(row.correct is None for row in rows):
        return None
    return sum(bool(row.correct) for row in rows) / len(rows)


def answered_accuracy(rows: Sequence[EvalRow]) -> float | None:
    """Share of right answers among the rows that state one."""
    return accuracy([row for row in rows if row.prediction is not None])


def mean_score(rows: Sequence[EvalRow]) -> float | None:
    """Mean score of the rows that have one, partial credit included; failures score 0."""
    scores = [row.score for row in rows if row.score is not None]
    return float(np.mean(scores)) if scores else None


def bootstrap_interval(
    values: Sequence[float], clusters: Sequence[str], *, seed: int = 0
) -> Interval | None:
    """95 % percentile interval of a mean, resampling whole clusters.

    Args:
        values: one per item.
        clusters: cluster of each item, such as its video; items of one cluster are drawn together.
        seed: of the resampling.

    Returns:
        The interval from 2,000 resamples, or `None` with fewer than two clusters.
    """
    names = sorted(set(clusters))
    if len(names) < 2:
        return None
    place = {name: index for index, name in enumerate(names)}
    members = [place[name] for name in clusters]
    totals = np.bincount(members, weights=np.asarray(values, dtype=float), minlength=len(names))
    counts = np.bincount(members, minlength=len(names))
    # One resample at a time: all at once take hundreds of megabytes at 10,000 clusters.
    rng = array_rng_from("bootstrap", seed)
    means = np.empty(RESAMPLES)
    for index in range(RESAMPLES):
        drawn = rng.integers(len(names), size=len(names))
        means[index] = totals[drawn].sum() / counts[drawn].sum()
    low, high = np.percentile(means, [2.5, 97.5])
    return Interval(float(low), float(high))


def accuracy_interval(rows: Sequence[EvalRow], clusters: Mapping[str, str]) -> Interval | None:
    """95 % interval of `accuracy`.

    Resampling tells nothing when all answers are right or all are wrong; then it is the exact
    binomial interval of as many trials as there are clusters: 1 − 0.025^(1/n) from the end.

    Args:
        rows: rows of the split.
        clusters: cluster of each row's id, such as its video.
    """
    share = accuracy(rows)
    names = [clusters[row.id] for row in rows]
    if share is None or len(set(names)) < 2:
        return None
    reach = 1 - 0.025 ** (1 / len(set(names)))
    if share == 0:
        return Interval(0.0, reach)
    if share == 1:
        return Interval(1 - reach, 1.0)
    return bootstrap_interval([float(bool(row.correct)) for row in rows], names)


def paired_gain(
    before: Sequence[EvalRow],
    after: Sequence[EvalRow],
    clusters: Mapping[str, str] | None = None,
) -> tuple[float, Interval | None]:
    """Gain in accuracy on the same items, with the paired bootstrap interval of the difference.

    Args:
        before: rows of the first measurement.
        after: rows of the second, of the same items in the same order.
        clusters: cluster of each row's id, such as its video; by default every item is its own.

    Raises:
        ValueError: there are no rows, or they are not of the same items in the same order.
    """
    ids = [row.id for row in before]
    if not ids or ids != [row.id for row in after]:
        raise ValueError("paired_gain needs the same items in the same order")
    gains = [
        float(bool(b.correct)) - float(bool(a.correct)) for a, b in zip(before, after, strict=True)
    ]
    interval = bootstrap_interval(gains, [clusters[key] if clusters else key for key in ids])
    return float(np.mean(gains)), interval


def status_counts(rows: Sequence[EvalRow]) -> dict[EvalStatus, int]:
    """Rows by status, every status named; adds up to the number of rows."""
    counts = Counter(row.status for row in rows)
    return {status: counts[status] for status in STATUSES}


def failed_share(summary: EvalSummary) -> float:
    """Share of the items that could not be asked."""
    return sum(summary.status[status] for status in FAILED) / max(1, summary.n)


def subset_scores(rows: Sequence[EvalRow]) -> dict[str, dict[str, SubsetScore]]:
    """Accuracy by breakdown and category."""
    found: dict[str, dict[str, list[EvalRow]]] = defaultdict(lambda: defaultdict(list))
    for row in rows:
        for breakdown, category in row.groups.items():
            found[breakdown][category].append(row)
    return {
        breakdown: {
            category: SubsetScore(
                n=len(members),
                correct=sum(bool(member.correct) for member in members),
                accuracy=accuracy(members),
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
) -> EvalSummary:
    """The score of an evaluation; a function of its rows and of what it was made with.

    When and by which command it was made is no part of it, so that the same answers give the same
    bytes; `manifest.json` says these.

    Args:
        rows: one per item of the split.
        clusters: cluster of each row's id, such as its video.
        benchmark: name of the benchmark.
        manifest: of the evaluation.
    """
    return EvalSummary(
        benchmark=benchmark,
        model=manifest.model,
        n=len(rows),
        correct=sum(bool(row.correct) for row in rows),
        accuracy=accuracy(rows),
        headline="accuracy",
        ci95=accuracy_interval(rows, clusters),
        accuracy_answered=answered_accuracy(rows),
        metrics={"mean_score": mean_score(rows)},
        status=status_counts(rows),
        groups=subset_scores(rows),
        manifest=manifest.model_copy(update={"command": (), "created": ""}),
    )
