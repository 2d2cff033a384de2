"""`avatar eval`: the score of a model on one or more benchmarks."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from avatar_cli.options import Output, with_output

REMEDY = "use a smaller --batch-size or --max-new-tokens"


@with_output
def evaluate_command(
    output: Output,
    names: Annotated[
        list[str], typer.Argument(metavar="NAME...", help="Benchmarks, scenes, or list.")
    ],
    model: Annotated[str, typer.Option(help="tiny, a run, a checkpoint or a hub id.")] = "tiny",
    data_root: Annotated[
        Path | None, typer.Option(help="Benchmark files. [default: the benchmark's own place]")
    ] = None,
    split: Annotated[str, typer.Option(help="Split of the benchmark.")] = "test",
    stage: Annotated[
        int | None,
        typer.Option(min=1, max=3, help="Stage of scenes. [default: all three, mixed equally]"),
    ] = None,
    limit: Annotated[int, typer.Option(min=1, help="Most items.")] = 200,
    sample_seed: Annotated[
        int | None, typer.Option(min=0, help="Choose other items. [default: the first ones]")
    ] = None,
    batch_size: Annotated[
        str, typer.Option(help="Items answered together; auto: what fits.")
    ] = "auto",
    audio: Annotated[
        Literal["auto", "on", "off"] | None,
        typer.Option(help="Sound: if any, required, or ignored. [default: as trained]"),
    ] = None,
    blank: Annotated[
        list[str] | None,
        typer.Option(help="frames or sound: darkness or silence instead; may be repeated."),
    ] = None,
    max_new_tokens: Annotated[
        int | None, typer.Option(min=1, help="Length limit of an answer. [default: as trained]")
    ] = None,
    allow_missing: Annotated[
        bool, typer.Option(help="Give a score although items failed or have no media.")
    ] = False,
    out: Annotated[
        Path | None, typer.Option(help="Result directory. [default: runs/eval/<model>/<name>]")
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume/--no-resume", help="Keep the items already answered.")
    ] = True,
    baseline: Annotated[
        Path | None, typer.Option(help="Earlier result to compare with, item by item.")
    ] = None,
) -> None:
    """Score a model on benchmarks; `avatar eval list` shows which there are."""
    if names == ["list"]:
        _list(output)
        return
    settings = {
        "names": names,
        "model": model,
        "data_root": data_root,
        "split": split,
        "stage": stage,
        "limit": limit,
        "sample_seed": sample_seed,
        "batch_size": None if batch_size == "auto" else batch_size,
        "audio": audio,
        "blank": blank or (),
        "max_new_tokens": max_new_tokens,
        "allow_missing": allow_missing,
        "out": out,
        "resume": resume,
    }
    _score({key: value for key, value in settings.items() if value is not None}, baseline, output)


def _list(output: Output) -> None:
    from avatar_cli.render import console, emit_json
    from avatar_cli.render_eval import benchmark_document, benchmark_table
    from avatar_core.benchmarks import available

    if output.as_json:
        emit_json(benchmark_document(available().values()))
    else:
        console().print(benchmark_table(available().values()))


def _score(settings: dict[str, Any], baseline: Path | None, output: Output) -> None:
    from avatar_core.benchmarks import find
    from avatar_core.config.evaluate import EvalConfig
    from avatar_core.config.resolve import validate
    from avatar_core.errors import memory_errors
    from avatar_core.files import user_path

    given = {**settings, "baseline": baseline}
    for name in ("model", "data_root", "out", "baseline"):
        if given.get(name) is not None:
            user_path(given[name], f"--{name.replace('_', '-')}")
    config = validate(EvalConfig, settings)
    # Said before the seconds that the model's libraries take to load.
    for name in config.names:
        find(name)

    from avatar_cli.render_eval import item_progress, show_evaluations
    from avatar_core.evaluation.run import measure, refuse_failures

    with memory_errors(REMEDY), item_progress(output) as progress:
        result = measure(config, baseline=baseline, progress=progress)
    show_evaluations(result.evaluations, result.gain, output)
    # The tables come first: who may not use the score still sees why.
    refuse_failures(result, config)
