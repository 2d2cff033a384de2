"""What every command prints with: consoles, numbers, escaped model text, progress, JSON."""

from __future__ import annotations

import json
import sys

from rich import box
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Column, Table
from rich.text import Text

from avatar_cli.options import Output
from avatar_cli.text import plain

MISSING = "-"


def console(*, stderr: bool = False) -> Console:
    """Build the console of a stream: 80 columns and no colour when it is no terminal."""
    return Console(stderr=stderr, highlight=False, emoji=False)


def safe(text: str) -> Text:
    """Make foreign text printable as it is: no control characters, no markup.

    A `Text` is never parsed. Escaped markup would be, and doubles a backslash at its end.
    """
    return Text(plain(text))


def note(sentence: str, output: Output) -> None:
    """Print a sentence on stderr, unless quiet."""
    if not output.quiet:
        console(stderr=True).print(safe(sentence), soft_wrap=True)


def emit_json(document: object) -> None:
    """Print one JSON document on stdout; only ASCII, NaN refused."""
    sys.stdout.write(json.dumps(document, indent=2, allow_nan=False) + "\n")


def table_of(title: str | Text, names: str | Text, *figures: str) -> Table:
    """An empty table as all tables look.

    Args:
        title: at the left above it; a caption stands at the left below it.
        names: heading of the first column, whose long words are folded.
        figures: headings of the others, which end at the right.
    """
    table = Table(
        title=title,
        title_justify="left",
        caption_justify="left",
        box=box.SIMPLE_HEAD,
        pad_edge=False,
    )
    table.add_column(names, overflow="fold")
    for heading in figures:
        table.add_column(heading, justify="right")
    return table


def progress_bar(output: Output) -> Progress:
    """Build a progress display on stderr that shows nothing when quiet or when piped.

    Tasks are added with `add_task(description, total=…, note="")`; `note` ends the line and is
    printed as it is. On a narrow terminal the note is cut, never the step or the times.
    """
    screen = console(stderr=True)
    whole = Column(no_wrap=True)
    return Progress(
        TextColumn("{task.description}", table_column=whole),
        BarColumn(bar_width=10),
        MofNCompleteColumn(table_column=whole),
        TimeElapsedColumn(table_column=whole),
        TimeRemainingColumn(table_column=whole),
        TextColumn(
            "{task.fields[note]}",
            markup=False,
            table_column=Column(no_wrap=True, overflow="ellipsis", ratio=1),
        ),
        console=screen,
        disable=output.quiet or not screen.is_terminal,
        transient=True,
        expand=True,
    )


def percent(share: float | None) -> str:
    """Give a fraction as percent with one decimal."""
    return MISSING if share is None else f"{100 * share:.1f} %"


def signed_percent(share: float) -> str:
    """Give a difference of fractions in percentage points, with its sign."""
    return f"{100 * share:+.1f}"


def decimal(value: float | None, digits: int = 3) -> str:
    """Give a number with a fixed number of decimals."""
    if value is None:
        return MISSING
    # A small negative number must not print as -0.000.
    return f"{round(value, digits) + 0.0:.{digits}f}"


def count(value: int | None) -> str:
    """Give a whole number with thousands apart."""
    return MISSING if value is None else f"{value:,}"
