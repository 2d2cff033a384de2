"""The `avatar` program: its version and its five commands."""

from __future__ import annotations

from typing import Annotated

import typer

from avatar_cli.eval import evaluate_command
from avatar_cli.infer import infer_command
from avatar_cli.replay import replay_app
from avatar_cli.report import report_command
from avatar_cli.train import train_command
from avatar_core.version import VERSION

app = typer.Typer(
    name="avatar",
    help="Reinforcement learning of audio-video reasoning: train, replay, evaluate, infer, report.",
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"avatar {VERSION}")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def start(
    context: typer.Context,
    version: Annotated[
        bool,
        typer.Option("--version", is_eager=True, callback=_show_version, help="Show the version."),
    ] = False,
) -> None:
    """Reinforcement learning of audio-video reasoning: train, replay, evaluate, infer, report."""
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


app.command("train")(train_command)
app.add_typer(replay_app, name="replay")
app.command("eval")(evaluate_command)
app.command("infer")(infer_command)
app.command("report")(report_command)
