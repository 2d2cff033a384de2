"""An evaluation that has not ended: how many items of how many, and what they say so far."""

from __future__ import annotations

from rich import box
from rich.table import Table
from rich.text import Text

from avatar_cli.render import count, percent, safe
from avatar_core.reporting.partial import PartialEvaluation


def partial_table(partial: PartialEvaluation) -> Table:
    """Show how far an evaluation is."""
    name = f"Evaluation of {partial.model} on {partial.benchmark}, not ended"
    table = Table(title=safe(name), title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("")
    table.add_column("", justify="right")
    table.add_row("items", progress_of(partial))
    right = partial.correct / partial.items if partial.items else None
    table.add_row("right so far", percent(right))
    lost = Text(count(partial.failed), "red" if partial.failed else "")
    table.add_row("error or missing_media", lost)
    table.caption = "the same avatar eval command goes on from there, if it is not running"
    table.caption_justify = "left"
    return table


def progress_of(partial: PartialEvaluation) -> str:
    """Items of an evaluation that have a row, and of how many, where that is known."""
    whole = expected(partial)
    return f"{count(partial.items)} of {'?' if whole is None else count(whole)}"


def expected(partial: PartialEvaluation) -> int | None:
    """Items that an evaluation will have; `None` when its records do not say."""
    from avatar_core.benchmarks import available

    benchmark = available().get(partial.benchmark)
    known = benchmark.items if benchmark is not None and partial.whole else None
    if partial.limit is not None and known is not None:
        return min(partial.limit, known)
    return partial.limit if known is None else known
