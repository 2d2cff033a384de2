"""`avatar train`: one training stage, from flags to a finished run directory."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from avatar_cli.options import Output, with_output

if TYPE_CHECKING:
    from avatar_core.config.train import TrainConfig


@with_output
def train_command(
    output: Output,
    stage: Annotated[
        int | None,
        typer.Option(min=0, max=3, help="0 supervised, 1 visual, 2 audio-visual, 3 localisation."),
    ] = None,
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
    audio: Annotated[
        Literal["auto", "on", "off"] | None,
        typer.Option(help="Sound: if any, required, or ignored. [default: auto]"),
    ] = None,
    resume: Annotated[
        bool,
        typer.Option("--resume/--no-resume", help="Continue the run in --out, or refuse it."),
    ] = True,
    dry_run: Annotated[
        bool, typer.Option(help="Print the settings, check every input, start nothing.")
    ] = False,
) -> None:
    """Train one stage and show reward diversity and advantage statistics at the end."""
    from avatar_core.config.resolve import resolve_train
    from avatar_core.training.preflight import check_inputs

    as_given = {"model": model, "data": data, "init": init, "steps": steps, "seed": seed}
    flags = {
        **as_given,
        "out": None if out is None else str(out),
        "tuning": None if lora is None else "lora" if lora else "full",
        "media": {"reader": video_reader, "audio": audio},
    }
    settings = resolve_train(
        stage=stage, preset=preset, file=config, assignments=assignments or (), flags=flags
    )
    if dry_run:
        check_inputs(settings, resume=resume, say=lambda text: _note(output, text))
        _show(settings, output)
    else:
        # Before torch is loaded, so that a mistake is answered at once; the run checks the rest.
        check_inputs(settings, resume=resume, quick=True)
        _run(settings, resume, output)


def _show(settings: TrainConfig, output: Output) -> None:
    from avatar_cli.render import emit_json
    from avatar_core.config.toml import to_toml

    if output.as_json:
        emit_json(settings.model_dump(mode="json"))
    else:
        typer.echo(to_toml(settings), nl=False)
    _note(output, f"every input is sound; without --dry-run this runs in {settings.out}")


def _note(output: Output, sentence: str) -> None:
    from avatar_cli.render import console, safe

    if not output.quiet:
        console(stderr=True).print(safe(sentence), soft_wrap=True)


def _run(settings: TrainConfig, resume: bool, output: Output) -> None:
    from avatar_cli.progress import training_progress
    from avatar_cli.render import console
    from avatar_cli.report import show_runs
    from avatar_cli.tables import held_out_document, held_out_table
    from avatar_core.training.run import train

    with training_progress(output) as watcher:
        result = train(settings, resume=resume, watcher=watcher)
    gained = result.held_out
    show_runs([result.directory], output, held_out=gained and held_out_document(gained))
    if gained and not output.as_json:
        console().print(held_out_table(gained))
