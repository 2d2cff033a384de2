from __future__ import annotations

import json
from pathlib import Path

import pandas
import pytest

from avatar_core.errors import UsageError
from avatar_core.reporting.export import check_target, completion_rows, export_completions
from tests.run_records import group_row

GROUPS = [
    group_row([1.0, None], [0.5, 0.0], step=3, tier="hard"),
    group_row([0.25], [None], step=4, source="replayed", policy_step=1, baseline=0.5, family=None),
]


def test_a_row_has_the_completion_and_its_group() -> None:
    rows = completion_rows(GROUPS)
    assert [(row["group"], row["completion"], row["reward"]) for row in rows] == [
        (0, 0, 1.0),
        (0, 1, None),
        (1, 0, 0.25),
    ]
    assert rows[2] == {
        "step": 4,
        "prompt_id": "p",
        "family": None,
        "source": "replayed",
        "policy_step": 1,
        "tier": None,
        "baseline": 0.5,
        "hinted": False,
        "no_signal": True,
        "group": 1,
        "completion": 0,
        "text": "<answer>A</answer>",
        "tokens": 5,
        "reward": 0.25,
        "advantage": None,
        "truncated": False,
        "part_accuracy": 0.25,
    }


def test_jsonl_holds_the_rows(tmp_path: Path) -> None:
    file = tmp_path / "new" / "out.JSONL"
    assert export_completions(GROUPS, file) == 3
    assert [json.loads(line) for line in file.read_text().splitlines()] == completion_rows(GROUPS)


def test_parquet_holds_the_rows_with_missing_values(tmp_path: Path) -> None:
    file = tmp_path / "out.parquet"
    assert export_completions(GROUPS, file) == 3
    frame = pandas.read_parquet(file)
    rows = completion_rows(GROUPS)
    assert list(frame.columns) == list(rows[0])
    found = frame.astype(object).where(frame.notna(), None).to_dict("records")
    assert found == rows


def test_types_do_not_depend_on_the_values(tmp_path: Path) -> None:
    sparse, full = tmp_path / "sparse.parquet", tmp_path / "full.parquet"
    export_completions([group_row([None], family=None)], sparse)
    export_completions(
        [group_row([1.0], [0.5], tier="hard", source="replayed", baseline=0.5)], full
    )
    types = [pandas.read_parquet(file).dtypes.astype(str).to_dict() for file in (sparse, full)]
    assert types[0] == types[1]
    assert len(types[0]) == 17


def test_a_run_without_groups_gives_an_empty_table(tmp_path: Path) -> None:
    assert export_completions([], tmp_path / "a.parquet") == 0
    assert export_completions([], tmp_path / "a.jsonl") == 0
    assert len(pandas.read_parquet(tmp_path / "a.parquet")) == 0


def test_an_existing_file_is_replaced_only_by_force(tmp_path: Path) -> None:
    file = tmp_path / "out.jsonl"
    file.write_text("mine")
    with pytest.raises(UsageError, match="exists already; give --force"):
        export_completions(GROUPS, file)
    assert file.read_text() == "mine"
    export_completions(GROUPS, file, force=True)
    assert len(file.read_text().splitlines()) == 3
    assert [path.name for path in tmp_path.iterdir()] == ["out.jsonl"]


@pytest.mark.parametrize("name", ["out.csv", "out", ".parquet"])
def test_an_unknown_suffix_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match="unknown suffix; name a file in .parquet or .jsonl"):
        check_target(tmp_path / name, force=True)


def test_a_directory_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").mkdir()
    with pytest.raises(UsageError, match="is a directory"):
        check_target(tmp_path / "a.jsonl", force=True)
