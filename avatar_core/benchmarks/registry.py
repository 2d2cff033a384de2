"""The benchmarks by name: what they are, and the function that turns each into samples.

A benchmark registers itself when its module is imported; `evaluate` knows none of them by name.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from avatar_core.config.resolve import nearest
from avatar_core.errors import UsageError
from avatar_core.types import Sample


class Load(Protocol):
    """Turns a benchmark's files into samples."""

    def __call__(
        self,
        data_root: Path | None,
        *,
        split: str,
        limit: int,
        sample_seed: int | None,
        stage: int | None,
    ) -> list[Sample]:
        """Give at most `limit` samples of a split; see `EvalConfig` for the options."""
        ...


@dataclass(frozen=True, slots=True)
class Benchmark:
    """One evaluation set.

    Attributes:
        name: key on the command line.
        dataset: where its items come from.
        items: size of the main split; `None` when it has no end.
        media: what an item shows, such as "video + sound".
        metric: what the headline figure is.
        load: gives its samples.
    """

    name: str
    dataset: str
    items: int | None
    media: str
    metric: str
    load: Load


BENCHMARKS: dict[str, Benchmark] = {}
"""Name to benchmark, in order of registration."""


def register(benchmark: Benchmark) -> Benchmark:
    """Add a benchmark to `BENCHMARKS`.

    Raises:
        UsageError: the name is taken.
    """
    if benchmark.name in BENCHMARKS:
        raise UsageError(f"benchmark {benchmark.name!r} is already registered; choose another name")
    BENCHMARKS[benchmark.name] = benchmark
    return benchmark


def find(name: str) -> Benchmark:
    """The benchmark of a name; `UsageError` with the nearest one when there is none."""
    if name not in BENCHMARKS:
        raise UsageError(f"unknown benchmark {name!r}{nearest(name, list(BENCHMARKS))}")
    return BENCHMARKS[name]


def load(
    name: str,
    data_root: Path | None = None,
    *,
    split: str = "test",
    limit: int = 200,
    sample_seed: int | None = None,
    stage: int | None = None,
) -> list[Sample]:
    """Samples of a benchmark.

    Args:
        name: one of `BENCHMARKS`.
        data_root: directory of its files; `None` for the default place.
        split: of the benchmark.
        limit: most samples.
        sample_seed: chooses them; `None` takes the first ones.
        stage: training stage whose questions are asked, where a benchmark has stages.

    Raises:
        UsageError: unknown benchmark, split or stage.
        DataError: its files are missing or not what they must be.
    """
    return find(name).load(
        data_root, split=split, limit=limit, sample_seed=sample_seed, stage=stage
    )
