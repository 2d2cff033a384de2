"""`avatar replay`: looks into the replay buffer through the records of a run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from avatar_cli.options import Output, with_output
from avatar_cli.replay_export import export_command
from avatar_cli.replay_hint import hint_command
from avatar_cli.replay_show import show_command
from avatar_cli.replay_verify import verify_command
from avatar_cli.replay_what_if import what_if_command

replay_app = typer.Typer(
    help="Look into the replay buffer of a run.", no_args_is_help=False, rich_markup_mode=None
)


@replay_app.callback()
def replay() -> None:
    """Look into the replay buffer of a run."""


@replay_app.command("stats")
@with_output
def stats_command(
    output: Output,
    run: Annotated[Path, typer.Argument(metavar="RUN", help="Directory of a run.")],
) -> None:
    """Show tiers, age and reuse, distinct rewards per group, |A|, and hints used and refused."""
    from avatar_cli.render import console, emit_json
    from avatar_core.records import SCHEMA
    from avatar_core.reporting.records_io import load_run
    from avatar_core.reporting.summary import summarise

    summary = summarise(load_run(run))
    if output.as_json:
        document = summary.to_document()
        kept = {key: document[key] for key in ("path", "tiers", "hints", "rewards", "advantages")}
        emit_json({"schema": SCHEMA, **kept})
        return

    from avatar_cli.render_replay import hint_table
    from avatar_cli.tables import magnitude_table, run_heading, tier_table, unique_reward_table

    screen = console()
    screen.print(run_heading(summary))
    for table in (tier_table(summary), unique_reward_table(summary), magnitude_table(summary)):
        screen.print(table)
    screen.print(hint_table(summary.hints))


replay_app.command("show")(show_command)
replay_app.command("what-if")(what_if_command)
replay_app.command("verify")(verify_command)
replay_app.command("export")(export_command)
replay_app.command("hint")(hint_command)
