"""Tests of json_array.py: elements with their lines, whatever the size of a chunk."""

from __future__ import annotations

import io
import json
import tracemalloc
from pathlib import Path

import pytest

from avatar_core import json_array
from avatar_core.json_array import ArrayReader
from avatar_core.strict_json import RowDecoder

LIMIT = 1000

ARRAYS = [
    ("[]", []),
    (" \n[ \r\n ]\n", []),
    ('[{"a": 1}]', [(1, {"a": 1})]),
    ('\ufeff[{"a": "ü😀"},{"b":2}]', [(1, {"a": "ü😀"}), (1, {"b": 2})]),
    ('[\n  {\n    "a": "x\\ny"\n  },\n  {"b": 2}\n]\n', [(2, {"a": "x\ny"}), (5, {"b": 2})]),
    ('[\r\n{"a": 1},\r\n{"b": 2}]', [(2, {"a": 1}), (3, {"b": 2})]),
    (
        '[{"a": NaN},\n3, [1,\n2], "x]",\n{"b": 2}]',
        [
            (1, "not valid JSON (NaN is no JSON number); mend or remove the row"),
            (2, "expected a JSON object, found int"),
            (2, "expected a JSON object, found list"),
            (3, "expected a JSON object, found str"),
            (4, {"b": 2}),
        ],
    ),
]

BROKEN = [
    ('[{"a": 1},\n{"b": ', 2, "not valid JSON (Expecting value in the row that begins here)"),
    ('[{"a": 1},\n{"b": "x', 2, "(Unterminated string starting at in the row that begins here)"),
    ('[{"a": 1},\n{"b": 1}', 2, "not valid JSON (the array is not closed in the row"),
    ('[{"a": 1}\n', 2, "not valid JSON (found '' behind a row, expected , or ]"),
    ('[{"a": 1}\n{"b": 1}]', 2, "not valid JSON (found '{' behind a row, expected , or ]"),
    ('[{"a": 1},\n]', 2, "not valid JSON (Expecting value"),
    ('[{"a": 1}]\n[]', 2, "not valid JSON (more text behind the end of the array)"),
    ('[{"a": 1},\n{"b": ' + "[" * 100_000, 2, "nested deeper than 64 levels"),
]


def read(content: bytes) -> list[tuple[int, object]]:
    reader = ArrayReader(io.BytesIO(content), RowDecoder(), LIMIT)
    return [(line, row if isinstance(row, dict) else str(row)) for line, row in reader.elements()]


@pytest.mark.parametrize("chunk", [1, 2, 7, 1 << 20])
def test_elements_and_their_lines(chunk: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_array, "CHUNK", chunk)
    for text, expected in ARRAYS:
        assert read(text.encode()) == expected
    assert len(ARRAYS) == 7


@pytest.mark.parametrize("chunk", [1, 7, 1 << 20])
def test_what_is_broken_ends_the_array(chunk: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_array, "CHUNK", chunk)
    for text, line, message in BROKEN[: 7 if chunk == 1 else None]:
        first, *others = read(text.encode())
        assert first == (1, {"a": 1})
        found, fault = others[-1]
        # A row that is whole but not followed by anything is not trusted.
        assert len(others) == 1
        assert found == line
        assert message in str(fault)
    assert len(BROKEN) == 8


def test_a_row_without_end_is_given_up_at_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_array, "CHUNK", 100)
    endless = io.BytesIO(b'[{"a": "' + b"x" * 1_000_000)
    ((line, fault),) = ArrayReader(endless, RowDecoder(), LIMIT).elements()
    assert line == 1
    assert str(fault).startswith("the row is longer than 1000 characters or not valid JSON (")
    # Ten chunks are as long as the limit, the eleventh is beyond it.
    assert endless.tell() == 1100


def test_what_is_no_text_is_said_to_be_none() -> None:
    (fault,) = read(b'[\n{"a": "\xff"}]')
    assert fault == (1, "not UTF-8 text here or below; save the file as UTF-8")


def test_a_large_array_is_not_held_in_memory(tmp_path: Path) -> None:
    path = tmp_path / "large.json"
    rows = [{"problem_id": index, "text": "x" * 1000} for index in range(20_000)]
    path.write_text(json.dumps(rows))
    assert path.stat().st_size > 20_000_000
    with path.open("rb") as file:
        tracemalloc.start()
        total = sum(
            row["problem_id"]
            for _, row in ArrayReader(file, RowDecoder(), 1 << 24).elements()
            if isinstance(row, dict)
        )
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert total == 19_999 * 20_000 // 2
    # A few copies of one chunk of a mebibyte.
    assert peak < 8_000_000
