"""`avatar replay what-if`: the advantages of a run under another λ, shape or baseline."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from avatar_cli.options import Output, with_output


@with_output
def what_if_command(
    output: Output,
    run: Annotated[Path, typer.Argument(metavar="RUN", help="Directory of a run.")],
    lam: Annotated[
        float | None,
        typer.Option("--lambda", min=0, help="λ of the token weights. [default: the run's]"),
    ] = None,
    baseline: Annotated[
        Literal["group", "vcrs"] | None,
        typer.Option(
            help="group: replayed completions judged against their own group, as fresh ones are; "
            "vcrs: both against their prompt's running mean. λ and the replayed groups stay. "
            "[default: group for fresh, vcrs for replayed]"
        ),
    ] = None,
    shape: Annotated[
        Literal["parabola", "uniform", "linear-decay", "linear-incline", "inverse"] | None,
        typer.Option(help="Curve of the token weights. [default: the run's]"),
    ] = None,
) -> None:
    """Compare the advantages of a run with those that other settings give its groups.

    Rewards are those on record, so no model is needed; what the policy would have become under the
    other settings is not told. The running mean of a prompt never seen is 0.
    """
    from avatar_cli.render import console, emit_json
    from avatar_core.algo import plain
    from avatar_core.config.resolve import present, validate
    from avatar_core.config.train import AdvantageConfig
    from avatar_core.records import SCHEMA
    from avatar_core.reporting.records_io import load_run
    from avatar_core.reporting.settings import train_config
    from avatar_core.reporting.what_if import check_recomputable, what_if

    records = load_run(run)
    config = train_config(records)
    check_recomputable(config)
    tried = present({"tas_lambda": lam, "tas_shape": shape})
    changed = validate(AdvantageConfig, {**config.advantage.model_dump(), **tried})
    result = what_if(
        records.groups,
        config.advantage,
        changed,
        plain,
        baseline=baseline,
        window=config.replay.window,
    )
    if output.as_json:
        scenarios = {"recorded": result.recorded, "what_if": result.changed}
        figures = {name: scenario.to_document() for name, scenario in scenarios.items()}
        emit_json({"schema": SCHEMA, "path": str(run), **figures})
        return

    from avatar_cli.render_replay import scenario_line, what_if_table

    screen = console()
    screen.print(scenario_line("recorded", result.recorded))
    screen.print(scenario_line("what if", result.changed))
    screen.print(what_if_table(result))
