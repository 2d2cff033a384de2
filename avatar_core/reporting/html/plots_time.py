"""Where the wall time went."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from avatar_core.records import MetricsRow
from avatar_core.reporting.html.blocks import figure, table
from avatar_core.reporting.html.charts import Plot, Series, area_chart
from avatar_core.reporting.html.markup import Markup
from avatar_core.reporting.html.numbers import decimal, percent
from avatar_core.reporting.html.plots_learning import STEP, steps
from avatar_core.reporting.html.thinning import Points, moving_mean, window_of
from avatar_core.reporting.summary import RunSummary
from avatar_core.reporting.timing import PHASES, PhaseTime

COLOURS = ("c7", "c5", "c1", "c6", "c2", "c4", "c3", "c8")
OTHER = "other"
"""What the least of more parts than there are colours are shown as together."""


def time_figure(metrics: Sequence[MetricsRow], summary: RunSummary) -> Markup | None:
    """Seconds per step by part of a phase, stacked in the order of the work."""
    seconds = _by_part(metrics, summary.phases) if metrics else {}
    if not seconds:
        return None
    totals = {name: float(own.sum()) for name, own in seconds.items()}
    slowest = max(totals, key=totals.__getitem__)
    whole = sum(totals.values())
    share = totals[slowest] / whole if whole else None
    x = steps(metrics)
    series = [
        Series(name, x, [float(value) for value in _smoothed(own)], colour)
        for (name, own), colour in zip(_largest(seconds).items(), COLOURS, strict=False)
    ]
    note = f"{decimal(whole, 1)} s in all, {percent(share)} of them in “{slowest}”. Moving mean."
    plot = Plot("Time by phase", note, STEP, "seconds per step")
    return figure(plot, area_chart(plot, series), [(s.label, s.colour) for s in series])


def time_table(summary: RunSummary) -> Markup | None:
    """Sums of all phases, parts below their phase."""
    rows = [
        [name, decimal(time.seconds, 1), percent(time.share)]
        for phase, whole in summary.phases.items()
        for name, time in ((phase, whole), *((f"\u2003{k}", v) for k, v in whole.parts.items()))
    ]
    return table(("phase", "seconds", "share"), rows, "Wall time by phase") if rows else None


def _by_part(
    metrics: Sequence[MetricsRow], phases: Mapping[str, PhaseTime]
) -> dict[str, np.ndarray]:
    """Seconds of each step by part; what no part of a phase covers stands under the phase."""
    found: dict[str, np.ndarray] = {}
    for phase, time in phases.items():
        parts = {
            f"{phase} {part}" if part in PHASES else part: _seconds(metrics, PHASES[phase][part])
            for part in time.parts
        }
        rest = _seconds(metrics, phase) - sum(parts.values())
        found |= {**parts, f"{phase}, the rest" if parts else phase: np.maximum(rest, 0.0)}
    return found


def _seconds(metrics: Sequence[MetricsRow], name: str) -> np.ndarray:
    """Seconds of each step; one that did not time it counts 0."""
    return np.array([getattr(row, f"seconds_{name}") or 0.0 for row in metrics])


def _smoothed(seconds: np.ndarray) -> np.ndarray:
    """Moving mean over the steps."""
    points = Points(np.arange(len(seconds)), seconds)
    return moving_mean(points, window_of(points)).y


def _largest(seconds: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """As many parts as there are colours, in their order; the least are one."""
    if len(seconds) <= len(COLOURS):
        return dict(seconds)
    ranked = sorted(seconds, key=lambda name: -float(seconds[name].sum()))
    kept = set(ranked[: len(COLOURS) - 1])
    shown = {name: own for name, own in seconds.items() if name in kept}
    return {**shown, OTHER: np.sum([seconds[name] for name in ranked[len(kept) :]], axis=0)}
