from __future__ import annotations

from pathlib import Path

import pytest

from avatar_core.benchmarks import available, find, load
from avatar_core.errors import UsageError


def test_stages_take_turns_and_counts_differ_by_one_at_most(clips: Path) -> None:
    for limit, counts in ((1, [1, 0, 0]), (2, [1, 1, 0]), (6, [2, 2, 2]), (8, [3, 3, 2])):
        samples = load("scenes", clips, limit=limit)
        stages = [int(sample.groups["stage"][0]) for sample in samples]
        assert stages == [1 + index % 3 for index in range(limit)]
        assert [stages.count(stage) for stage in (1, 2, 3)] == counts
        assert len({sample.id for sample in samples}) == limit
        assert all(sample.id.startswith("scenes/test/0/") for sample in samples)


def test_one_stage_and_another_seed(clips: Path) -> None:
    first = load("scenes", clips, limit=3, stage=2)
    assert [sample.groups["stage"] for sample in first] == [("2",)] * 3
    other = load("scenes", clips, limit=3, stage=2, sample_seed=5)
    assert {s.id for s in first}.isdisjoint(s.id for s in other)
    assert all(Path(ref.path).is_relative_to(clips) for s in other for ref in s.media)


def test_unknown_splits(clips: Path) -> None:
    assert find("scenes").items is None
    with pytest.raises(UsageError, match="no split 'dev'"):
        load("scenes", clips, split="dev")
    assert next(iter(available())) == "scenes"
