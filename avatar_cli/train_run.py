"""What `avatar train` does with its settings: check them, run one stage or all, show the result."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import typer

from avatar_cli.options import Output

if TYPE_CHECKING:
    from pathlib import Path

    from avatar_core.config.train import TrainConfig
    from avatar_core.training.data import Data


def check(
    stages: Sequence[TrainConfig], resume: bool, output: Output, trackers: Sequence[str] = ()
) -> None:
    """Check every input of stages that follow each other; print their settings and memory.

    Settings alone go to stdout, so that they can be given back as a file; in JSON both do.
    """
    from tomli_w import dumps

    from avatar_cli.render import emit_json, note
    from avatar_core.config.resolve import stage_tables
    from avatar_core.config.toml import to_toml
    from avatar_core.training.preflight import check_stages
    from avatar_core.training.trackers import check_trackers

    check_trackers(trackers)
    data = check_stages(stages, resume=resume, say=lambda text: note(text, output))
    memory = memory_of(stages, data, output)
    documents = [
        {**settings.model_dump(mode="json"), "memory": held}
        for settings, held in zip(stages, memory, strict=True)
    ]
    if output.as_json:
        emit_json(documents[0] if len(stages) == 1 else {"stages": documents})
    else:
        one = len(stages) == 1
        typer.echo(to_toml(stages[0]) if one else dumps(stage_tables(stages)), nl=False)
    where = ", ".join(settings.out for settings in stages)
    note(f"every input is sound; without --dry-run this runs in {where}", output)


def memory_of(
    stages: Sequence[TrainConfig], data: Sequence[Data | None], output: Output
) -> list[dict[str, Any] | None]:
    """Estimate the memory of stages and show it on stderr; `None` where it cannot be known yet."""
    from avatar_cli.memory_table import memory_table
    from avatar_cli.render import console, note
    from avatar_core.training.memory_inputs import estimate_runs

    estimates = estimate_runs(stages, data)
    known = {settings.stage: one for settings, one in zip(stages, estimates, strict=True) if one}
    if len(known) < len(stages):
        note("how much memory this takes is not known before the model is on this machine", output)
    elif not (output.quiet or output.as_json):
        console(stderr=True).print(memory_table(known))
    return [None if one is None else one.to_row() for one in estimates]


def run_one(
    settings: TrainConfig, resume: bool, output: Output, trackers: Sequence[str] = ()
) -> None:
    """Run a stage and show its tables."""
    from avatar_core.training.preflight import check_inputs
    from avatar_core.training.trackers import check_trackers, tracked

    check_trackers(trackers)
    # Before torch is loaded, so that a mistake is answered at once; the run checks the rest.
    check_inputs(settings, resume=resume, quick=True)

    from avatar_cli.progress import training_progress
    from avatar_cli.report import show_runs
    from avatar_core.training.run import train

    with training_progress(output) as told, tracked(told, trackers, [settings]) as watcher:
        result = train(settings, resume=resume, watcher=watcher)
    if not result.leads:
        return
    show_runs([result.directory], output)
    suggest([result.directory], measured_on(settings), output)


def measured_on(settings: TrainConfig) -> str:
    """What `avatar eval` is to be given to ask what a run was measured on."""
    if settings.held_out.data:
        return shlex.quote(settings.held_out.data)
    return f"scenes --stage {settings.stage}" if settings.stage else "scenes"


def suggest(runs: Sequence[Path], asked: str, output: Output) -> None:
    """Say on stderr which commands may come next; nothing when quiet or in JSON.

    Args:
        runs: that have just ended, in order; the last one is the model that is asked.
        asked: what `avatar eval` is given.
        output: how to print.
    """
    from avatar_cli.render import note

    if output.as_json:
        return
    shown = " ".join(shlex.quote(str(run)) for run in runs)
    model = shlex.quote(str(runs[-1]))
    for command in (
        f"avatar report {shown} --html report.html",
        f"avatar eval {asked} --model {model}",
        f"avatar infer CLIP QUESTION --model {model}",
    ):
        note(f"next: {command}", output)


def run_all(
    stages: Sequence[TrainConfig], resume: bool, output: Output, trackers: Sequence[str] = ()
) -> None:
    """Run stages one after the other and show what each gained on held-out samples."""
    from avatar_core.training.preflight import check_stages
    from avatar_core.training.trackers import check_trackers, tracked

    check_trackers(trackers)
    check_stages(stages, resume=resume, quick=True)

    from avatar_cli.progress import training_progress
    from avatar_cli.render import console
    from avatar_cli.report import show_runs
    from avatar_cli.stage_table import stage_table
    from avatar_core.training.stages import train_stages

    with training_progress(output) as told, tracked(told, trackers, stages) as watcher:
        results = train_stages(stages, resume=resume, watcher=watcher)
    if not results[0].leads:
        return
    gained = {
        settings.stage: result.held_out
        for settings, result in zip(stages, results, strict=True)
        if result.held_out is not None
    }
    directories = [result.directory for result in results]
    if output.as_json:
        show_runs(directories, output)
        return
    console().print(stage_table(gained))
    suggest(directories, "scenes", output)
