"""The score of one evaluation: its figures, and what became of every item."""

from __future__ import annotations

from rich.table import Table
from rich.text import Text

from avatar_cli.render import MISSING, count, decimal, percent, safe, table_of
from avatar_core.evaluation_records import EvalSummary
from avatar_core.plural import counted

COUNTED = frozenset({"open_items", "counted"})
"""Further figures of an evaluation that are numbers of items."""
ERRORS = frozenset({"mae", "rmse"})
"""Those that are in units of the answer; all others are shares."""
STATUS_STYLES = {
    "unparsed": "yellow",
    "truncated": "yellow",
    "error": "red",
    "missing_media": "red",
}
"""How numbers of items that did not end as they should are told apart."""


def evaluation_table(score: EvalSummary) -> Table:
    """Show the score of an evaluation with its interval and what became of every item."""
    table = table_of(safe(f"Evaluation of {score.model} on {score.benchmark}"), "", "")
    table.add_row(safe(score.headline), percent(score.accuracy))
    bounds = " to ".join(map(percent, score.ci95)) if score.ci95 else MISSING
    table.add_row("95 % interval", bounds)
    answered = f"{score.headline} over the {counted(score.answered, 'answered item')}"
    table.add_row(answered, percent(score.accuracy_answered))
    for name, figure in score.metrics.items():
        if name != "mean_score" or figure != score.accuracy:
            table.add_row(safe(name.replace("_", " ")), _metric(name, figure))
    table.add_row("items", count(score.n))
    for status, number in score.status.items():
        style = STATUS_STYLES.get(status, "") if number else ""
        table.add_row(f"  {status}", Text(count(number), style))
    return table


def _metric(name: str, figure: float | None) -> str:
    """A further figure: a number of items, an error in units of the answer, else a share."""
    if figure is None:
        return MISSING
    if name in COUNTED:
        return count(int(figure))
    return decimal(figure) if name in ERRORS else percent(figure)
