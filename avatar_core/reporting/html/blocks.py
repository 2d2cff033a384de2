"""The blocks a section is made of: figures with caption and table, plain tables, facts."""

from __future__ import annotations

from collections.abc import Sequence

from avatar_core.reporting.html.charts import Plot, Series, line_chart
from avatar_core.reporting.html.markup import Child, Markup, joined, tag
from avatar_core.reporting.html.numbers import Show, three_digits
from avatar_core.reporting.html.thinning import window_of
from avatar_core.reporting.statistics import trend


def figure(
    plot: Plot,
    chart: Markup,
    legend: Sequence[tuple[str, str]] = (),
    details: Markup | None = None,
    wide: bool = False,
) -> Markup:
    """A chart with its title, what it says in words, its legend and its figures as a table.

    Args:
        plot: title and words.
        chart: the drawing.
        legend: label and colour of each series; one series needs none.
        details: a table that is folded away.
        wide: over the full width of the page.
    """
    entries = [
        tag("li", tag("span", class_=f"swatch {colour}", aria_hidden="true"), label)
        for label, colour in legend
    ]
    return tag(
        "figure",
        tag("figcaption", tag("h4", plot.title), tag("p", plot.note)),
        tag("ul", *entries, class_="legend") if len(entries) > 1 else None,
        chart,
        details,
        class_="wide" if wide else None,
    )


def line_figure(plot: Plot, series: Sequence[Series], show: Show = three_digits) -> Markup | None:
    """Lines with legend and table; `None` when no series has a value.

    Args:
        plot: texts and axes.
        series: lines; those without a value are left out.
        show: writes the figures of the table.
    """
    known = [item for item in series if len(item.points().y)]
    if not known:
        return None
    windows = {window_of(item.points()) for item in known}
    rows = []
    for item in known:
        y = item.points().y
        moved = trend(y)
        figures = (moved.first, moved.last, float(y.min()), float(y.max()))
        rows.append([item.label, *(show(v) if v is not None else "" for v in figures)])
    head = ("", "first tenth", "last tenth", "lowest", "highest")
    note = f" (bold: mean over {max(windows)} neighbours)" if max(windows) > 1 else ""
    folded = folded_table(f"Figures{note}", head, rows)
    legend = [(item.label, item.colour) for item in known]
    return figure(plot, line_chart(plot, known), legend, folded)


def folded_table(summary: str, head: Sequence[str], rows: Sequence[Sequence[Child]]) -> Markup:
    """A table behind a line that opens it."""
    return tag("details", tag("summary", summary), table(head, rows), class_="data")


def table(
    head: Sequence[str], rows: Sequence[Sequence[Child]], caption: str | None = None
) -> Markup:
    """A table whose first column names the rows and whose other columns are figures."""
    top = tag("tr", *(tag("th", name, scope="col") for name in head))
    body = [
        tag("tr", tag("th", row[0], scope="row"), *(tag("td", cell) for cell in row[1:]))
        for row in rows
    ]
    return tag(
        "div",
        tag(
            "table",
            tag("caption", caption) if caption else None,
            tag("thead", top),
            tag("tbody", *body),
            class_="figures",
        ),
        class_="scroll",
        tabindex="0",
        role="region",
        aria_label=caption or "Figures",
    )


def facts(pairs: Sequence[tuple[str, Child]], class_: str = "facts") -> Markup:
    """Names and what they stand for."""
    return tag(
        "dl",
        *(tag("div", tag("dt", name), tag("dd", value)) for name, value in pairs),
        class_=class_,
    )


def section(title: str, *children: Child, anchor: str) -> Markup:
    """A part of a run's report; empty when nothing is in it."""
    kept = [child for child in children if child]
    if not kept:
        return Markup("")
    name = f"{anchor}-title"
    heading = tag("h3", title, id=name)
    return tag("section", heading, *kept, id=anchor, aria_labelledby=name)


def grid(*children: Markup | None) -> Markup | None:
    """Figures side by side; `None` without one."""
    kept = [child for child in children if child]
    return tag("div", joined(kept), class_="grid") if kept else None
