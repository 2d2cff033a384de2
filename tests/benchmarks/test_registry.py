from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from avatar_core.benchmarks.item import Item
from avatar_core.benchmarks.registry import (
    Benchmark,
    Selection,
    available,
    find,
    load,
    register,
    select,
)
from avatar_core.errors import UsageError
from avatar_core.types import Content, MediaRef


def item(identity: str, *media: MediaRef) -> Item:
    return Item(identity, "one", "", media, "?", (), "1", "count")


def benchmark(name: str, count: int = 1, **changes: Any) -> Benchmark:
    def give(root: Path | None, selection: Selection) -> list[Item]:
        return [item(f"{selection.split}-{n}", MediaRef("video", "v")) for n in range(count)]

    def ask(given: Item, style: str, /) -> Content:
        return (*given.media, given.question)

    return Benchmark(name, ("nowhere",), count, "none", "accuracy", give, ask, "a tree", **changes)


def test_registered_benchmarks_are_found_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("avatar_core.benchmarks.registry.BENCHMARKS", {})
    monkeypatch.setattr("avatar_core.benchmarks.registry.HOMES", ())
    one = register(benchmark("one", splits=("dev", "all")))
    assert find("one") is one
    with pytest.raises(UsageError, match="already registered"):
        register(benchmark("one"))
    with pytest.raises(UsageError, match=r"'two' is not part of avatar \d\S+; known: one"):
        find("two")
    assert [found.id for found in load("one")] == ["dev-0"]
    assert [found.id for found in load("one", split="all")] == ["all-0"]


def test_what_a_benchmark_does_not_have_is_refused() -> None:
    one = benchmark("one", subsets=("mc", "all"))
    for chosen, message in (
        (Selection(split="tset"), "one has no split 'tset'; did you mean 'test'"),
        (Selection(subset="open"), "one has no subset 'open'; known: mc, all"),
        (Selection(mode="ref"), "one has no modes; leave --mode ref out"),
    ):
        with pytest.raises(UsageError) as caught:
            select(one, None, chosen)
        assert message in str(caught.value)


def test_a_seed_draws_the_same_items_whatever_their_order() -> None:
    one = benchmark("one", 30)
    first = {found.id for found in select(one, None, Selection(limit=7, sample_seed=1))}
    other = {found.id for found in select(one, None, Selection(limit=7, sample_seed=2))}
    back = replace(one, load=lambda root, selection: one.load(root, selection)[::-1])
    shuffled = {found.id for found in select(back, None, Selection(limit=7, sample_seed=1))}
    assert len(first) == 7
    assert first == shuffled != other
    assert [found.id for found in select(one, None, Selection(limit=2))] == ["test-0", "test-1"]


def test_question_only_shows_no_media_unless_the_benchmark_sees_to_it() -> None:
    (blind,) = select(benchmark("one"), None, Selection(question_only=True))
    (own,) = select(benchmark("one", blind=False), None, Selection(question_only=True))
    assert (blind.media, len(own.media)) == ((), 1)


def test_repeated_ids_and_no_items_are_refused() -> None:
    none = benchmark("none", 0)
    twice = replace(none, load=lambda root, selection: [item("a"), item("a")])
    for ill, message in ((none, "hold no item"), (twice, "two of its items have the same id")):
        with pytest.raises(UsageError, match=message):
            select(ill, None, Selection())


def test_the_registry_itself_is_untouched() -> None:
    assert next(iter(available())) == "scenes"


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
