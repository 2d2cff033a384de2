"""`avatar report`: what one or several runs did, from their records alone."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from avatar_cli.options import Output, with_output


@with_output
def report_command(
    output: Output,
    runs: Annotated[
        list[Path], typer.Argument(metavar="RUN...", help="Directories of runs or evaluations.")
    ],
) -> None:
    """Show what runs did: reward diversity, advantages, replay tiers, time by phase.

    Works on running and on killed runs. Several runs are also set side by side.
    """
    show_runs(runs, output)


def show_runs(runs: Sequence[Path], output: Output, **more: object) -> None:
    """Print the tables of runs, or their figures as JSON with `more` beside them."""
    from avatar_cli.render import console, emit_json
    from avatar_core.records import SCHEMA
    from avatar_core.reporting.records_io import load_run
    from avatar_core.reporting.summary import summarise

    summaries = [summarise(load_run(path)) for path in runs]
    if output.as_json:
        documents = [summary.to_document() for summary in summaries]
        emit_json({"schema": SCHEMA, "runs": documents, **more})
        return

    from avatar_cli.tables import comparison_table, run_heading, run_tables

    screen = console()
    if len(summaries) > 1:
        screen.print(comparison_table(summaries))
    for summary in summaries:
        screen.print(run_heading(summary))
        for table in run_tables(summary):
            screen.print(table)
