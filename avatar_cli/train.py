"""`avatar train`: one training stage, from flags to a finished run directory."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from avatar_cli.options import Output, with_output


@with_output
def train_command(
    output: Output,
    stage: Annotated[
        int,
        typer.Option(min=0, max=3, help="0 supervised, 1 visual, 2 audio-visual, 3 localisation."),
    ],
    model: Annotated[
        str | None, typer.Option(help="tiny, a checkpoint directory or a hub id. [default: tiny]")
    ] = None,
    data: Annotated[
        str | None, typer.Option(help="scenes, or a JSONL file. [default: scenes]")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Run directory. [default: runs/stage<N>]")
    ] = None,
    init: Annotated[
        str | None, typer.Option(help="Checkpoint or run of the previous stage.")
    ] = None,
    preset: Annotated[
        str, typer.Option(help="Named settings: paper, release, grpo, ...")
    ] = "paper",
    steps: Annotated[int | None, typer.Option(min=1, help="Optimiser steps.")] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="Seed of every random draw.")] = None,
    config: Annotated[
        Path | None, typer.Option(help="TOML file of settings, over the preset.")
    ] = None,
    assignments: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="One setting; may be repeated."),
    ] = None,
    lora: Annotated[
        bool | None,
        typer.Option("--lora/--full", help="Train a low-rank adapter, or all weights."),
    ] = None,
    resume: Annotated[
        bool | None,
        typer.Option(
            "--resume/--no-resume",
            help="Continue the run in --out. [default: when it has the same settings]",
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option(help="Print the settings, check every input, start nothing.")
    ] = False,
) -> None:
    """Train one stage and show reward diversity and advantage statistics at the end."""
    from avatar_cli.progress import training_progress
    from avatar_cli.render import emit_json
    from avatar_cli.report import show_runs
    from avatar_core.config.resolve import resolve_train

    settings = resolve_train(
        stage=stage,
        preset=preset,
        file=config,
        assignments=assignments or (),
        flags={
            "model": model,
            "data": data,
            "out": str(out or Path("runs") / f"stage{stage}"),
            "init": init,
            "steps": steps,
            "seed": seed,
            "tuning": None if lora is None else "lora" if lora else "full",
        },
    )
    if dry_run:
        emit_json(settings.model_dump(mode="json"))
        return

    from avatar_core.training.run import train

    with training_progress(output) as watcher:
        result = train(settings, resume=resume is not False, watcher=watcher)
    show_runs([result.directory], output)
