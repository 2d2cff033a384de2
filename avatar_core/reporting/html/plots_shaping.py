"""Advantages as completions get them, and as their tokens do."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from avatar_core.records import GroupRow
from avatar_core.reporting.html.blocks import figure, folded_table
from avatar_core.reporting.html.charts import Plot, Series, bar_chart, line_chart
from avatar_core.reporting.html.markup import Markup
from avatar_core.reporting.html.numbers import count, decimal, percent, percent_tick
from avatar_core.reporting.html.weights import Shaping, weights_at
from avatar_core.reporting.summary import SELECTIONS, RunSummary

EDGES = tuple(float(edge) for edge in np.linspace(-2.625, 2.625, 22))
"""Of the bins of advantages, one of them around 0; the outer bins hold what lies beyond."""
CURVE_POINTS = 101


def advantage_figure(groups: Sequence[GroupRow], summary: RunSummary) -> Markup | None:
    """Distribution of the advantages, fresh against replayed."""
    bars = []
    for name, colour in (("fresh", "c1"), ("replayed", "c4")):
        shares = _shares([row for row in groups if row.source == name])
        if shares is not None:
            bars.append((name, colour, shares))
    if not bars:
        return None
    small = [
        f"{name} {percent(summary.advantages[name].within_0_1)}"
        for name in SELECTIONS[:2]
        if summary.advantages[name].count
    ]
    note = f"Advantages that hardly move the policy, |A| ≤ 0.1: {', '.join(small)}."
    plot = Plot(
        "Advantages",
        note,
        "advantage A, before token weights",
        "share of completions",
        percent_tick,
    )
    head = ("", "completions", "mean", "std", "|A| ≤ 0.1", "|A| ≤ 0.25", "|A| > 1")
    rows = []
    for name in SELECTIONS:
        found = summary.advantages[name]
        shares_of = (found.within_0_1, found.within_0_25, found.beyond_1)
        figures = (count(found.count), decimal(found.mean), decimal(found.std))
        rows.append([name, *figures, *map(percent, shares_of)])
    legend = [(name, colour) for name, colour, _ in bars]
    chart = bar_chart(plot, EDGES, bars)
    return figure(plot, chart, legend, folded_table("Figures by source", head, rows))


def weight_figure(shaping: Shaping) -> Markup:
    """Token weight by position within a completion."""
    weights = weights_at(CURVE_POINTS, shaping)
    note = (
        f"Curve {shaping.shape}, λ = {shaping.lam:g}: the first token weighs {weights[0]:.2f}, "
        f"the middle {weights[CURVE_POINTS // 2]:.2f}, the last {weights[-1]:.2f}."
    )
    across = "position in the completion, from first to last token"
    plot = Plot("TAS weight by position", note, across, "weight wₜ", zero=False)
    x = [float(place) for place in np.linspace(0, 1, CURVE_POINTS)]
    series = Series("weight", x, [float(weight) for weight in weights], "c6")
    return figure(plot, line_chart(plot, [series], smooth=False))


def _shares(groups: Sequence[GroupRow]) -> list[float] | None:
    """Share of the advantages in each bin; `None` without any."""
    values = [
        item.advantage for row in groups for item in row.completions if item.advantage is not None
    ]
    if not values:
        return None
    inside = np.clip(values, EDGES[0], EDGES[-1])
    counts, _ = np.histogram(inside, bins=np.array(EDGES))
    return [float(share) for share in counts / len(values)]
