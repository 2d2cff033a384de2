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


def show_runs(runs: Sequence[Path], output: Output) -> None:
    """Print the tables of runs, or their figures as JSON."""
    from avatar_cli.render import console, emit_json
    from avatar_core.records import SCHEMA
    from avatar_core.reporting.records_io import held_out_gain, load_run
    from avatar_core.reporting.summary import summarise

    summaries = [summarise(load_run(path)) for path in runs]
    gains = [held_out_gain(path) for path in runs]
    if output.as_json:
        documents = [
            {**summary.to_document(), "held_out": gain}
            for summary, gain in zip(summaries, gains, strict=True)
        ]
        emit_json({"schema": SCHEMA, "runs": documents})
        return

    from avatar_cli.tables import comparison_table, held_out_table, run_heading, run_tables

    screen = console()
    if len(summaries) > 1:
        screen.print(comparison_table(summaries))
    for summary, gain in zip(summaries, gains, strict=True):
        screen.print(run_heading(summary))
        for table in run_tables(summary):
            screen.print(table)
        if gain is not None:
            screen.print(held_out_table(gain))
