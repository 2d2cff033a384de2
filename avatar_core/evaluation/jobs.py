"""What an evaluation is going to do, with every input checked that needs no model.

Nothing is written into a result directory here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from avatar_core import benchmarks
from avatar_core.config.evaluate import EvalConfig
from avatar_core.errors import UsageError
from avatar_core.evaluation.directory import check_directory, result_directory
from avatar_core.run_settings import RunSettings
from avatar_core.types import Sample

Progress = Callable[[str, int, int], None]
"""Told what is done (one phrase), how many items are finished, and of how many."""


class Job(NamedTuple):
    """One benchmark that can be answered."""

    name: str
    """Of the benchmark."""
    directory: Path
    """Where its results go."""
    config: EvalConfig
    """Resolved, with this benchmark as the only name."""
    samples: Sequence[Sample]
    """What is asked."""


def check_request(config: EvalConfig, settings: RunSettings) -> None:
    """Check names, settings and result directories.

    Raises:
        UsageError: a benchmark is unknown or named twice, or a directory cannot be used.
    """
    for name in config.names:
        benchmarks.find(name)
        if config.names.count(name) > 1:
            raise UsageError(f"benchmark {name!r} is named twice; name it once")
        check_directory(result_directory(config, name), resolved(config, name, settings))


def make_job(config: EvalConfig, name: str, settings: RunSettings) -> Job:
    """Everything about one benchmark of a checked request; its media may be rendered now.

    Raises:
        UsageError: its samples are not to be had or not usable.
    """
    return Job(
        name,
        result_directory(config, name),
        resolved(config, name, settings),
        load_samples(config, name),
    )


def resolved(config: EvalConfig, name: str, settings: RunSettings) -> EvalConfig:
    """The configuration of one benchmark, with what was not given as the model was trained."""
    given = config.model_dump(include={"media", "audio", "system_prompt", "max_new_tokens"})
    media = config.media or settings.media
    default = {
        "media": media,
        "audio": media.audio,
        "system_prompt": settings.system_prompt,
        "max_new_tokens": settings.max_new_tokens,
    }
    missing = {key: value for key, value in default.items() if given[key] is None}
    return config.model_copy(update={"names": (name,), **missing})


def load_samples(config: EvalConfig, name: str) -> list[Sample]:
    """Samples of one benchmark.

    Raises:
        UsageError: two of them have the same id, or there are none.
    """
    samples = benchmarks.load(
        name,
        config.data_root,
        split=config.split,
        limit=config.limit,
        sample_seed=config.sample_seed,
        stage=config.stage,
    )
    if not samples or len({sample.id for sample in samples}) < len(samples):
        raise UsageError(f"{name}: has no items, or two with the same id; check its files")
    return samples
