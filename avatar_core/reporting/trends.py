"""How figures of a run moved over its steps, few enough points for a line of text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

from avatar_core.records import MetricsRow
from avatar_core.reporting.statistics import trend

POINTS = 24
"""Most points of a course."""


class Figure(NamedTuple):
    """A figure of a step, and how it is told."""

    label: str
    """What it is called."""
    field: str | None
    """Field of the metrics that holds it; `None` for the signal, which is counted from several."""
    digits: int | None = 3
    """Decimals that it is written with; `None` for a share, which is written in percent."""
    wanted_high: bool = False
    """More of it is better; else no direction is."""


FIGURES = {
    "reward": Figure("reward", "reward_mean", wanted_high=True),
    "accuracy": Figure("accuracy", "accuracy_fresh", None, wanted_high=True),
    "signal": Figure("groups with signal", None, None, wanted_high=True),
    "kl": Figure("KL to the reference", "kl", 4),
    "clip_low": Figure("clipped from below", "clip_low", None),
    "clip_high": Figure("clipped from above", "clip_high", None),
    "ess": Figure("effective sample size", "ess", None),
    "grad_norm": Figure("gradient norm", "grad_norm"),
}
"""The figures that are followed over a run, in the order in which they are told."""


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
    found = {
        name: course(
            list(signal_shares(metrics))
            if figure.field is None
            else [getattr(row, figure.field) for row in metrics]
        )
        for name, figure in FIGURES.items()
    }
    return {name: own for name, own in found.items() if own is not None}


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
