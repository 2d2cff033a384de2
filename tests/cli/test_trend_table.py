"""The table of courses, cell by cell."""

from __future__ import annotations

from rich.text import Text

from avatar_cli.sparkline import Sparkline
from avatar_cli.trend_table import toned, trend_table
from avatar_core.reporting.trends import Course


def test_figures_are_written_in_their_units() -> None:
    table = trend_table(
        {
            "reward": Course(0.25, 0.5, (0.25, 0.5)),
            "accuracy": Course(0.5, 0.25, (0.5, 0.25)),
            "kl": Course(0.00125, 0.01, (0.0,)),
            "grad_norm": Course(1.0, 2.0, (1.0, 2.0)),
        }
    )
    labels, first, last, lines = ([*column.cells] for column in table.columns)
    assert labels == ["reward", "accuracy", "KL to the reference", "gradient norm"]
    assert first == ["0.250", "50.0 %", "0.0013", "1.000"]
    assert [str(cell) for cell in last] == ["0.500", "25.0 %", "0.0100", "2.000"]
    # More reward is better, less accuracy is worse; of the others no direction is.
    styles = [cell.style for cell in last if isinstance(cell, Text)]
    assert styles == ["green", "red", "", ""]
    assert all(isinstance(line, Sparkline) for line in lines)


def test_no_change_has_no_colour() -> None:
    assert [toned(change) for change in (0.1, 0.0, -0.1)] == ["green", "", "red"]
