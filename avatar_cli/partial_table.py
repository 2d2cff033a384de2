"""An evaluation that has not ended: how many items of how many, and what they say so far."""

from __future__ import annotations

from rich.table import Table
from rich.text import Text

from avatar_cli.render import count, percent, safe, table_of
from avatar_core.reporting.partial import PartialEvaluation


def partial_table(partial: PartialEvaluation) -> Table:
    """Show how far an evaluation is."""
    name = f"Evaluation of {partial.model} on {partial.benchmark}, not ended"
    table = table_of(safe(name), "", "")
    table.add_row("items", progress_of(partial))
    right = partial.correct / partial.items if partial.items else None
    table.add_row("right so far", percent(right))
    lost = Text(count(partial.failed), "red" if partial.failed else "")
    table.add_row("error or missing_media", lost)
    table.caption = "the same avatar eval command goes on from there, if it is not running"
    return table


def progress_of(partial: PartialEvaluation) -> str:
    """Items of an evaluation that have a row, and of how many, where that is known."""
    whole = expected(partial)
    return f"{count(partial.items)} of {'?' if whole is None else count(whole)}"


def expected(partial: PartialEvaluation) -> int | None:
    """Items that an evaluation will have; `None` when its records do not say."""
    from avatar_core.benchmarks import available

    benchmark = available().get(partial.benchmark)
    if benchmark is None:
        return partial.limit
    bounds = (partial.limit or benchmark.default_limit, benchmark.items if partial.whole else None)
    return min((bound for bound in bounds if bound is not None), default=None)
