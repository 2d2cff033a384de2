"""`avatar replay verify`: whether every record of a run is sound."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from avatar_cli.options import Output, with_output


@with_output
def verify_command(
    output: Output,
    run: Annotated[Path, typer.Argument(metavar="RUN", help="Directory of a run.")],
) -> None:
    """Check every record and checkpoint of a run; exit code 4 when something is not sound.

    A running or killed run may end in a torn line or an unfinished step; both are noted only.
    """
    from avatar_cli.render import console, emit_json, progress_bar
    from avatar_cli.render_replay import verdict_document, verdict_lines
    from avatar_core.errors import CheckpointError
    from avatar_core.replay.store import load_buffer
    from avatar_core.reporting.verify import verify_run

    with progress_bar(output) as bar:
        bar.add_task("checking records and checkpoints", total=None, note="")
        verdict = verify_run(run, load_buffer)
    if output.as_json:
        emit_json(verdict_document(verdict))
    else:
        screen = console()
        for line in verdict_lines(verdict):
            screen.print(line, soft_wrap=True)
    if not verdict.sound:
        number = len(verdict.problems)
        raise CheckpointError(
            f"{run}: {number} problem{'s' * (number > 1)} found; restore what is named, or remove "
            "unsound checkpoints and resume the run"
        )
