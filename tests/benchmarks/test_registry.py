from __future__ import annotations

import pytest

from avatar_core.benchmarks.registry import BENCHMARKS, Benchmark, find, load, register
from avatar_core.errors import UsageError
from avatar_core.types import Sample


def benchmark(name: str) -> Benchmark:
    def give(data_root: object, **options: object) -> list[Sample]:
        return [Sample(str(options), "?", (), "1", "numerical")]

    return Benchmark(name, "nowhere", 1, "none", "accuracy", give)


def test_registered_benchmarks_are_found_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("avatar_core.benchmarks.registry.BENCHMARKS", {})
    one = register(benchmark("one"))
    assert find("one") is one
    with pytest.raises(UsageError, match="already registered"):
        register(benchmark("one"))
    with pytest.raises(UsageError, match="unknown benchmark 'two'; known: one"):
        find("two")
    (sample,) = load("one", split="dev", limit=3, sample_seed=1, stage=2)
    assert sample.id == str({"split": "dev", "limit": 3, "sample_seed": 1, "stage": 2})


def test_the_registry_itself_is_untouched() -> None:
    assert "one" not in BENCHMARKS
