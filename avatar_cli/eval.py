"""`avatar eval`: the score of a model on one or more benchmarks."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from avatar_cli.options import Output, with_output


@with_output
def evaluate_command(
    output: Output,
    names: Annotated[
        list[str], typer.Argument(metavar="NAME...", help="Benchmarks, scenes, or list.")
    ],
    model: Annotated[str, typer.Option(help="tiny, a directory or a hub id.")] = "tiny",
    data_root: Annotated[
        Path | None, typer.Option(help="Benchmark files. [default: $AVATAR_DATA/<name>]")
    ] = None,
    split: Annotated[str | None, typer.Option(help="Split of the benchmark.")] = None,
    subset: Annotated[str | None, typer.Option(help="Subset, such as mc or all.")] = None,
    mode: Annotated[
        Literal["long", "ref", "clue"] | None, typer.Option(help="Mode of cg_av_counting.")
    ] = None,
    question_only: Annotated[bool, typer.Option(help="Leave the media out.")] = False,
    timeout: Annotated[
        float | None, typer.Option(min=0, help="Seconds for one served answer.")
    ] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Most items.")] = None,
    sample_seed: Annotated[
        int | None, typer.Option(min=0, help="Draw the limited items at random with this seed.")
    ] = None,
    batch_size: Annotated[str, typer.Option(help="Items answered together, or auto.")] = "auto",
    audio: Annotated[
        Literal["auto", "on", "off"], typer.Option(help="Sound: if any, required, or ignored.")
    ] = "auto",
    prompt: Annotated[
        Literal["official", "authors", "think"], typer.Option(help="Wording of the question.")
    ] = "official",
    max_new_tokens: Annotated[
        int | None, typer.Option(min=1, help="Length limit of an answer.")
    ] = None,
    backend: Annotated[
        Literal["hf", "openai"], typer.Option(help="Run the model here, or ask a server.")
    ] = "hf",
    base_url: Annotated[str | None, typer.Option(help="Address of the server.")] = None,
    served_model: Annotated[str | None, typer.Option(help="Its name for the model.")] = None,
    allow_missing: Annotated[
        bool, typer.Option(help="Give a score although items failed or have no media.")
    ] = False,
    out: Annotated[Path | None, typer.Option(help="Result directory.")] = None,
    resume: Annotated[
        bool, typer.Option("--resume/--no-resume", help="Keep the items already answered.")
    ] = True,
    baseline: Annotated[
        Path | None, typer.Option(help="Earlier result to compare with, item by item.")
    ] = None,
) -> None:
    """Score a model on benchmarks; `avatar eval list` shows which there are."""
    from avatar_core.evaluation.run import evaluate

    evaluate(
        names,
        model=model,
        data_root=data_root,
        split=split,
        subset=subset,
        mode=mode,
        question_only=question_only,
        timeout=timeout,
        limit=limit,
        sample_seed=sample_seed,
        batch_size=batch_size,
        audio=audio,
        prompt=prompt,
        max_new_tokens=max_new_tokens,
        backend=backend,
        base_url=base_url,
        served_model=served_model,
        allow_missing=allow_missing,
        out=out,
        resume=resume,
        baseline=baseline,
    )
