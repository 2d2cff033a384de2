"""How a run's figures moved: at first, at last, and a line of bars between."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from rich import box
from rich.table import Table
from rich.text import Text

from avatar_cli.render import decimal, percent
from avatar_cli.sparkline import Sparkline
from avatar_core.reporting.trends import Course

BETTER, WORSE = "green", "red"
SHOWN: dict[str, tuple[str, Callable[[float], str]]] = {
    "reward": ("reward", decimal),
    "accuracy": ("accuracy", percent),
    "signal": ("groups with signal", percent),
    "kl": ("KL to the reference", lambda value: decimal(value, 4)),
    "clip_low": ("clipped from below", percent),
    "clip_high": ("clipped from above", percent),
    "ess": ("effective sample size", percent),
    "grad_norm": ("gradient norm", decimal),
}
"""What each course is called, and how its values are written."""
WANTED_HIGH = frozenset({"reward", "accuracy", "signal"})
"""Figures of which more is better; of the others no direction is."""


def trend_table(courses: Mapping[str, Course]) -> Table:
    """Show the courses of a run; green and red tell the better from the worse end."""
    table = Table(title="Over the run", title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("")
    table.add_column("first tenth", justify="right")
    table.add_column("last tenth", justify="right")
    table.add_column("step by step", no_wrap=True)
    for name, course in courses.items():
        label, show = SHOWN[name]
        style = toned(course.last - course.first) if name in WANTED_HIGH else ""
        table.add_row(
            label, show(course.first), Text(show(course.last), style), Sparkline(course.points)
        )
    return table


def toned(change: float) -> str:
    """The style of a change for the better, for the worse, or of none."""
    return BETTER if change > 0 else WORSE if change < 0 else ""
