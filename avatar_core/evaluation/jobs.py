"""What an evaluation is going to do, with every input checked that needs no model.

Nothing is written into a result directory here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import NamedTuple

from avatar_core import benchmarks
from avatar_core.benchmarks import Benchmark, Item, Published
from avatar_core.config.evaluate import EvalConfig
from avatar_core.config.media import MediaConfig
from avatar_core.config.resolve import validate
from avatar_core.evaluation.directory import check_directory, result_directory
from avatar_core.evaluation.own_data import benchmark_of
from avatar_core.evaluation.selecting import check_selection, load_items, selection_of, style_of
from avatar_core.evaluation.tally import Measure
from avatar_core.evaluation.tasks import Task, task_of
from avatar_core.run_settings import RunSettings

Progress = Callable[[str, int, int], None]
"""Told what is done (one phrase), how many items are finished, and of how many."""


NEARLY_ALL = 0.95
"""Share of a benchmark's items without which published figures are not set beside a score."""


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
    def asked(self) -> dict[str, str | int | bool | None]:
        """What is asked of the benchmark, its defaults filled in."""
        selection = benchmarks.resolved(self.benchmark, selection_of(self.config))
        return {**asdict(selection), "prompt": self.config.prompt}

    @property
    def published(self) -> Published | None:
        """Figures of AVATAR's authors, where this is what they measured."""
        whole = benchmarks.is_main(self.benchmark, selection_of(self.config))
        whole = whole and not self.config.blank
        # Counts that could not be checked against the real files are taken with some room.
        whole = whole and len(self.tasks) >= NEARLY_ALL * (self.benchmark.items or 0)
        return self.benchmark.published if whole else None


def check_request(config: EvalConfig, settings: RunSettings) -> None:
    """Check names, settings and result directories.

    Raises:
        UsageError: a benchmark is unknown or named twice, or a directory cannot be used.
    """
    for benchmark in check_selection(config):
        directory = result_directory(config, benchmark)
        check_directory(directory, resolved(config, benchmark, settings))


def make_job(
    config: EvalConfig,
    name: str,
    settings: RunSettings,
    items: Sequence[Item] | None = None,
) -> Job:
    """Everything about one benchmark of a checked request; its media may be rendered now.

    Args:
        config: the request.
        name: of the benchmark.
        settings: how the model was trained.
        items: of the benchmark, where they were loaded before.

    Raises:
        UsageError: its items are not to be had or not usable.
        DataError: its files are missing or not what they must be.
        TooManyFailures: media of more than 1 % of the items are missing, unless allowed.
    """
    benchmark = benchmark_of(name)
    style = style_of(benchmark, config)
    return Job(
        benchmark,
        result_directory(config, benchmark),
        resolved(config, benchmark, settings),
        [
            task_of(item, benchmark.ask, style)
            for item in (load_items(config, benchmark) if items is None else items)
        ],
    )


def resolved(config: EvalConfig, benchmark: Benchmark, settings: RunSettings) -> EvalConfig:
    """The configuration of one benchmark, with what was not given as the model was trained.

    The system text is that of the wording. Where the benchmark has none there is none, but for the
    `think` wording and scenes: a text that asks for reasoning does not go with a request for a
    letter alone.

    Raises:
        UsageError: frames or pixels that contradict each other.
    """
    media = media_settings(config, settings.media)
    style = style_of(benchmark, config)
    trained = style == "think" or benchmark.embedded
    system = (benchmark.system or {}).get(style, settings.system_prompt if trained else "")
    laid = dict.fromkeys(("fps", "max_frames", "max_pixels"))
    default = {
        "audio": media.audio,
        "system_prompt": system,
        "max_new_tokens": settings.max_new_tokens,
    }
    missing = {key: value for key, value in default.items() if getattr(config, key) is None}
    named = {"names": (benchmark.name,), "prompt": style, "media": media, **laid}
    return config.model_copy(update={**named, **missing})


def media_settings(config: EvalConfig, trained: MediaConfig) -> MediaConfig:
    """How media are read: as asked, else as in training, with what is laid over it."""
    base = config.media or trained
    given = {key: getattr(config, key) for key in ("fps", "max_frames", "max_pixels")}
    laid = {key: value for key, value in given.items() if value is not None}
    return validate(MediaConfig, {**base.model_dump(), **laid}) if laid else base
