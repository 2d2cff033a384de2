"""How far an evaluation is that has no summary, from the rows it left."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from avatar_core.errors import DataError
from avatar_core.evaluation_records import EvalRow
from avatar_core.files import JsonlAppender
from avatar_core.reporting.partial import PartialEvaluation, partial_evaluation

CONFIG: dict[str, Any] = {"names": ["mmvu"], "model": "runs/a", "limit": None, "split": None}


def item(name: str, status: str = "ok", *, correct: bool = False) -> EvalRow:
    return EvalRow(
        id=name,
        status=status,
        prediction=None,
        gold="A",
        correct=correct,
        score=float(correct),
        text=None,
        truncated=False,
        modalities=(),
        frames=None,
        seconds=None,
        error="gone" if status == "error" else None,
    )


def test_rows_are_counted_and_the_last_of_an_item_counts(tmp_path: Path) -> None:
    with JsonlAppender(tmp_path / "results.jsonl") as log:
        for row in (
            item("a", correct=True),
            item("b", "error"),
            item("c", "error"),
            item("b", correct=True),
        ):
            log.append(row.to_row())
    with (tmp_path / "results.jsonl").open("a") as file:
        file.write('{"torn')
    expected = PartialEvaluation("mmvu", "runs/a", None, True, items=3, correct=2, failed=1)
    assert partial_evaluation(tmp_path, CONFIG) == expected
    some = partial_evaluation(tmp_path, {**CONFIG, "limit": 5, "subset": "all"})
    assert some is not None
    assert (some.limit, some.whole) == (5, False)


def test_one_that_has_only_begun_has_no_items(tmp_path: Path) -> None:
    served = {**CONFIG, "served": {"model": "big"}}
    expected = PartialEvaluation("mmvu", "big", None, True, items=0, correct=0, failed=0)
    assert partial_evaluation(tmp_path, served) == expected


def test_what_is_no_evaluation_is_none(tmp_path: Path) -> None:
    configs: list[dict[str, Any] | None] = [None, {}, {"stage": 1}, {"names": []}, {"names": "x"}]
    for config in configs:
        assert partial_evaluation(tmp_path, config) is None
    assert len(configs) == 5


def test_a_damaged_row_is_named(tmp_path: Path) -> None:
    (tmp_path / "results.jsonl").write_text('{"schema": 9}\n')
    with pytest.raises(DataError, match=r"results\.jsonl:1: EvalRow has schema 9"):
        partial_evaluation(tmp_path, CONFIG)
