"""How figures of a run moved over its steps, few enough points for a line of text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from avatar_core.records import MetricsRow
from avatar_core.reporting.statistics import trend

POINTS = 24
"""Most points of a course."""
READ = {
    "reward": "reward_mean",
    "accuracy": "accuracy_fresh",
    "kl": "kl",
    "clip_low": "clip_low",
    "clip_high": "clip_high",
    "ess": "ess",
    "grad_norm": "grad_norm",
}
"""Figures of a step by what they are called here, and the field that holds them."""


@dataclass(frozen=True, slots=True)
class Course:
    """How one figure moved.

    Attributes:
        first: mean over the first tenth of the steps that have it.
        last: mean over the last tenth of them.
        points: means over equal parts of the run in order, `None` where no step has it.
    """

    first: float
    last: float
    points: tuple[float | None, ...]


def courses(metrics: Sequence[MetricsRow]) -> dict[str, Course]:
    """Courses of reward, accuracy, signal and what tells of the update; absent ones left out."""
    figures: dict[str, list[float | None]] = {
        name: [getattr(row, field) for row in metrics] for name, field in READ.items()
    }
    figures["signal"] = list(signal_shares(metrics))
    found = {name: course(values) for name, values in figures.items()}
    order = ("reward", "accuracy", "signal", "kl", "clip_low", "clip_high", "ess", "grad_norm")
    return {name: own for name in order if (own := found[name]) is not None}


def course(values: Sequence[float | None], points: int = POINTS) -> Course | None:
    """The course of a figure; `None` when no step has it.

    Args:
        values: of each step, in order.
        points: most points of the course.
    """
    ends = trend(values)
    if ends.first is None or ends.last is None:
        return None
    count = min(points, len(values))
    edges = [place * len(values) // count for place in range(count + 1)]
    return Course(
        ends.first, ends.last, tuple(_mean(values[low:high]) for low, high in pairwise(edges))
    )


def signal_shares(metrics: Sequence[MetricsRow]) -> Iterator[float | None]:
    """Share of each step's fresh groups whose rewards differ, from the counters of the rows."""
    groups = silent = 0
    for row in metrics:
        new, without = row.groups - groups, row.groups_no_signal - silent
        yield 1 - without / new if new > 0 and 0 <= without <= new else None
        groups, silent = row.groups, row.groups_no_signal


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None
