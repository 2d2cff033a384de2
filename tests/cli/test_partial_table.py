"""How many items of how many, where the records say."""

from __future__ import annotations

from dataclasses import replace

from avatar_cli.partial_table import expected, partial_table, progress_of
from avatar_core.reporting.partial import PartialEvaluation

PARTIAL = PartialEvaluation("mmvu", "runs/[a]", None, True, items=1200, correct=300, failed=2)


def test_the_number_of_items_is_that_of_the_benchmark_or_the_limit() -> None:
    # MMVU's multiple-choice validation split has 625 items.
    assert expected(PARTIAL) == 625
    assert expected(replace(PARTIAL, limit=50)) == 50
    assert expected(replace(PARTIAL, limit=5000)) == 625
    assert expected(replace(PARTIAL, whole=False)) is None
    assert expected(replace(PARTIAL, whole=False, limit=50)) == 50
    # Scenes are endless; 200 are asked unless a limit is given, of one stage or of all.
    assert expected(replace(PARTIAL, benchmark="scenes", limit=90)) == 90
    assert expected(replace(PARTIAL, benchmark="scenes")) == 200
    assert expected(replace(PARTIAL, benchmark="scenes", whole=False)) == 200
    assert expected(replace(PARTIAL, benchmark="of a later release")) is None
    assert progress_of(PARTIAL) == "1,200 of 625"
    assert progress_of(replace(PARTIAL, whole=False)) == "1,200 of ?"


def test_the_table_says_what_there_is_so_far() -> None:
    table = partial_table(PARTIAL)
    labels, cells = ([str(cell) for cell in column.cells] for column in table.columns)
    assert str(table.title) == "Evaluation of runs/[a] on mmvu, not ended"
    assert dict(zip(labels, cells, strict=True)) == {
        "items": "1,200 of 625",
        "right so far": "25.0 %",
        "error or missing_media": "2",
    }
    none = partial_table(replace(PARTIAL, items=0, correct=0))
    assert [str(cell) for cell in none.columns[1].cells][1] == "-"
