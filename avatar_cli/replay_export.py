"""`avatar replay export`: the completions of a run as one table."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from avatar_cli.options import Output, with_output


@with_output
def export_command(
    output: Output,
    run: Annotated[Path, typer.Argument(metavar="RUN", help="Directory of a run.")],
    file: Annotated[Path, typer.Argument(metavar="FILE", help="In .parquet or .jsonl.")],
    force: Annotated[bool, typer.Option("--force", help="Replace an existing file.")] = False,
) -> None:
    """Write one row per completion, with the fields of its group."""
    from avatar_cli.render import console, emit_json, safe
    from avatar_core.plural import counted
    from avatar_core.records import SCHEMA
    from avatar_core.reporting.export import check_target, export_completions
    from avatar_core.reporting.records_io import load_run

    check_target(file, force=force)
    rows = export_completions(load_run(run).groups, file, force=force)
    if output.as_json:
        emit_json({"schema": SCHEMA, "path": str(run), "file": str(file), "rows": rows})
    else:
        console().print(safe(f"{counted(rows, 'completion')} in {file}"), soft_wrap=True)
