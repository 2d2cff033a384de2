"""Where the wall time went."""

from __future__ import annotations

from collections.abc import Sequence

from avatar_core.records import MetricsRow
from avatar_core.reporting.html.blocks import figure, table
from avatar_core.reporting.html.charts import Plot, Series, area_chart
from avatar_core.reporting.html.markup import Markup
from avatar_core.reporting.html.numbers import decimal, percent
from avatar_core.reporting.html.plots_learning import STEP, steps
from avatar_core.reporting.html.thinning import Points, known_points, moving_mean, window_of
from avatar_core.reporting.summary import RunSummary

COLOURS = ("c7", "c5", "c1", "c6", "c2", "c4", "c3", "c8")


def time_figure(metrics: Sequence[MetricsRow], summary: RunSummary) -> Markup | None:
    """Seconds per step, by phase, and their sums."""
    names = [name for name in summary.phases if metrics and hasattr(metrics[0], f"seconds_{name}")]
    if not names:
        return None
    series = [
        Series(name, x, list(y), colour)
        for (name, (x, y)), colour in zip(_phases(metrics, names), COLOURS, strict=False)
    ]
    slowest = max(names, key=lambda name: summary.phases[name].seconds)
    total = sum(summary.phases[name].seconds for name in names)
    note = (
        f"{decimal(total, 1)} s in all, {percent(summary.phases[slowest].share)} of them in "
        f"“{slowest}”. Moving mean."
    )
    plot = Plot("Time by phase", note, STEP, "seconds per step")
    return figure(plot, area_chart(plot, series), [(s.label, s.colour) for s in series])


def time_table(summary: RunSummary) -> Markup | None:
    """Sums of all phases."""
    rows = [
        [name, decimal(time.seconds, 1), percent(time.share)]
        for name, time in summary.phases.items()
    ]
    return table(("phase", "seconds", "share"), rows, "Wall time by phase") if rows else None


def _phases(
    metrics: Sequence[MetricsRow], names: Sequence[str]
) -> list[tuple[str, tuple[list[float], list[float]]]]:
    """Smoothed seconds of each phase; a step that did not time it counts 0."""
    x = steps(metrics)
    found = []
    for name in names:
        points = known_points(x, [getattr(row, f"seconds_{name}") or 0.0 for row in metrics])
        mean: Points = moving_mean(points, window_of(points))
        found.append((name, (x, [float(value) for value in mean.y])))
    return found
