"""How a run learns: reward, accuracy, signal, diversity, divergence, gradient."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from avatar_core.records import GroupRow, MetricsRow
from avatar_core.reporting.html.axes import small_line
from avatar_core.reporting.html.blocks import line_figure, table
from avatar_core.reporting.html.charts import Plot, Series
from avatar_core.reporting.html.markup import Markup
from avatar_core.reporting.html.numbers import decimal, percent, percent_tick, three_digits
from avatar_core.reporting.statistics import reward_diversity, trend
from avatar_core.reporting.trends import FIGURES, Course, signal_shares

GENERATED = "completions generated"
STEP = "optimiser step"
STRETCHES = 50
"""Figures of groups are means over so many stretches of a run."""


def reward_figure(metrics: Sequence[MetricsRow]) -> Markup | None:
    """Mean reward of the fresh completions."""
    values = [row.reward_mean for row in metrics]
    note = f"Mean reward of fresh completions{_moved(values, decimal)}."
    plot = Plot("Reward", note, GENERATED, "reward", zero=False)
    return line_figure(plot, [Series("reward", generated(metrics), values, "c1")], decimal)


def accuracy_figure(metrics: Sequence[MetricsRow]) -> Markup | None:
    """Share of fresh completions that answer rightly."""
    values = [row.accuracy_fresh for row in metrics]
    note = f"Share of fresh completions with the right answer{_moved(values, percent)}."
    plot = Plot("Fresh accuracy", note, GENERATED, "accuracy", percent_tick)
    return line_figure(plot, [Series("accuracy", generated(metrics), values, "c3")], percent)


def signal_figure(metrics: Sequence[MetricsRow]) -> Markup | None:
    """Share of the fresh groups of each step whose rewards differ."""
    shares = list(signal_shares(metrics))
    last = metrics[-1] if metrics else None
    whole = 1 - last.groups_no_signal / last.groups if last and last.groups else None
    note = f"Fresh groups whose rewards are not all equal: {percent(whole)} over the run."
    plot = Plot("Groups with signal", note, STEP, "share of groups", percent_tick)
    return line_figure(plot, [Series("with signal", steps(metrics), shares, "c1")], percent)


def diversity_figure(groups: Sequence[GroupRow]) -> Markup | None:
    """Distinct rewards per group, fresh against replayed, over the steps."""
    stretches = _stretches(groups)
    x = [float(part[len(part) // 2].step) for part in stretches]
    series = [
        Series("fresh", x, [reward_diversity(p, "fresh").unique_mean for p in stretches], "c1"),
        Series(
            "replayed", x, [reward_diversity(p, "replayed").unique_mean for p in stretches], "c4"
        ),
    ]
    mean = reward_diversity(groups, "fresh").unique_mean
    note = f"Distinct rewards per group, by stretch of the run; fresh {decimal(mean, 2)} in all."
    plot = Plot("Reward diversity", note, STEP, "distinct rewards", zero=False)
    return line_figure(plot, series, lambda value: decimal(value, 2))


def kl_figure(metrics: Sequence[MetricsRow]) -> Markup | None:
    """Estimated divergence from the reference policy."""
    values = [row.kl for row in metrics]
    note = f"Divergence from the reference policy, mean per token{_moved(values, three_digits)}."
    plot = Plot("KL divergence", note, STEP, "KL, nats per token")
    return line_figure(plot, [Series("KL", steps(metrics), values, "c4")])


def clip_figure(metrics: Sequence[MetricsRow]) -> Markup | None:
    """Shares of importance ratios that were clipped."""
    low, high = [row.clip_low for row in metrics], [row.clip_high for row in metrics]
    series = [
        Series("from below", steps(metrics), low, "c1"),
        Series("from above", steps(metrics), high, "c2"),
    ]
    note = (
        f"Importance ratios outside their bounds; in the last tenth {percent(trend(low).last)} "
        f"below and {percent(trend(high).last)} above."
    )
    plot = Plot("Clipped ratios", note, STEP, "share of ratios", percent_tick)
    return line_figure(plot, series, percent)


def gradient_figure(metrics: Sequence[MetricsRow]) -> Markup | None:
    """Gradient norm before clipping."""
    values = [row.grad_norm for row in metrics]
    note = f"Norm of the gradient before it is clipped{_moved(values, three_digits)}."
    plot = Plot("Gradient norm", note, STEP, "norm")
    return line_figure(plot, [Series("norm", steps(metrics), values, "c2")])


def loss_figure(metrics: Sequence[MetricsRow]) -> Markup | None:
    """Loss of supervised steps; that of a policy gradient says nothing about progress."""
    supervised = [row for row in metrics if row.stage == 0]
    values = [row.loss for row in supervised]
    plot = Plot("Loss", f"Supervised loss{_moved(values, three_digits)}.", STEP, "nats per token")
    return line_figure(plot, [Series("loss", steps(supervised), values, "c1")])


def trend_table(courses: Mapping[str, Course]) -> Markup | None:
    """How figures moved: at first, at last, and a small line between."""
    rows: list[list[str]] = []
    for name, course in courses.items():
        label, _, digits, _ = FIGURES[name]
        first, last = (
            percent(end) if digits is None else decimal(end, digits)
            for end in (course.first, course.last)
        )
        rows.append([label, first, last, small_line(course.points)])
    head = ("figure", "first tenth", "last tenth", "over the run")
    return table(head, rows, "First and last tenth of the steps") if rows else None


def steps(metrics: Sequence[MetricsRow]) -> list[float]:
    """Steps of the rows."""
    return [float(row.step) for row in metrics]


def generated(metrics: Sequence[MetricsRow]) -> list[float]:
    """Completions generated up to each row."""
    return [float(row.completions_generated) for row in metrics]


def _moved(values: Sequence[float | None], show: Callable[[float | None], str]) -> str:
    moved = trend(values)
    if moved.first is None:
        return ""
    return f": {show(moved.first)} in the first tenth, {show(moved.last)} in the last"


def _stretches(groups: Sequence[GroupRow]) -> list[list[GroupRow]]:
    """Groups of equal stretches of the steps, those without groups left out."""
    if not groups:
        return []
    first, last = groups[0].step, groups[-1].step
    count = min(STRETCHES, last - first + 1)
    bounds = np.linspace(first, last + 1, count + 1)
    found: list[list[GroupRow]] = [[] for _ in range(count)]
    for row in groups:
        place = int(np.searchsorted(bounds, row.step, side="right")) - 1
        found[min(max(place, 0), count - 1)].append(row)
    return [part for part in found if part]
