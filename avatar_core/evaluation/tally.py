"""From rows to scores: one denominator, counts that add up, intervals that respect shared videos."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from avatar_core.records import EvalRow, SubsetScore
from avatar_core.seeds import array_rng_from

RESAMPLES = 2000
STATUSES = ("ok", "unparsed", "truncated", "error", "missing_media")


class Interval(NamedTuple):
    """A 95 % bootstrap interval."""

    low: float
    """2.5th percentile."""
    high: float
    """97.5th percentile."""


def accuracy(rows: Sequence[EvalRow]) -> float | None:
    """Share of all rows whose answer is right; failures count as wrong, no rows give `None`."""
    return sum(bool(row.correct) for row in rows) / len(rows) if rows else None


def answered_accuracy(rows: Sequence[EvalRow]) -> float | None:
    """Share of right answers among rows that state one."""
    return accuracy([row for row in rows if row.prediction is not None])


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
    draws = array_rng_from("bootstrap", seed).integers(len(names), size=(RESAMPLES, len(names)))
    means = totals[draws].sum(1) / counts[draws].sum(1)
    low, high = np.percentile(means, [2.5, 97.5])
    return Interval(float(low), float(high))


def paired_gain(before: Sequence[EvalRow], after: Sequence[EvalRow]) -> tuple[float, Interval | None]:
    """Gain in accuracy on the same items, with the paired bootstrap interval of the difference.

    Raises:
        ValueError: the rows are not of the same items in the same order.
    """
    if [row.id for row in before] != [row.id for row in after]:
        raise ValueError("paired_gain needs the same items in the same order")
    gains = [float(bool(b.correct)) - float(bool(a.correct)) for a, b in zip(before, after, strict=True)]
    interval = bootstrap_interval(gains, [row.id for row in before])
    return float(np.mean(gains)), interval


def status_counts(rows: Sequence[EvalRow]) -> dict[str, int]:
    """Rows by status, every status named; adds up to the number of rows."""
    counts = Counter(row.status for row in rows)
    return {status: counts[status] for status in STATUSES}  # type: ignore[index]


def subset_scores(rows: Sequence[EvalRow]) -> dict[str, dict[str, SubsetScore]]:
    """Accuracy by breakdown and category."""
    found: dict[str, dict[str, list[EvalRow]]] = defaultdict(lambda: defaultdict(list))
    for row in rows:
        for breakdown, category in row.groups.items():
            found[breakdown][category].append(row)
    return {
        breakdown: {
            category: SubsetScore(
                n=len(members), correct=sum(bool(m.correct) for m in members), accuracy=accuracy(members)
            )
            for category, members in sorted(categories.items())
        }
        for breakdown, categories in sorted(found.items())
    }
