"""The table of one evaluation, cell by cell."""

from __future__ import annotations

from rich.table import Table
from rich.text import Text

from avatar_cli.evaluation_table import evaluation_table
from tests.run_records import eval_summary


def rows(table: Table) -> dict[str, list[str]]:
    """Cells of each row by its label."""
    columns = [[str(cell) for cell in column.cells] for column in table.columns]
    return {label: list(cells) for label, *cells in zip(*columns, strict=True)}


def test_an_evaluation_has_its_score_and_every_status() -> None:
    table = rows(evaluation_table(eval_summary(ci95=None, headline="macro_mean", answered=3)))
    assert table["macro_mean"] == ["75.0 %"]
    assert table["95 % interval"] == ["-"]
    assert table["items"] == ["4"]
    assert "macro_mean over the 3 answered items" in table
    assert [table[f"  {status}"] for status in ("ok", "error")] == [["4"], ["0"]]
    assert rows(evaluation_table(eval_summary()))["95 % interval"] == ["30.0 % to 95.0 %"]


def test_further_figures_are_shares_counts_or_errors() -> None:
    figures = {"mean_score": 0.75, "oboa": 0.5, "rmse": 8.49, "counted": 3.0, "wcs": None}
    table = rows(evaluation_table(eval_summary(metrics=figures)))
    shown = [table[name] for name in ("oboa", "rmse", "counted", "wcs")]
    assert shown == [["50.0 %"], ["8.490"], ["3"], ["-"]]
    # The mean score is the headline again.
    assert "mean score" not in table
    other = rows(evaluation_table(eval_summary(metrics={"mean_score": 0.8})))
    assert other["mean score"] == ["80.0 %"]


def test_items_that_went_wrong_are_coloured_and_none_are_not() -> None:
    status = {"ok": 2, "unparsed": 1, "truncated": 0, "error": 1, "missing_media": 0}
    cells = evaluation_table(eval_summary(status=status)).columns[1].cells
    styles = [str(cell.style) for cell in cells if isinstance(cell, Text)]
    assert styles == ["", "yellow", "", "red", ""]
