"""`avatar eval`: the score of a model on one or more benchmarks."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from avatar_cli.eval_server import ApiKeyEnv, BaseUrl, ServedModel, Timeout
from avatar_cli.options import Output, with_output


@with_output
def evaluate_command(
    output: Output,
    names: Annotated[
        list[str], typer.Argument(metavar="NAME...", help="Benchmarks, scenes, or list.")
    ],
    model: Annotated[str, typer.Option(help="tiny, a run, a checkpoint or a hub id.")] = "tiny",
    data_root: Annotated[
        Path | None,
        typer.Option(help="Its files, or a folder per benchmark. [default: $AVATAR_DATA/<name>]"),
    ] = None,
    split: Annotated[
        str | None, typer.Option(help="Split of the benchmark. [default: its main one]")
    ] = None,
    subset: Annotated[
        str | None, typer.Option(help="Part of the benchmark, such as mc. [default: its own]")
    ] = None,
    mode: Annotated[
        str | None, typer.Option(help="cg_av_counting: long, ref or clue. [default: long]")
    ] = None,
    question_only: Annotated[
        bool, typer.Option("--question-only", help="Ask without media.")
    ] = False,
    prompt: Annotated[
        Literal["official", "authors", "think"] | None,
        typer.Option(help="Wording of the question. [default: official, where there is one]"),
    ] = None,
    stage: Annotated[
        int | None,
        typer.Option(min=1, max=3, help="Stage of scenes. [default: all three, mixed equally]"),
    ] = None,
    limit: Annotated[
        int | None, typer.Option(min=1, help="Most items. [default: all; of scenes 200]")
    ] = None,
    sample_seed: Annotated[
        int | None, typer.Option(min=0, help="Choose other items. [default: the first ones]")
    ] = None,
    batch_size: Annotated[
        str, typer.Option(help="Items (for a server: requests) at the same time; auto: what fits.")
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
    backend: Annotated[
        Literal["hf", "openai"], typer.Option(help="Answer here, or ask a server.")
    ] = "hf",
    base_url: BaseUrl = None,
    served_model: ServedModel = None,
    api_key_env: ApiKeyEnv = None,
    timeout: Timeout = None,
    allow_missing: Annotated[
        bool, typer.Option(help="Give a score although items failed or have no media.")
    ] = False,
    yes: Annotated[
        bool, typer.Option("--yes", help="Download missing data without asking.")
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
    from avatar_cli.eval_run import list_benchmarks, score

    if names == ["list"]:
        list_benchmarks(output)
        return
    settings = {
        "names": names,
        "model": model,
        "data_root": data_root,
        "split": split,
        "subset": subset,
        "mode": mode,
        "question_only": question_only,
        "prompt": prompt,
        "backend": backend,
        "base_url": base_url,
        "served_model": served_model,
        "api_key_env": api_key_env,
        "timeout": timeout,
        "download": yes,
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
    score(settings, baseline, output)
