"""The settings that runs do not share, beside each other."""

from __future__ import annotations

from collections.abc import Sequence

from rich.table import Table

from avatar_cli.render import count, safe, table_of
from avatar_core.choices import LETTERS
from avatar_core.reporting.differences import Difference, value_text

ROWS = 12
"""Most settings of the table; `--json` has all."""
COLUMNS = 4
"""Most runs whose values fit beside each other."""


def settings_table(found: Sequence[Difference]) -> Table | None:
    """Show settings that differ, a column for each run; `None` without any, or of many runs."""
    if not found or len(found[0].values) > COLUMNS:
        return None
    table = table_of("Settings that differ", "", *LETTERS[: len(found[0].values)])
    # Room for title and caption, which are folded at the width of the table.
    table.columns[0].min_width = 24
    for column in table.columns[1:]:
        column.overflow = "fold"
    for one in found[:ROWS]:
        table.add_row(safe(one.key), *(safe(value_text(value)) for value in one.values))
    if len(found) > ROWS:
        table.caption = f"and {count(len(found) - ROWS)} more, --json has all"
    return table
