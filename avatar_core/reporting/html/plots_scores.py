"""Scores with their intervals: evaluations, held-out samples, paired differences."""

from __future__ import annotations

from collections.abc import Sequence

from avatar_core.reporting.html.blocks import figure, table
from avatar_core.reporting.html.charts import Estimate, Plot, Series, interval_chart, line_chart
from avatar_core.reporting.html.markup import Markup
from avatar_core.reporting.html.numbers import (
    MISSING,
    Show,
    count,
    percent,
    percent_tick,
    points,
)
from avatar_core.reporting.html.plots_learning import GENERATED, generated
from avatar_core.reporting.html.views import RunView

RUN_COLOURS = ("c1", "c2", "c3", "c4", "c5", "c6", "c7", "c8")


def score_figure(views: Sequence[RunView]) -> Markup | None:
    """Main figures of evaluations with their 95 % intervals."""
    scores = [(view, view.summary.evaluation) for view in views]
    estimates = [
        Estimate(view.name, score.accuracy, score.ci95, "c1")
        for view, score in scores
        if score is not None and score.accuracy is not None
    ]
    if not estimates:
        return None
    best = max(estimates, key=lambda item: item.value)
    only = f"{percent(best.value)}, 95 % interval {interval(best.interval, percent)}."
    note = only if len(estimates) == 1 else f"Highest: {best.label}, {only}"
    plot = Plot("Scores", note, "main figure with 95 % interval", "", percent_tick)
    return figure(plot, interval_chart(plot, estimates), wide=len(estimates) > 6)


def held_out_figure(views: Sequence[RunView]) -> Markup | None:
    """Accuracy on held-out samples before and after each run."""
    estimates = []
    notes = []
    for view in views:
        if view.held_out is None:
            continue
        prefix = f"{view.name} " if len(views) > 1 else ""
        for moment, colour in (("before", "c8"), ("after", "c1")):
            found = view.held_out[moment]
            if found["value"] is not None:
                bounds = found["interval"] and tuple(found["interval"])
                estimates.append(Estimate(f"{prefix}{moment}", found["value"], bounds, colour))
        gain = interval(view.held_out["gain_interval"], points)
        notes.append(f"{prefix}{points(view.held_out['gain'])} points ({gain})")
    if not estimates:
        return None
    note = f"Gain on the same held-out samples, with 95 % interval: {'; '.join(notes)}."
    plot = Plot("Held-out accuracy", note, "accuracy with 95 % interval", "", percent_tick)
    return figure(plot, interval_chart(plot, estimates))


def paired_figure(views: Sequence[RunView]) -> Markup | None:
    """Differences to the baseline on the same items."""
    found = [(view.name, view.paired) for view in views if view.paired is not None]
    if not found:
        return None
    estimates = [Estimate(name, pair.gain, pair.interval, "c6") for name, pair in found]
    baseline = found[0][1].baseline
    note = (
        f"Paired difference to {baseline} on the same items, in the share of right answers; "
        "every item counts as independent."
    )
    plot = Plot("Against the baseline", note, "percentage points", "", points)
    head = ("run", "items", "before", "after", "gain", "95 % interval", "gained", "lost", "p")
    rows = [
        [
            name,
            count(pair.items),
            percent(pair.before),
            percent(pair.after),
            points(pair.gain),
            interval(pair.interval, points),
            count(pair.gained),
            count(pair.lost),
            f"{pair.p_value:.2g}",
        ]
        for name, pair in found
    ]
    chart = interval_chart(plot, estimates)
    return figure(plot, chart, details=table(head, rows, "Paired differences"), wide=True)


def overlay_figure(views: Sequence[RunView], field: str, plot: Plot) -> Markup | None:
    """One figure of several runs over the completions they generated."""
    series = []
    for view, colour in zip(views, RUN_COLOURS, strict=False):
        values = [getattr(row, field) for row in view.records.metrics]
        item = Series(view.name, generated(view.records.metrics), values, colour)
        if len(item.points().y):
            series.append(item)
    if len(series) < 2:
        return None
    return figure(plot, line_chart(plot, series), [(item.label, item.colour) for item in series])


def overlays(views: Sequence[RunView]) -> list[Markup | None]:
    """Accuracy and reward of several runs."""
    left_out = len(views) - len(RUN_COLOURS)
    note = "Fresh completions; bold: moving mean."
    note += f" The first {len(RUN_COLOURS)} runs." if left_out > 0 else ""
    return [
        overlay_figure(
            views,
            "accuracy_fresh",
            Plot("Fresh accuracy", note, GENERATED, "accuracy", percent_tick),
        ),
        overlay_figure(views, "reward_mean", Plot("Reward", note, GENERATED, "reward", zero=False)),
    ]


def interval(bounds: Sequence[float] | None, show: Show) -> str:
    """Two ends of an interval."""
    return f"{show(bounds[0])} to {show(bounds[1])}" if bounds else MISSING
