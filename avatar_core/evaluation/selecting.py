"""Which items of which benchmarks an evaluation is of, in which wording; known before any model."""

from __future__ import annotations

from pathlib import Path

from avatar_core import benchmarks
from avatar_core.benchmarks import Benchmark, PromptStyle, Selection
from avatar_core.config.evaluate import EvalConfig
from avatar_core.errors import UsageError
from avatar_core.naming import nearest


def check_selection(config: EvalConfig) -> list[Benchmark]:
    """The benchmarks asked for, each with what is asked of it.

    Raises:
        UsageError: a benchmark is unknown or named twice, or has no such split, subset, mode or
            wording.
    """
    found = []
    for name in config.names:
        benchmark = benchmarks.find(name)
        if config.names.count(name) > 1:
            raise UsageError(f"benchmark {name!r} is named twice; name it once")
        benchmarks.check(benchmark, selection_of(config))
        style_of(benchmark, config)
        found.append(benchmark)
    return found


def selection_of(config: EvalConfig) -> Selection:
    """Which items are wanted."""
    return Selection(
        split=config.split,
        subset=config.subset,
        mode=config.mode,
        stage=config.stage,
        question_only=config.question_only,
        limit=config.limit,
        sample_seed=config.sample_seed,
    )


def style_of(benchmark: Benchmark, config: EvalConfig) -> PromptStyle:
    """The wording asked for, else the benchmark's default.

    Raises:
        UsageError: the benchmark does not have it.
    """
    style = config.prompt or benchmark.styles[0]
    if style not in benchmark.styles:
        near = nearest(style, benchmark.styles)
        raise UsageError(f"{benchmark.name} has no {style} prompt{near}")
    return style


def root_of(config: EvalConfig, name: str) -> Path | None:
    """Where the files of one benchmark are looked for; `None` for its default place.

    A folder with the benchmark's name below the data root is taken before the data root itself,
    and is the only choice where several benchmarks are asked for.
    """
    root = config.data_root
    if root is None or (len(config.names) == 1 and not (root / name).is_dir()):
        return root
    return root / name
