"""The benchmarks by name: what they are, and the function that turns each into samples.

A benchmark registers itself when its module is imported. Those of this release are named in `HOMES`
and imported when benchmarks are first asked for: one that is made of other parts of the core, as
`scenes` is, stands above this package, which therefore knows it by name alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Protocol, TypeAlias

from avatar_core.errors import UsageError
from avatar_core.types import Sample
from avatar_core.version import VERSION

Item: TypeAlias = Sample
"""One question of a benchmark; the noun is that of training."""
HOMES = ("avatar_core.evaluation.scenes",)
"""Modules that register the benchmarks of this release, in the order in which they are listed."""


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
    ) -> list[Item]:
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
"""Registered so far, in that order; `available` gives all."""


def register(benchmark: Benchmark) -> Benchmark:
    """Add a benchmark to `BENCHMARKS`.

    Raises:
        UsageError: the name is taken.
    """
    if benchmark.name in BENCHMARKS:
        raise UsageError(f"benchmark {benchmark.name!r} is already registered; choose another name")
    BENCHMARKS[benchmark.name] = benchmark
    return benchmark


def available() -> dict[str, Benchmark]:
    """Every benchmark there is, by name, those of `HOMES` first imported."""
    for home in HOMES:
        import_module(home)
    return dict(BENCHMARKS)


def find(name: str) -> Benchmark:
    """The benchmark of a name; `UsageError` that names those there are when it is none of them."""
    known = available()
    if name not in known:
        raise UsageError(
            f"benchmark {name!r} is not part of avatar {VERSION}; available: {', '.join(known)}"
        )
    return known[name]


def load(
    name: str,
    data_root: Path | None = None,
    *,
    split: str = "test",
    limit: int = 200,
    sample_seed: int | None = None,
    stage: int | None = None,
) -> list[Item]:
    """Samples of a benchmark.

    Args:
        name: one of `available()`.
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
