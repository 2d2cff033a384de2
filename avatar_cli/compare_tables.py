"""Several runs or evaluations beside each other, and of two what changed from the first."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from rich.table import Table
from rich.text import Text

from avatar_cli.partial_table import progress_of
from avatar_cli.render import MISSING, count, decimal, percent, safe, signed_percent, table_of
from avatar_cli.tables import comparison_table
from avatar_cli.trend_table import toned
from avatar_core.reporting.differences import Items, same_items
from avatar_core.reporting.summary import RunSummary

HeldOut = Mapping[str, Any]
"""What a run gained, as of `avatar_core.training.held_out.document_of`."""


class Side(NamedTuple):
    """One of the runs compared."""

    summary: RunSummary
    held_out: HeldOut | None
    items: Items | None = None
    """What its score, or its accuracy on held-out samples, is of; `None` where not on record."""


class Figure(NamedTuple):
    """One figure of a run, and how it is written."""

    label: str
    read: Callable[[Side], float | None]
    show: Callable[[float], str]
    change: Callable[[float], str]
    wanted_high: bool = False
    """More of it is better; else no direction is."""
    of_items: bool = False
    """It is of the items answered, so that figures of other items are no measure for it."""


def comparison_tables(sides: Sequence[Side]) -> Iterator[Table]:
    """Give the tables of several directories."""
    summaries = [side.summary for side in sides]
    runs = [one for one in summaries if one.evaluation is None and one.partial is None]
    if runs:
        yield comparison_table(runs)
    if len(runs) < len(summaries):
        yield evaluations_table([one for one in summaries if one not in runs])
    if len(sides) == 2:
        changes = delta_table(*sides)
        if changes.row_count:
            yield changes


def delta_table(first: Side, second: Side) -> Table:
    """Show each figure of two directories and the second less the first."""
    table = table_of("B - A", "", "A", "B", "B - A")
    for column in table.columns[1:]:
        column.no_wrap = True
    alike = same_items((first.items, second.items)) is not False
    withheld = False
    for figure in FIGURES:
        before, after = figure.read(first), figure.read(second)
        if before is None and after is None:
            continue
        change = Text(MISSING)
        if before is not None and after is not None and figure.of_items and not alike:
            withheld = True
        elif before is not None and after is not None:
            style = toned(after - before) if figure.wanted_high else ""
            change = Text(figure.change(after - before), style)
        values = (MISSING if value is None else figure.show(value) for value in (before, after))
        table.add_row(figure.label, *values, change)
        if figure.label == GAIN:
            table.add_row("  95 % interval", _interval(first), _interval(second), "")
    table.caption = Text("A: ").append_text(safe(first.summary.path))
    table.caption.append("\nB: ").append_text(safe(second.summary.path))
    if withheld:
        table.caption.append("\n-: A and B answered other items, so nothing is subtracted")
    return table


def evaluations_table(summaries: Sequence[RunSummary]) -> Table:
    """Set evaluations side by side, those that have not ended with how far they are."""
    headings = ("of", "items", "failed", "score", "95 % interval")
    table = table_of("Evaluations compared", "evaluation", *headings)
    for summary in summaries:
        score, partial = summary.evaluation, summary.partial
        if score is not None:
            failed = score.status.get("error", 0) + score.status.get("missing_media", 0)
            bounds = " to ".join(map(percent, score.ci95)) if score.ci95 else MISSING
            cells = (score.benchmark, count(score.n), failed, percent(score.accuracy), bounds)
        elif partial is not None:
            right = partial.correct / partial.items if partial.items else None
            cells = (
                partial.benchmark,
                progress_of(partial),
                partial.failed,
                percent(right),
                "not ended",
            )
        else:
            continue
        name, items, lost, figure, interval = cells
        style = "red" if lost else ""
        table.add_row(
            safe(summary.path), safe(name), items, Text(count(lost), style), figure, interval
        )
    return table


def _interval(side: Side) -> str:
    bounds = side.held_out["gain_interval"] if side.held_out else None
    return " to ".join(map(signed_percent, bounds)) if bounds else MISSING


def _held(*keys: str) -> Callable[[Side], float | None]:
    """Reads a figure of what a run gained on held-out samples."""

    def read(side: Side) -> float | None:
        found: Any = side.held_out
        for key in keys:
            found = found[key] if found is not None else None
        return None if found is None else float(found)

    return read


def _course(name: str, end: str) -> Callable[[Side], float | None]:
    """Reads the first or the last tenth of a course."""

    def read(side: Side) -> float | None:
        course = side.summary.trends.get(name)
        return None if course is None else float(getattr(course, end))

    return read


def _score(side: Side) -> float | None:
    return side.summary.evaluation.accuracy if side.summary.evaluation else None


def _steps(side: Side) -> float | None:
    return side.summary.steps or None


def _seconds(side: Side) -> float | None:
    return sum(time.seconds for time in side.summary.phases.values()) or None


def _number(value: float) -> str:
    return count(round(value))


def _more(value: float) -> str:
    return f"{round(value):+,}"


def _shifted(digits: int) -> Callable[[float], str]:
    return lambda value: f"{round(value, digits) + 0.0:+.{digits}f}"


def _to(digits: int) -> Callable[[float], str]:
    return lambda value: decimal(value, digits)


GAIN = "gain on held-out samples"
FIGURES = (
    Figure("score", _score, percent, signed_percent, True, True),
    Figure("steps", _steps, _number, _more),
    Figure(
        "completions generated", lambda side: side.summary.completions_generated, _number, _more
    ),
    Figure("accuracy at first", _course("accuracy", "first"), percent, signed_percent, True),
    Figure("accuracy at last", _course("accuracy", "last"), percent, signed_percent, True),
    Figure("reward at last", _course("reward", "last"), _to(3), _shifted(3), True),
    Figure(
        "distinct rewards per group",
        lambda side: side.summary.rewards["fresh"].unique_mean,
        _to(2),
        _shifted(2),
        True,
    ),
    Figure(
        "groups with signal",
        lambda side: side.summary.rewards["fresh"].signal_share,
        percent,
        signed_percent,
        True,
    ),
    Figure("reward std", lambda side: side.summary.rewards["all"].std, _to(3), _shifted(3)),
    Figure("advantage std", lambda side: side.summary.advantages["all"].std, _to(3), _shifted(3)),
    Figure(
        "|A| ≤ 0.1", lambda side: side.summary.advantages["all"].within_0_1, percent, signed_percent
    ),
    Figure(
        "|A| > 1", lambda side: side.summary.advantages["all"].beyond_1, percent, signed_percent
    ),
    Figure("KL at last", _course("kl", "last"), _to(4), _shifted(4)),
    Figure("gradient norm at last", _course("grad_norm", "last"), _to(3), _shifted(3)),
    Figure("seconds", _seconds, _to(1), _shifted(1)),
    Figure(
        "held-out accuracy before", _held("before", "value"), percent, signed_percent, True, True
    ),
    Figure("held-out accuracy after", _held("after", "value"), percent, signed_percent, True, True),
    Figure(GAIN, _held("gain"), signed_percent, signed_percent, True, True),
)
"""What two runs are compared by; a figure that neither has is left out."""
