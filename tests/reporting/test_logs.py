from __future__ import annotations

import json
from pathlib import Path

from avatar_core.files import MAX_LINE_BYTES
from avatar_core.records import MetricsRow
from avatar_core.reporting.logs import read_log
from tests.run_records import metrics_row

NAME = "metrics.jsonl"


def line(number: int, **changes: object) -> str:
    return json.dumps({**metrics_row(number).to_row(), **changes}) + "\n"


def test_every_unsound_line_is_found_and_the_others_are_read(tmp_path: Path) -> None:
    lines = [line(1), "{\n", "\n", line(2, step=-1), "[]\n", line(3), line(4, schema=9), line(5)]
    (tmp_path / NAME).write_text("".join(lines))
    log = read_log(MetricsRow, tmp_path, NAME)
    assert [row.step for row in log.rows] == [1, 3, 5]
    assert log.lines == (1, 6, 8)
    assert [(problem.file, problem.line) for problem in log.problems] == [
        (NAME, 2),
        (NAME, 4),
        (NAME, 5),
        (NAME, 7),
    ]
    words = ["not valid JSON", "field 'step'", "found list", "has schema 9"]
    assert all(word in found.problem for word, found in zip(words, log.problems, strict=True))
    assert not log.torn


def test_a_number_that_is_none_is_a_problem(tmp_path: Path) -> None:
    (tmp_path / NAME).write_text(line(1, loss=float("nan")))
    log = read_log(MetricsRow, tmp_path, NAME)
    assert [problem.line for problem in log.problems] == [1]
    assert "field 'loss'" in log.problems[0].problem


def test_a_torn_last_line_is_no_problem(tmp_path: Path) -> None:
    (tmp_path / NAME).write_text(line(1) + line(2)[:-1])
    log = read_log(MetricsRow, tmp_path, NAME)
    assert (len(log.rows), log.problems, log.torn) == (1, (), True)


def test_a_line_without_end_is_not_read_into_memory(tmp_path: Path) -> None:
    with (tmp_path / NAME).open("wb") as file:
        file.write(line(1).encode())
        file.truncate(MAX_LINE_BYTES * 2)
    log = read_log(MetricsRow, tmp_path, NAME)
    assert [(problem.line, problem.problem[:14]) for problem in log.problems] == [
        (2, "line is longer")
    ]


def test_a_file_that_is_not_there_has_no_rows(tmp_path: Path) -> None:
    log = read_log(MetricsRow, tmp_path, NAME)
    assert (log.rows, log.problems, log.torn) == ((), (), False)
