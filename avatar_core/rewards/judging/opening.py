"""From a configuration to a judge that is ready to grade."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from avatar_core.config.judge import JudgeConfig
from avatar_core.errors import UsageError
from avatar_core.rewards.judging.judge import CountingJudge, Judge

if TYPE_CHECKING:
    from avatar_core.rewards.judging.rubric_judge import Responder

CACHE_NAME = "judge.sqlite"


def open_judge(
    config: JudgeConfig, directory: Path | None = None, *, seed: int = 0
) -> CountingJudge:
    """Open the judge that a configuration describes; a local model is loaded here.

    Args:
        config: which judge.
        directory: run directory, where replies are kept when `config.cache` names no file; with
            neither they are not kept.
        seed: of the random part of the waits between tries.

    Raises:
        UsageError: the server's key is not in the environment, or there is no such local model.
        CheckpointError: the local model cannot be used.
        DiskError: the stored replies cannot be used.
    """
    if config.kind == "scripted":
        from avatar_core.rewards.judging.scripted import ScriptedJudge

        judge: Judge = ScriptedJudge()
    else:
        judge = _rubric_judge(config, directory, seed)
    return CountingJudge(judge, config.max_failures)


def server_key(variable: str | None, setting: str = "judge.api_key_env") -> str | None:
    """The key of a server, from the environment.

    Args:
        variable: name of the environment variable; `None` for a server that needs no key.
        setting: setting or flag that named it, for the error.

    Raises:
        UsageError: the variable is not set.
    """
    if variable is None:
        return None
    key = os.environ.get(variable, "").strip()
    if not key:
        raise UsageError(
            f"{setting}={variable!r}: this environment variable is not set; "
            "export the server's key in it, or leave the setting out"
        )
    return key


def _rubric_judge(config: JudgeConfig, directory: Path | None, seed: int) -> Judge:
    """A judge that is asked in words; imports wait until one is wanted."""
    from avatar_core.rewards.judging.cache import ReplyCache
    from avatar_core.rewards.judging.rubric_judge import RubricJudge

    responder = _served(config, seed) if config.kind == "served" else _local(config)
    default = None if directory is None else directory / CACHE_NAME
    path = default if config.cache is None else Path(config.cache)
    return RubricJudge(
        responder,
        frames=config.frames,
        frame_side=config.frame_side,
        unparsed=config.unparsed,
        cache=None if path is None else ReplyCache(path, config.cache_entries),
    )


def _served(config: JudgeConfig, seed: int) -> Responder:
    from avatar_core.rewards.judging.served import ServedModel, Server

    if config.url is None:
        raise UsageError("judge.kind='served' needs judge.url, the address of the server")
    return ServedModel(
        Server(
            url=config.url,
            model=config.model,
            key=server_key(config.api_key_env),
            max_new_tokens=config.max_new_tokens,
            concurrency=config.concurrency,
            timeout_seconds=config.timeout_seconds,
            total_seconds=config.total_seconds,
            max_tries=config.max_tries,
            seed=seed,
        )
    )


def _local(config: JudgeConfig) -> Responder:
    from avatar_core.rewards.judging.local import LocalModel

    return LocalModel(
        config.model,
        max_new_tokens=config.max_new_tokens,
        batch_size=config.batch_size,
        device=config.device,
    )
