"""The frame of a chart: scales, grid, ticks and labels, as SVG that style sheets colour.

Everything is drawn in a box of `WIDTH` by `HEIGHT` units and scaled by the page. Colours are
classes, so that one drawing serves the light and the dark theme and the printer.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from avatar_core.reporting.html.markup import Markup, joined, tag
from avatar_core.reporting.html.numbers import Show, tick, ticks
from avatar_core.reporting.html.thinning import Points, known_points

WIDTH, HEIGHT = 560, 270
LEFT, RIGHT, TOP, BOTTOM = 68, 14, 12, 46


@dataclass(frozen=True, slots=True)
class Axis:
    """One direction of a chart.

    Attributes:
        label: what is measured, with its unit.
        low: value at its start.
        high: value at its end, above `low`.
        show: writes the numbers of its ticks.
    """

    label: str
    low: float
    high: float
    show: Show = tick


def span(values: Iterable[float], *, zero: bool = False) -> tuple[float, float]:
    """Least and greatest value with a little room; 0 and 1 without any.

    Args:
        values: what has to fit.
        zero: 0 has to fit, too, and where all values are on one side it is the edge.
    """
    known = list(values)
    if not known:
        return 0.0, 1.0
    low, high = min(known), max(known)
    if zero:
        low, high = min(low, 0.0), max(high, 0.0)
    if low == high == 0 and zero:
        return 0.0, 1.0
    room = 0.05 * (high - low) or abs(high) * 0.1 or 0.5
    return (low if zero and low == 0 else low - room, high if zero and high == 0 else high + room)


@dataclass(frozen=True, slots=True)
class Frame:
    """Two axes and the box between them."""

    x: Axis
    y: Axis

    def at_x(self, value: float) -> float:
        """Horizontal place of a value, in units of the drawing."""
        share = (value - self.x.low) / (self.x.high - self.x.low)
        return LEFT + share * (WIDTH - LEFT - RIGHT)

    def at_y(self, value: float) -> float:
        """Vertical place of a value, from the top."""
        share = (value - self.y.low) / (self.y.high - self.y.low)
        return HEIGHT - BOTTOM - share * (HEIGHT - BOTTOM - TOP)


def path_of(frame: Frame, points: Points) -> str:
    """Line through points, in a tenth of a unit; a single one becomes a dot."""
    places = [f"{frame.at_x(a):.1f} {frame.at_y(b):.1f}" for a, b in zip(*points, strict=True)]
    return f"M{'L'.join(places)}" + ("h.01" if len(places) == 1 else "")


def drawing(frame: Frame, label: str, description: str, *marks: Markup) -> Markup:
    """A whole chart as an image with a name and a description for who cannot see it.

    Args:
        frame: axes.
        label: its name.
        description: what it shows, with the key figures.
        marks: lines and bars, drawn over the grid.
    """
    return tag(
        "svg",
        tag("desc", description),
        _grid(frame),
        *marks,
        _labels(frame),
        viewBox=f"0 0 {WIDTH} {HEIGHT}",
        role="img",
        aria_label=f"{label}. {description}",
        class_="chart",
    )


def text_at(x: float, y: float, text: str, class_: str) -> Markup:
    """Text at a place of the drawing."""
    return tag("text", text, x=round(x, 1), y=round(y, 1), class_=class_)


def small_line(values: Sequence[float | None]) -> Markup:
    """A line without axes for a cell of a table, between the least and the greatest value."""
    points = known_points(range(len(values)), values)
    low, high = span(map(float, points.y))
    frame = Frame(Axis("", 0.0, max(1.0, len(values) - 1.0)), Axis("", low, high))
    line = tag("path", d=path_of(frame, points), class_="line c1")
    box = f"0 0 {WIDTH} {HEIGHT}"
    return tag(
        "svg", line, viewBox=box, preserveAspectRatio="none", class_="small", aria_hidden="true"
    )


def _grid(frame: Frame) -> Markup:
    floor = HEIGHT - BOTTOM
    parts: list[Markup] = []
    for value in ticks(frame.y.low, frame.y.high):
        y = frame.at_y(value)
        parts.append(tag("path", d=f"M{LEFT} {y:.1f}H{WIDTH - RIGHT}", class_="grid"))
        parts.append(text_at(LEFT - 7, y + 4, frame.y.show(value), "tick end"))
    for value in ticks(frame.x.low, frame.x.high):
        x = frame.at_x(value)
        parts.append(tag("path", d=f"M{x:.1f} {floor}v4", class_="axis"))
        parts.append(text_at(x, floor + 17, frame.x.show(value), "tick middle"))
    parts.append(tag("path", d=f"M{LEFT} {floor}H{WIDTH - RIGHT}", class_="axis"))
    return tag("g", joined(parts), aria_hidden="true")


def _labels(frame: Frame) -> Markup:
    middle_x, middle_y = (LEFT + WIDTH - RIGHT) / 2, (TOP + HEIGHT - BOTTOM) / 2
    upright = tag(
        "text",
        frame.y.label,
        transform=f"translate(12 {middle_y:.0f}) rotate(-90)",
        class_="label middle",
    )
    return tag(
        "g",
        text_at(middle_x, HEIGHT - 9, frame.x.label, "label middle"),
        upright,
        aria_hidden="true",
    )
