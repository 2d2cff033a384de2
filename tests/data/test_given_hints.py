from __future__ import annotations

from pathlib import Path

import pytest

from avatar_core.data.given_hints import Hint, read_hints, with_hints
from avatar_core.errors import DataError
from avatar_core.types import Sample

SAMPLES = [
    Sample(
        id=name, question="?", media=(), solution="A", problem_type="multiple choice", hint="old"
    )
    for name in ("a", "b")
]
ROWS = """\
{"id": "a", "hint": "Look at the door.", "teacher": "t"}
{"id": "b", "hint": null, "teacher": "t", "refused": "says the answer"}
"""


def test_a_given_hint_takes_the_place_of_the_old_and_a_refused_one_changes_nothing(
    tmp_path: Path,
) -> None:
    file = tmp_path / "hints.jsonl"
    file.write_text(ROWS)
    given = with_hints(SAMPLES, read_hints(file))
    assert [sample.hint for sample in given] == ["Look at the door.", "old"]


def test_hints_of_other_data_change_nothing() -> None:
    assert with_hints(SAMPLES, [Hint("z", "Listen.", "t")]) == SAMPLES
    assert with_hints(SAMPLES, []) == SAMPLES


def test_a_row_that_is_none_names_file_and_line(tmp_path: Path) -> None:
    file = tmp_path / "hints.jsonl"
    file.write_text(ROWS + '{"id": 3}\n')
    with pytest.raises(DataError, match=r"hints\.jsonl:3: not a row of hints"):
        read_hints(file)
    assert read_hints(tmp_path / "none.jsonl") == []
