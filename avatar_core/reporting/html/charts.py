"""Charts of series: lines with their moving mean, stacked areas, bars, intervals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from avatar_core.reporting.html.axes import (
    BOTTOM,
    RIGHT,
    TOP,
    WIDTH,
    Axis,
    Frame,
    drawing,
    path_of,
    span,
    text_at,
)
from avatar_core.reporting.html.markup import Markup, joined, tag
from avatar_core.reporting.html.numbers import Show, tick, ticks
from avatar_core.reporting.html.thinning import (
    Points,
    known_points,
    moving_mean,
    sampled,
    thinned,
    window_of,
)

LABEL = 28
"""Most characters of the name of an estimate."""
RAW_POINTS, MEAN_POINTS = 320, 160
"""Most points of a line as it was recorded, and of its moving mean."""


@dataclass(frozen=True, slots=True)
class Series:
    """One line or area.

    Attributes:
        label: its name in the legend.
        x: ascending.
        y: as many; `None` where there is no value.
        colour: its class in the style sheet.
    """

    label: str
    x: Sequence[float]
    y: Sequence[float | None]
    colour: str

    def points(self) -> Points:
        """The places that have a value."""
        return known_points(self.x, self.y)


@dataclass(frozen=True, slots=True)
class Plot:
    """What every chart says of itself.

    Attributes:
        title: what it shows.
        note: a sentence with its key figures.
        x: label of the horizontal axis, with the unit.
        y: label of the vertical axis, with the unit.
        show: writes the numbers of the vertical axis.
        zero: the vertical axis starts at 0.
    """

    title: str
    note: str
    x: str
    y: str
    show: Show = tick
    zero: bool = True


def line_chart(plot: Plot, series: Sequence[Series], *, smooth: bool = True) -> Markup:
    """Lines over a common axis: faint as recorded, bold their moving mean.

    Args:
        plot: texts and axes.
        series: at least one with a value.
        smooth: draw the moving mean; otherwise the lines themselves are bold.
    """
    found = [(item, item.points()) for item in series]
    ys = [value for _, points in found for value in (points.y.min(), points.y.max())]
    low, high = span(map(float, ys), zero=plot.zero)
    frame = Frame(
        _x_axis(plot, [points for _, points in found]), Axis(plot.y, low, high, plot.show)
    )
    marks: list[Markup] = []
    for item, points in found:
        if smooth and window_of(points) > 1:
            raw = thinned(points, RAW_POINTS)
            marks.append(tag("path", d=path_of(frame, raw), class_=f"raw {item.colour}"))
    for item, points in found:
        mean = moving_mean(points, window_of(points)) if smooth else points
        kept = sampled(mean, MEAN_POINTS)
        marks.append(tag("path", d=path_of(frame, kept), class_=f"line {item.colour}"))
    return drawing(frame, plot.title, plot.note, *marks)


def area_chart(plot: Plot, series: Sequence[Series]) -> Markup:
    """Series stacked on each other, the first at the bottom; all of the same places.

    Args:
        plot: texts and axes.
        series: with the same x; a missing value counts as 0.
    """
    x = np.array(series[0].x, dtype=np.float64)
    total = np.zeros(len(x))
    layers = []
    for item in series:
        ground = total
        total = total + np.array([value or 0.0 for value in item.y])
        layers.append((item, sampled(Points(x, ground), MEAN_POINTS), total))
    high = float(total.max()) * 1.05 or 1.0
    frame = Frame(_x_axis(plot, [Points(x, total)]), Axis(plot.y, 0.0, high, plot.show))
    marks = []
    for item, below, top in layers:
        above = sampled(Points(x, top), MEAN_POINTS)
        back = path_of(frame, Points(below.x[::-1], below.y[::-1])).replace("M", "L", 1)
        outline = f"{path_of(frame, above)}{back}Z"
        marks.append(tag("path", d=outline, class_=f"area {item.colour}"))
    return drawing(frame, plot.title, plot.note, *marks)


def bar_chart(
    plot: Plot, edges: Sequence[float], bars: Sequence[tuple[str, str, Sequence[float]]]
) -> Markup:
    """Heights by bin, those of several sources side by side.

    Args:
        plot: texts and axes.
        edges: of the bins, ascending.
        bars: label, colour and heights of each source, one height per bin.
    """
    high = max(max(heights) for _, _, heights in bars) * 1.08 or 1.0
    frame = Frame(Axis(plot.x, edges[0], edges[-1]), Axis(plot.y, 0.0, high, plot.show))
    floor = frame.at_y(0.0)
    marks = []
    for place, (label, colour, heights) in enumerate(bars):
        for low, right, height in zip(edges, edges[1:], heights, strict=False):
            whole = frame.at_x(right) - frame.at_x(low)
            width = 0.86 * whole / len(bars)
            left = frame.at_x(low) + 0.07 * whole + place * width
            top = frame.at_y(height)
            if floor - top >= 0.05:
                hint = tag("title", f"{label}, {tick(low)} to {tick(right)}: {plot.show(height)}")
                shape = f"M{left:.1f} {floor:.1f}V{top:.1f}h{width:.1f}V{floor:.1f}Z"
                marks.append(tag("path", hint, d=shape, class_=f"bar {colour}"))
    return drawing(frame, plot.title, plot.note, *marks)


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure with its interval, on a line of its own.

    Attributes:
        label: what it is of.
        value: the figure.
        interval: 95 % interval; `None` where there is none.
        colour: its class in the style sheet.
    """

    label: str
    value: float
    interval: tuple[float, float] | None
    colour: str


def interval_chart(plot: Plot, estimates: Sequence[Estimate]) -> Markup:
    """Figures with their intervals, one below the other.

    Args:
        plot: texts and axes; the horizontal one carries `show`.
        estimates: from top to bottom, at least one.
    """
    reach = [v for item in estimates for v in (item.value, *(item.interval or ()))]
    low, high = span(reach, zero=plot.zero)
    row, left = 30, 40 + 7 * max(min(len(item.label), LABEL) for item in estimates)
    height = TOP + row * len(estimates) + BOTTOM
    inner = WIDTH - left - RIGHT

    def place(value: float) -> float:
        return left + (value - low) / (high - low) * inner

    marks = [_interval_axis(plot, (low, high), place(low), height, left)]
    for number, item in enumerate(estimates):
        y = TOP + row * (number + 0.5)
        marks.append(text_at(left - 12, y + 4, shortened(item.label, LABEL), "name end"))
        if item.interval:
            first, last = map(place, item.interval)
            whisker = f"M{first:.1f} {y}H{last:.1f}M{first:.1f} {y - 5}v10M{last:.1f} {y - 5}v10"
            marks.append(tag("path", d=whisker, class_=f"line {item.colour}"))
        dot = f"M{place(item.value):.1f} {y}h.01"
        marks.append(tag("path", d=dot, class_=f"dot {item.colour}"))
    return tag(
        "svg",
        tag("desc", plot.note),
        joined(marks),
        viewBox=f"0 0 {WIDTH} {height}",
        role="img",
        aria_label=f"{plot.title}. {plot.note}",
        class_="chart",
    )


def shortened(text: str, limit: int) -> str:
    """The text, or its beginning and its end around an ellipsis."""
    if len(text) <= limit:
        return text
    tail = limit // 2
    return f"{text[: limit - tail - 1]}…{text[-tail:]}"


def _interval_axis(
    plot: Plot, bounds: tuple[float, float], start: float, height: int, left: int
) -> Markup:
    low, high = bounds
    inner, floor = WIDTH - left - RIGHT, height - BOTTOM
    parts: list[Markup] = []
    for value in ticks(low, high, 4):
        x = start + (value - low) / (high - low) * inner
        line = "zero" if value == 0 and low < 0 else "grid"
        parts.append(tag("path", d=f"M{x:.1f} {TOP}V{floor}", class_=line))
        parts.append(text_at(x, floor + 17, plot.show(value), "tick middle"))
    parts.append(text_at(left + inner / 2, height - 9, plot.x, "label middle"))
    return tag("g", joined(parts), aria_hidden="true")


def _x_axis(plot: Plot, found: Sequence[Points]) -> Axis:
    low = min(float(points.x[0]) for points in found)
    high = max(float(points.x[-1]) for points in found)
    return Axis(plot.x, low, high if high > low else low + 1.0)
