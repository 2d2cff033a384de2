"""`avatar report`: what one or several runs did, from their records alone."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from avatar_cli.options import Output, with_output

if TYPE_CHECKING:
    from avatar_core.reporting.html.views import RunView


@with_output
def report_command(
    output: Output,
    runs: Annotated[
        list[Path],
        typer.Argument(
            metavar="RUN...",
            help="Directories of runs or evaluations, or one with stage0 ... stage3 in it.",
        ),
    ],
    html: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write one page with plots and groups of completions."),
    ] = None,
    baseline: Annotated[
        Path | None,
        typer.Option(
            metavar="RUN", help="Compare answers on the same items with those of this run."
        ),
    ] = None,
    thumbnails: Annotated[
        bool, typer.Option(help="Show frames of the prompts on the page, where they can be read.")
    ] = True,
) -> None:
    """Show what runs did: reward diversity, advantages, replay tiers, time by phase.

    Works on running and on killed runs. Several runs are also set side by side.
    """
    from avatar_cli.report_page import check_page, with_strips, write_page
    from avatar_cli.report_views import views_of

    if html is not None:
        check_page(html)
    views = views_of(runs, baseline)
    if html is not None:
        write_page(with_strips(views, output) if thumbnails else views, html)
    if html is None or output.as_json:
        show_views(views, output)
    else:
        from avatar_cli.render import note

        note(f"{html}: {html.stat().st_size // 1000:,} kB", output)


def show_runs(runs: Sequence[Path], output: Output) -> None:
    """Print the tables of runs, or their figures as JSON."""
    from avatar_cli.report_views import views_of

    show_views(views_of(runs), output)


def show_views(views: Sequence[RunView], output: Output) -> None:
    """Print the tables of runs that were read, or their figures as JSON."""
    from avatar_cli.render import console, emit_json
    from avatar_cli.report_views import comparison_document, differences_of, paired_line
    from avatar_core.records import SCHEMA

    if output.as_json:
        documents = [
            {
                **view.summary.to_document(),
                "held_out": view.held_out,
                "paired": view.paired._asdict() if view.paired else None,
            }
            for view in views
        ]
        comparison = comparison_document(views) if len(views) > 1 else None
        emit_json({"schema": SCHEMA, "runs": documents, "comparison": comparison})
        return

    from avatar_cli.compare_tables import Side, comparison_tables
    from avatar_cli.settings_table import settings_table
    from avatar_cli.tables import held_out_table, run_heading, run_tables

    screen = console()
    if len(views) > 1:
        for table in comparison_tables([Side(v.summary, v.held_out, v.items) for v in views]):
            screen.print(table)
            if table.caption:
                screen.print()
        if settings := settings_table(differences_of(views)):
            screen.print(settings, end="\n\n")
    for view in views:
        screen.print(run_heading(view.summary), end="\n\n")
        for table in run_tables(view.summary):
            screen.print(table)
            if table.caption:
                screen.print()
        if view.held_out is not None:
            screen.print(held_out_table(view.held_out))
        if view.paired is not None:
            screen.print(paired_line(view.paired))
