"""What an evaluation is going to do, with every input checked that needs no model.

Nothing is written into a result directory here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from avatar_core import benchmarks
from avatar_core.benchmarks import Benchmark, Published
from avatar_core.config.evaluate import EvalConfig
from avatar_core.evaluation.directory import check_directory, result_directory
from avatar_core.evaluation.selecting import check_selection, load_items, selection_of, style_of
from avatar_core.evaluation.tally import Measure
from avatar_core.evaluation.tasks import Task, task_of
from avatar_core.run_settings import RunSettings

Progress = Callable[[str, int, int], None]
"""Told what is done (one phrase), how many items are finished, and of how many."""


class Job(NamedTuple):
    """One benchmark that can be answered."""

    benchmark: Benchmark
    """What is measured."""
    directory: Path
    """Where its results go."""
    config: EvalConfig
    """Resolved, with this benchmark as the only name."""
    tasks: Sequence[Task]
    """What is asked."""

    @property
    def measure(self) -> Measure:
        """What its headline is."""
        one = self.benchmark
        name = one.headlines.get(self.config.mode or "", one.headline)
        return Measure(name, one.graded, one.strata)

    @property
    def published(self) -> Published | None:
        """Figures of AVATAR's authors, where this is what they measured."""
        whole = benchmarks.is_main(self.benchmark, selection_of(self.config))
        return self.benchmark.published if whole else None


def check_request(config: EvalConfig, settings: RunSettings) -> None:
    """Check names, settings and result directories.

    Raises:
        UsageError: a benchmark is unknown or named twice, or a directory cannot be used.
    """
    for benchmark in check_selection(config):
        directory = result_directory(config, benchmark.name)
        check_directory(directory, resolved(config, benchmark, settings))


def make_job(config: EvalConfig, name: str, settings: RunSettings) -> Job:
    """Everything about one benchmark of a checked request; its media may be rendered now.

    Raises:
        UsageError: its items are not to be had or not usable.
        DataError: its files are missing or not what they must be.
        TooManyFailures: media of more than 1 % of the items are missing, unless allowed.
    """
    benchmark = benchmarks.find(name)
    style = style_of(benchmark, config)
    return Job(
        benchmark,
        result_directory(config, name),
        resolved(config, benchmark, settings),
        [task_of(item, benchmark.ask, style) for item in load_items(config, benchmark)],
    )


def resolved(config: EvalConfig, benchmark: Benchmark, settings: RunSettings) -> EvalConfig:
    """The configuration of one benchmark, with what was not given as the model was trained.

    The system text is that of the prompt style where the benchmark has one.
    """
    given = config.model_dump(include={"media", "audio", "system_prompt", "max_new_tokens"})
    media = config.media or settings.media
    style = style_of(benchmark, config)
    texts = benchmark.system or {}
    default = {
        "media": media,
        "audio": media.audio,
        "system_prompt": texts.get(style, settings.system_prompt),
        "max_new_tokens": settings.max_new_tokens,
    }
    missing = {key: value for key, value in default.items() if given[key] is None}
    names = {"names": (benchmark.name,), "prompt": style}
    return config.model_copy(update={**names, **missing})
