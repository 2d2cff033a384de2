"""`avatar train`: one training stage or all of them, from flags to finished run directories."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from avatar_cli.options import Output, with_output


@with_output
def train_command(
    output: Output,
    stage: Annotated[
        Literal["0", "1", "2", "3", "all"] | None,
        typer.Option(help="0 supervised, 1 visual, 2 audio-visual, 3 localisation; all in a row."),
    ] = None,
    model: Annotated[
        str | None, typer.Option(help="tiny, a checkpoint directory or a hub id. [default: tiny]")
    ] = None,
    data: Annotated[
        str | None, typer.Option(help="scenes, or a JSONL file. [default: scenes]")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(help="Run directory. [default: runs/stage<N>; all: runs/all/stage<N>]"),
    ] = None,
    init: Annotated[
        str | None, typer.Option(help="Checkpoint or run of the previous stage.")
    ] = None,
    preset: Annotated[
        str | None, typer.Option(help="Named settings: paper, grpo, ... [default: paper]")
    ] = None,
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
    video_reader: Annotated[
        Literal["auto", "av", "decord"] | None,
        typer.Option(help="av, or decord where it is exact. [default: auto]"),
    ] = None,
    reward_files: Annotated[
        list[Path] | None,
        typer.Option(
            "--reward-file",
            metavar="FILE",
            help="Python file of reward functions; it is run. May be repeated.",
        ),
    ] = None,
    audio: Annotated[
        Literal["auto", "on", "off"] | None,
        typer.Option(help="Sound: if any, required, or ignored. [default: auto]"),
    ] = None,
    trackers: Annotated[
        list[str] | None,
        typer.Option(
            "--tracker", help="Draw curves in tensorboard, trackio or wandb; may be repeated."
        ),
    ] = None,
    resume: Annotated[
        bool,
        typer.Option("--resume/--no-resume", help="Continue the run in --out, or refuse it."),
    ] = True,
    dry_run: Annotated[
        bool, typer.Option(help="Print the settings, check every input, start nothing.")
    ] = False,
) -> None:
    """Train one stage, or all in a row, and show what came of it."""
    from avatar_cli.train_run import check, run_all, run_one
    from avatar_core.config.resolve import resolve_train
    from avatar_core.config.stages import resolve_stages

    given: dict[str, Any] = {
        "preset": preset,
        "file": config,
        "assignments": assignments or (),
        "flags": {
            **{"model": model, "data": data, "init": init, "steps": steps, "seed": seed},
            "out": None if out is None else str(out),
            "tuning": None if lora is None else "lora" if lora else "full",
            "media": {"reader": video_reader, "audio": audio},
            "reward": {"files": [str(file) for file in reward_files or ()] or None},
        },
    }
    if stage == "all":
        stages = resolve_stages(**given)
    else:
        stages = [resolve_train(stage=None if stage is None else int(stage), **given)]
    if dry_run:
        check(stages, resume, output, trackers or ())
    elif stage == "all":
        run_all(stages, resume, output, trackers or ())
    else:
        run_one(stages[0], resume, output, trackers or ())
