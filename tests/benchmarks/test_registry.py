from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from avatar_core.benchmarks.registry import Benchmark, available, find, load, register
from avatar_core.errors import UsageError
from avatar_core.types import Sample


def benchmark(name: str) -> Benchmark:
    def give(data_root: object, **options: object) -> list[Sample]:
        return [Sample(str(options), "?", (), "1", "numerical")]

    return Benchmark(name, "nowhere", 1, "none", "accuracy", give)


def test_registered_benchmarks_are_found_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("avatar_core.benchmarks.registry.BENCHMARKS", {})
    monkeypatch.setattr("avatar_core.benchmarks.registry.HOMES", ())
    one = register(benchmark("one"))
    assert find("one") is one
    with pytest.raises(UsageError, match="already registered"):
        register(benchmark("one"))
    with pytest.raises(UsageError, match=r"'two' is not part of avatar \d\S+; available: one"):
        find("two")
    (sample,) = load("one", split="dev", limit=3, sample_seed=1, stage=2)
    assert sample.id == str({"split": "dev", "limit": 3, "sample_seed": 1, "stage": 2})


def test_the_registry_itself_is_untouched() -> None:
    assert list(available()) == ["scenes"]


def test_a_fresh_program_finds_every_benchmark(tmp_path: Path) -> None:
    # Nothing else of the core is imported by hand, and no torch along the way.
    code = (
        "import sys; from pathlib import Path; from avatar_core.benchmarks import load;"
        "items = load('scenes', Path(sys.argv[1]), limit=2);"
        "print(*(item.id for item in items), *{'torch', 'transformers'} & set(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=False
    )
    assert done.stderr == ""
    assert done.stdout.split() == ["scenes/test/0/1/0", "scenes/test/0/2/0"]
