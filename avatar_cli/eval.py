"""`avatar eval`: the score of a model on one or more benchmarks."""

from __future__ import annotations

from typing import Annotated

import typer

from avatar_cli.eval_options import (
    AllowMissing,
    ApiKeyEnv,
    Audio,
    Backend,
    BaselineDirectory,
    BaseUrl,
    BatchSize,
    Blank,
    DataRoot,
    Fps,
    Limit,
    MaxFrames,
    MaxNewTokens,
    MaxPixels,
    Mode,
    OutDirectory,
    QuestionOnly,
    Resume,
    SampleSeed,
    ServedModel,
    SplitName,
    Stage,
    Subset,
    Timeout,
    Wording,
    Yes,
)
from avatar_cli.options import Output, with_output


@with_output
def evaluate_command(
    output: Output,
    names: Annotated[
        list[str],
        typer.Argument(metavar="NAME...", help="Benchmarks, scenes, FILE.jsonl, or list."),
    ],
    model: Annotated[
        str, typer.Option(help="A run, a checkpoint, a hub id, or tiny (untrained).")
    ] = "tiny",
    data_root: DataRoot = None,
    split: SplitName = None,
    subset: Subset = None,
    mode: Mode = None,
    question_only: QuestionOnly = False,
    prompt: Wording = None,
    stage: Stage = None,
    limit: Limit = None,
    sample_seed: SampleSeed = None,
    batch_size: BatchSize = "auto",
    audio: Audio = None,
    blank: Blank = None,
    fps: Fps = None,
    max_frames: MaxFrames = None,
    max_pixels: MaxPixels = None,
    max_new_tokens: MaxNewTokens = None,
    backend: Backend = "hf",
    base_url: BaseUrl = None,
    served_model: ServedModel = None,
    api_key_env: ApiKeyEnv = None,
    timeout: Timeout = None,
    allow_missing: AllowMissing = False,
    yes: Yes = False,
    out: OutDirectory = None,
    resume: Resume = True,
    baseline: BaselineDirectory = None,
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
        "fps": fps,
        "max_frames": max_frames,
        "max_pixels": max_pixels,
        "max_new_tokens": max_new_tokens,
        "allow_missing": allow_missing,
        "out": out,
        "resume": resume,
    }
    score(settings, baseline, output)
