"""What the replay buffer holds and what of it is used."""

from __future__ import annotations

from collections.abc import Sequence

from avatar_core.records import MetricsRow
from avatar_core.reporting.html.blocks import figure, folded_table, line_figure
from avatar_core.reporting.html.charts import Plot, Series, area_chart
from avatar_core.reporting.html.markup import Markup
from avatar_core.reporting.html.numbers import count, decimal, percent, percent_tick
from avatar_core.reporting.html.plots_learning import STEP, steps
from avatar_core.reporting.statistics import trend
from avatar_core.reporting.summary import RunSummary

TIER_COLOURS = {"easy": "c3", "medium": "c5", "hard": "c2"}


def occupancy_figure(metrics: Sequence[MetricsRow], summary: RunSummary) -> Markup | None:
    """Completions stored by tier."""
    known = [row for row in metrics if row.tier_hard is not None]
    if not known:
        return None
    series = [
        Series(tier, steps(known), [getattr(row, f"tier_{tier}") for row in known], colour)
        for tier, colour in TIER_COLOURS.items()
    ]
    held = ", ".join(f"{tier} {percent(found.share)}" for tier, found in summary.tiers.items())
    stored = sum(found.stored or 0 for found in summary.tiers.values())
    plot = Plot(
        "Tier occupancy",
        f"{count(stored)} completions stored at last: {held}.",
        STEP,
        "completions",
    )
    head = ("tier", "stored", "share", "draws", "age mean", "age max", "reuse mean")
    rows = [
        [
            tier,
            count(found.stored),
            percent(found.share),
            count(found.draws),
            decimal(found.age_mean, 1),
            count(found.age_max),
            decimal(found.reuse_mean, 2),
        ]
        for tier, found in summary.tiers.items()
    ]
    legend = list(TIER_COLOURS.items())
    return figure(
        plot, area_chart(plot, series), legend, folded_table("Figures by tier", head, rows)
    )


def age_figure(metrics: Sequence[MetricsRow]) -> Markup | None:
    """Mean age of what is replayed."""
    values = [row.replay_age_mean for row in metrics]
    note = f"Mean age of replayed groups; {decimal(trend(values).last, 1)} steps in the last tenth."
    plot = Plot("Age of replayed groups", note, STEP, "optimiser steps")
    return line_figure(plot, [Series("age", steps(metrics), values, "c4")])


def reuse_figure(metrics: Sequence[MetricsRow]) -> Markup | None:
    """Mean number of earlier draws of what is replayed."""
    values = [row.replay_reuse_mean for row in metrics]
    note = f"Mean number of earlier draws; {decimal(trend(values).last, 2)} in the last tenth."
    plot = Plot("Reuse of replayed groups", note, STEP, "earlier draws")
    return line_figure(plot, [Series("reuse", steps(metrics), values, "c4")])


def ess_figure(metrics: Sequence[MetricsRow]) -> Markup | None:
    """Effective sample size of the importance ratios."""
    values = [row.ess for row in metrics]
    known = [value for value in values if value is not None]
    note = (
        f"Share of the importance ratios that count; {percent(min(known, default=None))} at least. "
        "100 % means that all ratios are alike. Single ratios are not recorded."
    )
    plot = Plot("Effective sample size", note, STEP, "share", percent_tick, zero=False)
    return line_figure(plot, [Series("sample size", steps(metrics), values, "c1")], percent)
