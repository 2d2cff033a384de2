"""Tests of benchmarks/shards.py: whole sets, parts of them, two of one name."""

from __future__ import annotations

from pathlib import Path

import pytest

from avatar_core.benchmarks.shards import check_shards
from avatar_core.errors import DataError


def shards(head: str, numbers: range, total: int) -> list[Path]:
    return [Path(f"data/{head}-{number:05}-of-{total:05}.parquet") for number in numbers]


def test_whole_sets_and_other_files_are_fine() -> None:
    check_shards([])
    check_shards([Path("data/test.parquet"), Path("data/part-1-of-6.parquet")])
    check_shards([*shards("test", range(3), 3), *shards("train", range(1), 1)])


def test_missing_files_are_named_up_to_five() -> None:
    with pytest.raises(DataError) as caught:
        check_shards([*shards("a", range(1), 1), *shards("b", range(1, 2), 3)])
    assert str(caught.value) == (
        "data: holds only a part of a set of 3 files, without b-00000-of-00003.parquet, "
        "b-00002-of-00003.parquet; fetch the rest"
    )
    # Of 99,999 one is there: 99,998 are not, of which five are named.
    with pytest.raises(DataError, match="a-00005-of-99999.parquet and 99993 more; fetch the rest"):
        check_shards(shards("a", range(1), 99999))


def test_a_number_beyond_the_set_does_not_fill_it() -> None:
    with pytest.raises(DataError, match="without a-00001-of-00002.parquet;"):
        check_shards([*shards("a", range(1), 2), *shards("a", range(2, 3), 2)])


def test_two_sets_of_one_name_are_refused() -> None:
    with pytest.raises(DataError, match="is of a set of 2 files, beside one of 1; remove one"):
        check_shards([*shards("a", range(1), 1), *shards("a", range(2), 2)])
