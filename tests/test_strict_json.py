"""Tests of strict_json.py: what is a sound object, and what is said of all else."""

from __future__ import annotations

import json
from typing import Any

import pytest

from avatar_core.errors import DataError
from avatar_core.strict_json import MAX_DEPTH, RowDecoder

SOUND: list[tuple[bytes, dict[str, Any]]] = [
    (b'{"a": 1, "b": [true, null, "x"], "c": {"d": -2.5e3}}\r\n', {"a": 1, "b": [True, None, "x"]}),
    (' {"a": "ü 😀"}'.encode(), {"a": "ü 😀"}),
    (b'{"a": "\\ud83d\\ude00"}', {"a": "😀"}),
    (b"{}", {}),
]

FAULTY = [
    (b"{'a': 1}", "not valid JSON (Expecting property name enclosed in double quotes, column 2)"),
    (b'{"a": 1', "not valid JSON (Expecting ',' delimiter, column 8)"),
    (b'{"a": "x}', "not valid JSON (Unterminated string starting at, column 7)"),
    (b"plain text", "not valid JSON (Expecting value, column 1)"),
    (b'{"a": 1} {"a": 2}', "not valid JSON (more text behind column 8); give one object per line"),
    (b'{"a": "\xff"}', "not UTF-8 text (byte 7)"),
    (b"[1]", "expected a JSON object, found list"),
    (b'"text"', "expected a JSON object, found str"),
    (b"null", "expected a JSON object, found NoneType"),
    (b'{"a": NaN}', "not valid JSON (NaN is no JSON number)"),
    (b'{"a": [{"b": -Infinity}]}', "not valid JSON (-Infinity is no JSON number)"),
    (b'{"a": 1e999}', "not valid JSON (1e999 is too large a number)"),
    (b'{"a": ' + b"9" * 301 + b"}", "is too large a number"),
    (b'{"a": ' + b"9" * 5000 + b"}", "is too large a number"),
    (b'{"a": 1, "b": 2, "a": 3}', "not valid JSON (key 'a' is given twice)"),
    (b'{"a": {"b": 1, "b": 1}}', "not valid JSON (key 'b' is given twice)"),
    (b'{"a": "\\ud83d"}', "not valid text (half of a surrogate pair)"),
    (b'{"\\uDC00": 1}', "not valid text (half of a surrogate pair)"),
    (b'{"a": ' + b"[" * 64 + b"]" * 64 + b"}", "nested deeper than 64 levels"),
    (b'{"a": ' + b"[" * 100_000, "nested deeper than 64 levels"),
]


def test_sound_objects_are_as_python_reads_them() -> None:
    for line, expected in SOUND:
        content = RowDecoder().line(line)
        assert content == json.loads(line)
        assert isinstance(content, dict)
        assert expected.items() <= content.items()
    assert len(SOUND) == 4


def test_everything_else_is_an_error_on_one_line() -> None:
    decoder = RowDecoder()
    for line, message in FAULTY:
        content = decoder.line(line)
        assert isinstance(content, DataError), line[:40]
        assert message in str(content)
        assert "\n" not in str(content)
        # Nothing of a faulty line is left for the next one.
        assert decoder.line(b'{"a": 1}') == {"a": 1}
    assert len(FAULTY) == 20


def test_the_deepest_object_that_is_taken() -> None:
    # The object itself is the first level.
    assert MAX_DEPTH == 64
    nested = b'{"a": ' + b"[" * 63 + b"]" * 63 + b"}"
    assert isinstance(RowDecoder().line(nested), dict)
    # Brackets within a text are no levels.
    assert RowDecoder().line(b'{"a": "' + b"[" * 200 + b'"}') == {"a": "[" * 200}


def test_a_value_is_found_in_the_midst_of_a_text() -> None:
    decoder = RowDecoder()
    text = '[{"a": NaN}, {"b": 2}, 7]'
    content, end = decoder.first(text, 1)
    # Its end is known in spite of the fault.
    assert (str(content), end) == (
        "not valid JSON (NaN is no JSON number); mend or remove the row",
        11,
    )
    assert decoder.first(text, 13) == ({"b": 2}, 21)
    with pytest.raises(json.JSONDecodeError):
        decoder.first(text, 12)
