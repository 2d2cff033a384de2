"""Which items of which benchmarks an evaluation is of, in which wording; known before any model."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from avatar_core import benchmarks
from avatar_core.benchmarks import Benchmark, Item, PromptStyle, Selection
from avatar_core.benchmarks.annotations import default_root
from avatar_core.benchmarks.unpacking import still_packed
from avatar_core.config.evaluate import EvalConfig
from avatar_core.errors import TooManyFailures, UsageError
from avatar_core.evaluation.own_data import benchmark_of, is_file_name
from avatar_core.naming import nearest

FAILED_LIMIT = 0.01
"""A score over more failed items than this share is not a score."""
SHOWN = 5
"""Missing files that an error names."""


def check_selection(config: EvalConfig) -> list[Benchmark]:
    """The benchmarks asked for, each with what is asked of it.

    Raises:
        UsageError: a benchmark is unknown or named twice, or has no such split, subset, mode or
            wording; a file of samples is not there.
    """
    found = []
    for name in config.names:
        benchmark = benchmark_of(name)
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
    and is the only choice where several benchmarks are asked for. For a file of samples it is where
    their media lie.
    """
    root = config.data_root
    if root is None or is_file_name(name):
        return root
    if len(config.names) == 1 and not (root / name).is_dir():
        return root
    return root / name


def load_items(config: EvalConfig, benchmark: Benchmark) -> list[Item]:
    """What is asked of one benchmark.

    Raises:
        UsageError: it has no items, or two with the same id.
        DataError: its files are missing or not what they must be.
        TooManyFailures: media of more than 1 % of the items are missing, unless allowed.
    """
    root = root_of(config, benchmark.name)
    items = benchmarks.select(benchmark, root, selection_of(config))
    if not config.allow_missing:
        refuse_missing(benchmark, items, root or default_root(benchmark.name))
    return items


def refuse_missing(benchmark: Benchmark, items: Sequence[Item], root: Path | None = None) -> None:
    """Raise `TooManyFailures` when media of more than 1 % of the items are missing.

    Args:
        benchmark: what the items are of.
        items: all that would be asked.
        root: directory of its files; archives that lie there packed are named.
    """
    without = [item for item in items if item.missing]
    if len(without) > FAILED_LIMIT * len(items):
        files = list(dict.fromkeys(path for item in without for path in item.missing))
        more = f" and {len(files) - SHOWN} more" if len(files) > SHOWN else ""
        raise TooManyFailures(
            f"{benchmark.name}: media of {len(without)} of {len(items)} items are missing: "
            f"{', '.join(files[:SHOWN])}{more}; {_packed(root) if root else ''}put them there, or "
            "--allow-missing counts these items as wrong; wanted below the data root:\n\n"
            f"{benchmark.layout}"
        )


def _packed(root: Path) -> str:
    """What to do with the archives of a root, as a part of a sentence; empty without any."""
    reasons = still_packed(root)
    told = [reason for reason in reasons.values() if reason]
    names = [str(path.relative_to(root)) for path, reason in reasons.items() if reason is None]
    if names:
        more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
        lie = "lies" if len(names) == 1 else "lie"
        told.append(
            f"{', '.join(names[:SHOWN])}{more} {lie} packed in {root}: unpack there, or run again "
            "with --yes to have it done"
        )
    return "".join(f"{text}; " for text in told[-SHOWN:])
