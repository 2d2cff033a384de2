"""How a run's figures moved: at first, at last, and a line of bars between."""

from __future__ import annotations

from collections.abc import Mapping

from rich.table import Table
from rich.text import Text

from avatar_cli.render import decimal, percent, table_of
from avatar_cli.sparkline import Sparkline
from avatar_core.reporting.trends import FIGURES, Course

BETTER, WORSE = "green", "red"


def trend_table(courses: Mapping[str, Course]) -> Table:
    """Show the courses of a run; green and red tell the better from the worse end."""
    table = table_of("Over the run", "", "first tenth", "last tenth")
    table.add_column("step by step", no_wrap=True)
    for name, course in courses.items():
        label, _, digits, wanted_high = FIGURES[name]
        first, last = (
            percent(end) if digits is None else decimal(end, digits)
            for end in (course.first, course.last)
        )
        style = toned(course.last - course.first) if wanted_high else ""
        table.add_row(label, first, Text(last, style), Sparkline(course.points))
    return table


def toned(change: float) -> str:
    """The style of a change for the better, for the worse, or of none."""
    return BETTER if change > 0 else WORSE if change < 0 else ""
